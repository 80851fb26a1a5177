"""The engine's document: all of a bot's spec that its pod may know, as the file ``config.yaml``.

The operator (or ``tradingbot run``) writes it, the engine and the observer read it. It is taken whole or refused whole. It
carries the generation of the resource that it was made from, which the engine reports back. It never carries a secret.

The *restart hash* covers what the engine reads only when it starts. The rest (:data:`LIVE_FIELDS`) engine and observer take from
the changed file while the pod runs.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from tradingbot_contract.bounded_yaml import decode_yaml
from tradingbot_contract.resources import Cache, Http, MemoryMode, Pool, Prediction, RedisPool, Retention, Retry
from tradingbot_contract.section import Section, Symbol
from tradingbot_contract.spec import Broker, Health, Market, Observability, Risk, Strategy

VERSION: Final = "tradingbot.dev/v1alpha1"


class SpecError(ValueError):
    """What the user wrote can't be run as it stands; the message names the field and says what to do."""


class BotIdentity(Section, frozen=True):
    """Which bot, and which of its shards, the document is for."""

    namespace: str
    name: str
    uid: str
    shard: Annotated[int, Meta(ge=0)] = 0


class Activity(enum.Enum):
    """What the engine may do now. The operator sets it; users set what it follows from (`spec.lifecycle`)."""

    TRADE = "Trade"
    PAUSE = "Pause"
    """It opens nothing: purchases are not sent, and those that wait are cancelled. The strategy goes on, and its sales are sent."""
    CANCEL = "Cancel"
    """Every open order is cancelled and no order is sent; positions stay as they are."""
    FLATTEN = "Flatten"
    """Every open order is cancelled, every position is sold, and then no order is sent."""
    FENCE = "Fence"
    """It trades nothing and holds nothing open: up, idle, to be looked at. An engine that starts with it doesn't begin to trade."""


class DatabaseAccess(Section, frozen=True):
    """How the engine reaches its database."""

    pool: Pool = field(default_factory=Pool)
    retry: Retry = field(default_factory=Retry)
    health_interval_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    retention: Retention = field(default_factory=Retention)
    external: bool = False
    """Whether its address is in the environment (:data:`tradingbot_contract.endpoints.ENV_DATABASE_URL`), where a secret belongs.
    Otherwise it is a SQLite file on the bot's own volume."""


class EngineDocument(Section, frozen=True):
    """Everything an engine and its observer are told."""

    api_version: str
    bot: BotIdentity
    generation: Annotated[int, Meta(ge=0)]
    """``metadata.generation`` of the resource that this was made from; 0 without a cluster."""
    strategy: Strategy
    market: Market
    broker: Broker
    risk: Risk
    database: DatabaseAccess
    cache: Cache
    health: Health
    observability: Observability
    redis: RedisPool | None = None
    """None: there is no Redis. Its address is in the environment (:data:`tradingbot_contract.endpoints.ENV_REDIS_URL`)."""
    http: Http = field(default_factory=Http)
    memory_mode: MemoryMode = MemoryMode.AUTO
    prediction: Prediction = field(default_factory=Prediction)
    activity: Activity = Activity.TRADE
    releasing: list[Symbol] = field(default_factory=list)
    """Symbols of `market.symbols` that this shard is about to give up: it opens nothing in them, and cancels their open orders."""
    settle: bool = False
    """Whether it also sells what it holds of them now; otherwise that is left to the strategy."""
    revision: str = ""
    """The operator's digest of what an engine reads only when it starts. The engine reports back the one that it started with."""
    grant: Annotated[int, Meta(ge=0)] = 0
    """Number of what this shard was given and gives up; it rises with each change of that. The engine reports back the one carried out."""


LIVE_FIELDS: Final = (
    ("generation",),
    ("health",),
    ("observability",),
    ("risk",),
    ("database", "pool"),
    ("database", "retry"),
    ("database", "healthIntervalSeconds"),
    ("database", "retention"),
    ("http",),
    ("cache",),
    ("memoryMode",),
    ("activity",),
    ("releasing",),
    ("settle",),
    ("revision",),
    ("grant",),
)
"""Paths that the engine follows while it runs. The settings of Redis' pool are live, too; that there is a Redis is not."""


def parse_document(text: str | bytes) -> EngineDocument:
    """Return the document that a ``config.yaml`` holds.

    Raises:
        SpecError: no YAML, an unknown or missing field, a value out of bounds, or a document of another version.
    """
    try:
        document: EngineDocument = decode_yaml(text, EngineDocument)
    except ValueError as error:
        raise SpecError(str(error)) from error
    if document.api_version != VERSION:
        raise SpecError(
            f"apiVersion is {document.api_version!r}, this engine reads {VERSION!r}: use an engine image of the operator's version"
        )
    return document


def render_document(document: EngineDocument) -> str:
    """Return the text of ``config.yaml``; equal documents give equal texts."""
    return msgspec.yaml.encode(document, order="deterministic").decode()


def restart_hash(document: EngineDocument) -> str:
    """Return 16 hex digits over all fields whose change needs a new process."""
    fields = msgspec.to_builtins(document)
    for *parents, name in LIVE_FIELDS:
        section = fields
        for parent in parents:
            section = section[parent]
        section.pop(name, None)
    fields["redis"] = document.redis is not None
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()[:16]
