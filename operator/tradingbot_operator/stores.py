"""The sections of a TradingBot's spec about where its engine keeps things: its volume, its database, Redis.

The operator reads no Secrets, so it does not know their addresses: what it has to know of them, the port, is a field.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, field

from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.resources import Pool, RedisPool, Retention, Retry
from tradingbot_contract.section import Bytes, Rule, Section

OBJECT_NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z"
"""A name that an object of Kubernetes can have (RFC 1123, subdomain)."""

_Port = Annotated[int, Meta(ge=1, le=65_535)]


class SecretKey(Section, frozen=True):
    """A value in a Secret of the bot's namespace. It is read when the pod starts; the operator never reads it."""

    name: Annotated[
        str,
        Meta(description="Name of the Secret.", min_length=1, max_length=253, pattern=OBJECT_NAME),
    ]
    key: Annotated[
        str,
        Meta(
            description="Key in the Secret that holds the value.",
            min_length=1,
            max_length=253,
            pattern=r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*\Z",
        ),
    ] = "url"


class Storage(Section, frozen=True):
    """The bot's own volume, which holds its journal."""

    __rules__ = (
        Rule("quantity(self.size).isGreaterThan(quantity('0'))", "size must be more than nothing"),
        Rule("quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0", "size can grow and not shrink: a volume can't give space back"),
        Rule(
            "has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)",
            "className is immutable: delete the bot and create it anew",
        ),
    )

    size: Annotated[Bytes, Meta(description="Size of the volume. It can grow later where the storage class allows that.")] = "1Gi"
    class_name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=253, pattern=OBJECT_NAME)] | None,
        Meta(description="Storage class of the volume. Not set: the cluster's default."),
    ] = None

    def __post_init__(self) -> None:
        if parse_bytes(self.size) == 0:
            raise ValueError(self.__rules__[0].message)


class Database(Section, frozen=True):
    """Where the engine keeps its journal of orders and fills: a SQLite file on a volume of its own, or a Postgres database."""

    __rules__ = (
        Rule(
            "has(self.urlSecretRef) == has(oldSelf.urlSecretRef)",
            "urlSecretRef can't be added to a bot or taken from it: its journal would be left behind. Delete the bot and create it anew "
            "(the name and key of the Secret can be changed)",
        ),
    )

    url_secret_ref: Annotated[
        SecretKey | None,
        Meta(
            description=(
                "Secret with the address of a Postgres database, for example postgresql://user:password@host:5432/name. It is read "
                "when the pod starts. Not set: a SQLite file on the bot's own volume. Several bots may share a database."
            )
        ),
    ] = None
    port: Annotated[_Port, Meta(description="Port of the database, which the bot's network policy opens. Only for `urlSecretRef`.")] = 5432
    storage: Annotated[Storage, Meta(description="The bot's own volume.")] = field(default_factory=Storage)
    pool: Annotated[Pool, Meta(description="The engine's pool of database connections.")] = field(default_factory=Pool)
    retry: Annotated[Retry, Meta(description="What happens to an operation whose connection broke.")] = field(default_factory=Retry)
    health_interval_seconds: Annotated[float, Meta(description="Seconds between two tests of the database.", ge=1, le=3600)] = 30.0
    retention: Annotated[Retention, Meta(description="How much of the past is kept.")] = field(default_factory=Retention)


class Redis(Section, frozen=True):
    """A Redis that several engines may share, as a second level of their caches. While it is gone they are slower, not wrong."""

    url_secret_ref: Annotated[SecretKey, Meta(description="Secret with the address of Redis, for example redis://:password@host:6379/0.")]
    port: Annotated[_Port, Meta(description="Port of Redis, which the bot's network policy opens.")] = 6379
    pool: Annotated[RedisPool, Meta(description="The engine's pool of connections to Redis.")] = field(default_factory=RedisPool)
