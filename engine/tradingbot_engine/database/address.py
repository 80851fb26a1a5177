"""Where a bot's tables are: a file on its own volume, or a schema of its own in a Postgres that many bots share.

Invariant: two shards never get the same schema, and no text made here for people holds the password.
"""

from __future__ import annotations

import enum
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy
from sqlalchemy.engine import URL

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_contract.endpoints import ENV_DATABASE_URL

_NAME_BYTES: Final = 63
"""Postgres cuts longer names without an error, which could make two of them the same."""
_HASH_DIGITS: Final = 12
_PLAIN: Final = re.compile(r"[a-z0-9.-]+")
"""What Kubernetes allows in a name. It has no underscore, so that parts joined by one can't be taken for others."""
_DRIVERS: Final = {"postgres", "postgresql", "postgresql+psycopg"}
_EXAMPLE: Final = "postgresql://user:password@host:5432/name"


class Dialect(enum.Enum):
    """What kind of database it is; the value is OpenTelemetry's `db.system.name`."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class DatabaseAddress:
    """Where one shard's tables are."""

    dialect: Dialect
    url: URL = field(repr=False)
    """For SQLAlchemy, with the password."""
    redacted: str
    """For people: no password, no options."""
    file: Path | None
    """The file of a SQLite database."""
    schema: str | None
    """The schema of a Postgres database; None: the file is the bot's alone."""
    application: str
    """What the connections are called on the server."""


def parse_database_address(url: str | None, data: Path, file: str, bot: BotIdentity) -> DatabaseAddress:
    """Return where the tables of `bot` are: in the Postgres at `url`, or without one in `file` of the folder `data`.

    Raises:
        SpecError: `url` is no address of a Postgres.
    """
    application = f"tradingbot {bot.namespace}/{bot.name}-{bot.shard}"
    if url is None:
        path = data / file
        return DatabaseAddress(Dialect.SQLITE, URL.create("sqlite", database=str(path)), str(path), path, None, application)
    parsed = _parse_url(url)
    host = parsed.host or "".join(parsed.normalized_query.get("host", ())[:1])
    return DatabaseAddress(
        dialect=Dialect.POSTGRESQL,
        url=parsed.set(drivername="postgresql+psycopg"),
        redacted=f"postgresql://{host}:{parsed.port or 5432}/{parsed.database}",
        file=None,
        schema=name_schema(bot),
        application=application.encode()[:_NAME_BYTES].decode(errors="ignore"),
    )


def name_schema(bot: BotIdentity) -> str:
    """Return the name of the shard's schema: readable where it can be, with a hash where it would be too long or ambiguous."""
    name = f"tb_{bot.namespace}_{bot.name}_{bot.shard}"
    if len(name.encode()) <= _NAME_BYTES and _PLAIN.fullmatch(bot.namespace) and _PLAIN.fullmatch(bot.name):
        return name
    # A readable name has three underscores; this one has two, so it is never another bot's readable name.
    whole = "\0".join((bot.namespace, bot.name, str(bot.shard)))
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH_DIGITS]
    readable = re.sub(r"[^a-z0-9.-]", "-", f"{bot.namespace}-{bot.name}")
    return f"tb_{readable[: _NAME_BYTES - len('tb__') - _HASH_DIGITS]}_{digest}"


def _parse_url(url: str) -> URL:
    # A parser's own words may repeat a part of the password: they stay out of the message.
    try:
        parsed = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise SpecError(
            f"{ENV_DATABASE_URL}: it can't be read as an address: write it as {_EXAMPLE}, with special characters of the password as %xx"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise SpecError(
            f"{ENV_DATABASE_URL}: it names a database of kind {parsed.drivername!r}, Postgres is the one there is: "
            f"write it as {_EXAMPLE}, or leave database.urlSecretRef out for SQLite on the bot's own volume"
        )
    if not (parsed.host or parsed.query.get("host")):
        raise SpecError(f"{ENV_DATABASE_URL}: it names no host: write it as {_EXAMPLE}")
    # A name with a slash is most often an address that stands there twice, with its password.
    if not parsed.database or "/" in parsed.database:
        raise SpecError(f"{ENV_DATABASE_URL}: it names no database: write it as {_EXAMPLE}")
    _check_options(parsed)
    return parsed


def _check_options(url: URL) -> None:
    import psycopg  # noqa: PLC0415 - 6 MiB that a bot with SQLite does without

    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    unknown = sorted(set(url.query) - known)
    if unknown:
        # What is no word may be a part of an address, with a password in it.
        which = f"option {unknown[0]!r}" if unknown[0].isidentifier() else "an option"
        raise SpecError(f"{ENV_DATABASE_URL}: {which} is none of Postgres' (libpq): remove it, or correct it")
