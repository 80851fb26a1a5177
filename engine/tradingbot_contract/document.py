"""The engine's document: all of a bot's spec that its pod may know, as the file ``config.yaml``.

The operator (or ``tradingbot run``) writes it, the engine and the observer read it. It is taken whole or refused whole. It
carries the generation of the resource that it was made from, which the engine reports back. It never carries a secret.

The *restart hash* covers what the engine reads only when it starts. The observer takes the rest (``health``,
``observability``) from the changed file while the pod runs.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tradingbot_contract.spec import Broker, Cache, Health, Market, Observability, Pool, Risk, Section, Strategy

VERSION: Final = "tradingbot.dev/v1alpha1"


class SpecError(ValueError):
    """What the user wrote can't be run as it stands; the message names the field and says what to do."""


class BotIdentity(Section, frozen=True):
    """Which bot, and which of its shards, the document is for."""

    namespace: str
    name: str
    uid: str
    shard: Annotated[int, Meta(ge=0)] = 0


class DatabaseAccess(Section, frozen=True):
    """How the engine reaches its database: for now its own SQLite file, through this pool."""

    pool: Pool


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


_LIVE_FIELDS: Final = frozenset({"generation", "health", "observability"})


def parse_document(text: str | bytes) -> EngineDocument:
    """Return the document that a ``config.yaml`` holds.

    Raises:
        SpecError: no YAML, an unknown or missing field, a value out of bounds, or a document of another version.
    """
    try:
        document = msgspec.yaml.decode(text, type=EngineDocument)
    except msgspec.DecodeError as error:  # ValidationError is one, too
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
    fields = {key: value for key, value in msgspec.to_builtins(document).items() if key not in _LIVE_FIELDS}
    return hashlib.sha256(msgspec.json.encode(fields, order="deterministic")).hexdigest()[:16]
