"""Brings the tables of a database to what this engine knows, in the transaction of whoever opens it.

Invariant: whatever happens to the process, the tables are those of before or those of after, and two engines that start at once migrate
once: SQLite's writer lock, or a lock of Postgres named after the schema, is held to the end of the transaction.

A database that is newer is left as it is: migrations only ever add, so an older engine works on it, unless what it holds says otherwise.
Tables that aren't there at all are made at once, without Alembic, which takes as much memory as a small bot: it is loaded when a migration
is due, and a test holds that both ways lead to the same tables.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy
from sqlalchemy import Column, MetaData, String, Table, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ProgrammingError

from tradingbot_contract.document import SpecError
from tradingbot_engine.database import schema

_FOLDER: Final = Path(__file__).with_name("migrations")
_FIRST: Final = 1
_LOCK_TIMEOUT_SECONDS: Final = 10
_logger = logging.getLogger(__name__)


class Chain(NamedTuple):
    """A set of tables and the migrations that led to it; several may share a database."""

    name: str
    """Folder of the migrations."""
    metadata: MetaData
    version: int
    """Number of the newest migration."""
    version_table: Table


def build_version_table(name: str) -> Table:
    """Return Alembic's own table, as Alembic makes it."""
    return Table(name, MetaData(), Column("version_num", String(32), primary_key=True))


JOURNAL: Final = Chain("journal", schema.metadata, schema.SCHEMA_VERSION, build_version_table("alembic_version"))


def migrate(connection: Connection, chain: Chain) -> None:
    """Make or change the tables of `chain` within the transaction that `connection` is in.

    Raises:
        SpecError: the database's user may not do it.
        sqlalchemy.exc.SQLAlchemyError: it can't be done now.
    """
    if connection.dialect.name == "postgresql":
        schema.complete_for_postgres()
        _enter_schema(connection)
    found = _read_version(connection, chain)
    if found is None:
        chain.metadata.create_all(connection)
        chain.version_table.create(connection)
        connection.execute(chain.version_table.insert(), {"version_num": _revision(chain.version)})
    elif found < chain.version:
        _upgrade(connection, chain)
        _logger.info("tables changed", extra={"fields": {"tables": chain.name, "from_version": found, "version": chain.version}})
    elif found > chain.version:
        fields = {"tables": chain.name, "version": found, "known_version": chain.version}
        _logger.info("a newer engine has changed the tables, this one goes on with what it knows", extra={"fields": fields})


def schema_of(connection: Connection) -> str | None:
    """Return the Postgres schema that unqualified tables stand for; None is the connection's own."""
    translated = connection.get_execution_options().get("schema_translate_map") or {}
    name = translated.get(None)
    return name if isinstance(name, str) else None


def _enter_schema(connection: Connection) -> None:
    """Lock the schema against other engines that start, make it if it isn't there, and look for tables in it alone."""
    name = schema_of(connection)
    key = int.from_bytes(hashlib.sha256(f"tradingbot/{name or ''}".encode()).digest()[:8], signed=True)
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'")
    connection.execute(select(sqlalchemy.func.pg_advisory_xact_lock(sqlalchemy.cast(key, sqlalchemy.BigInteger))))
    if name is None:
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(name)
    if not sqlalchemy.inspect(connection).has_schema(name):
        try:
            connection.exec_driver_sql(f"CREATE SCHEMA {quoted}")
        except ProgrammingError as error:
            raise SpecError(
                f"database: its user can't make schema {name} ({_first_line(error)}): grant it CREATE on the database, "
                "or make the schema and give it to the user"
            ) from error
    connection.exec_driver_sql(f"SET LOCAL search_path TO {quoted}")


def _read_version(connection: Connection, chain: Chain) -> int | None:
    """Return the number of the last migration that was made, None if there are no tables."""
    inspector = sqlalchemy.inspect(connection)
    if inspector.has_table(chain.version_table.name):
        return int(connection.execute(select(chain.version_table.c.version_num)).scalar_one())
    # The first engines made their tables without a word about their version.
    return _FIRST if any(inspector.has_table(table.name) for table in chain.metadata.tables.values()) else None


def _upgrade(connection: Connection, chain: Chain) -> None:
    from alembic import command  # noqa: PLC0415 - see the module
    from alembic.config import Config  # noqa: PLC0415 - see the module

    config = Config()
    config.set_main_option("script_location", _escaped(_FOLDER))
    config.set_main_option("version_locations", _escaped(_FOLDER / chain.name))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, chain=chain)
    if not sqlalchemy.inspect(connection).has_table(chain.version_table.name):
        command.stamp(config, _revision(_FIRST))
    command.upgrade(config, _revision(chain.version))


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # the value is a template to configparser


def _revision(number: int) -> str:
    return f"{number:04}"


def _first_line(error: ProgrammingError) -> str:
    return str(error.orig).partition("\n")[0]
