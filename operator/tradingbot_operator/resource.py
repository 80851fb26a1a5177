"""The TradingBot as users write it: one frozen model, the one source of the CRD, its reference page and :func:`parse_bot`.

The sections that reach the pod come from :mod:`tradingbot_contract.spec`; here are those that only the operator reads. A field
that this module does not have does not exist: the API server and :func:`parse_bot` refuse it alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct, field, inspect

from tradingbot_contract.budget import estimate_sections
from tradingbot_contract.document import VERSION, SpecError
from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.resources import Cache, Http, Prediction
from tradingbot_contract.section import Rule, Section
from tradingbot_contract.spec import Broker, Health, Market, Observability, Risk, Strategy
from tradingbot_operator.compute import Engine
from tradingbot_operator.memory_rule import MEMORY_RULE
from tradingbot_operator.operations import Lifecycle, Remediation, Scaling, raises_limit
from tradingbot_operator.stores import OBJECT_NAME, Database, Redis

GROUP: Final = "tradingbot.dev"
API_VERSION: Final = "v1alpha1"
KIND: Final = "TradingBot"
PLURAL: Final = "tradingbots"

NAME_RULE: Final = Rule(
    "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",
    "metadata.name must be at most 40 lower-case letters, digits and dashes, and start with a letter: pods and Services are named after it",
)
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")


class BotHealth(Health, frozen=True):
    """What counts as healthy, and what to do when it isn't."""

    remediation: Annotated[Remediation, Meta(description="What the operator may do about a sick engine.")] = field(
        default_factory=Remediation
    )


class BotPrediction(Prediction, frozen=True):
    """What judges the sentiment of news, and where its models are."""

    volume_claim: Annotated[
        Annotated[str, Meta(min_length=1, max_length=253, pattern=OBJECT_NAME)] | None,
        Meta(description="PersistentVolumeClaim with models; it is mounted at /models, to be read only. Not set: there is none."),
    ] = None


SHARDS_NEED_DATABASE: Final = Rule(
    "self.scaling.replicas <= 1 || has(self.database.urlSecretRef)",
    "scaling.replicas is more than 1, which needs a database that the engines share: set database.urlSecretRef",
)
SHARDS_NEED_SYMBOLS: Final = Rule(
    "self.scaling.replicas <= size(self.market.symbols)",
    "scaling.replicas is more than there are market.symbols: each engine needs one at least",
)
CEILING_RULE: Final = Rule(
    "!has(self.health.remediation.memoryCeiling) || "
    "quantity(self.health.remediation.memoryCeiling).compareTo(quantity(self.engine.resources.limits.memory)) >= 0",
    "health.remediation.memoryCeiling must not be less than engine.resources.limits.memory",
)


class TradingBotSpec(Section, frozen=True):
    """What the bot shall be."""

    __rules__ = (MEMORY_RULE, SHARDS_NEED_DATABASE, SHARDS_NEED_SYMBOLS, CEILING_RULE)

    strategy: Annotated[Strategy, Meta(description="What decides when to trade.")]
    market: Annotated[Market, Meta(description="What is traded, and on which prices.")]
    broker: Annotated[Broker, Meta(description="Who fills the orders.")] = field(default_factory=Broker)
    risk: Annotated[
        Risk,
        Meta(description="What a purchase must not exceed. One that would is not sent; it is recorded as rejected, with the limit."),
    ] = field(default_factory=Risk)
    engine: Annotated[Engine, Meta(description="The pod that the engine runs in.")] = field(default_factory=Engine)
    database: Annotated[Database, Meta(description="Where the engine keeps its journal of orders and fills.")] = field(
        default_factory=Database
    )
    redis: Annotated[Redis | None, Meta(description="A Redis as a second level of the caches. Not set: there is none.")] = None
    http: Annotated[Http, Meta(description="The session through which the engine speaks HTTP.")] = field(default_factory=Http)
    cache: Annotated[Cache, Meta(description="The engine's caches.")] = field(default_factory=Cache)
    prediction: Annotated[BotPrediction, Meta(description="What judges the sentiment of news.")] = field(default_factory=BotPrediction)
    health: Annotated[BotHealth, Meta(description="What counts as healthy, and what to do when it isn't.")] = field(
        default_factory=BotHealth
    )
    observability: Annotated[
        Observability, Meta(description="How often the observer measures, and where else the engine's metrics go.")
    ] = field(default_factory=Observability)

    scaling: Annotated[Scaling, Meta(description="How many engines share the symbols.")] = field(default_factory=Scaling)
    lifecycle: Annotated[
        Lifecycle, Meta(description="Whether the bot trades, and what happens to its positions when it is changed or deleted.")
    ] = field(default_factory=Lifecycle)

    def __post_init__(self) -> None:
        if self.scaling.replicas > 1 and self.database.url_secret_ref is None:
            raise ValueError(SHARDS_NEED_DATABASE.message)
        if self.scaling.replicas > len(self.market.symbols):
            raise ValueError(SHARDS_NEED_SYMBOLS.message)
        if not raises_limit(self.health.remediation.memory_ceiling, self.engine.resources.limits.memory):
            raise ValueError(CEILING_RULE.message)
        budget = estimate_sections(
            pool=self.database.pool,
            redis=self.redis.pool if self.redis else None,
            cache=self.cache,
            prediction=self.prediction,
            memory_mode=self.engine.memory_mode,
        )
        objection = budget.objection(parse_bytes(self.engine.resources.limits.memory))
        if objection:
            raise ValueError(objection)


class Metadata(Struct, frozen=True, rename="camel"):
    """The part of an object's metadata that the operator reads."""

    name: str
    namespace: str = "default"
    uid: str = ""
    """Empty for a manifest that no API server has seen."""
    generation: int = 0
    deletion_timestamp: str | None = None
    creation_timestamp: str | None = None
    annotations: dict[str, str] = {}
    finalizers: list[str] = []


class TradingBot(Struct, frozen=True):
    """A bot: which one, and what it shall be."""

    metadata: Metadata
    spec: TradingBotSpec


_LOCATION: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)


def parse_bot(body: Mapping[str, Any]) -> TradingBot:
    """Return the typed bot that a manifest, or an object of the API server, describes.

    Raises:
        SpecError: it is no TradingBot of this version, or a field is unknown, missing or out of bounds; the message begins with its path.
    """
    for key, wanted in (("apiVersion", VERSION), ("kind", KIND)):
        if key not in body:
            raise SpecError(f"{key} is missing: it must be {wanted}")
    if body.get("kind") != KIND or body.get("apiVersion") != VERSION:
        raise SpecError(f"this is a {body.get('kind')} of {body.get('apiVersion')}: a {KIND} of {VERSION} is needed")
    metadata = _convert(body.get("metadata"), Metadata, "metadata")
    if not _NAME.fullmatch(metadata.name):
        raise SpecError(NAME_RULE.message)
    return TradingBot(metadata=metadata, spec=_convert(body.get("spec"), TradingBotSpec, "spec"))


_T = TypeVar("_T")


def _convert(value: Any, kind: type[_T], root: str) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _LOCATION.match(str(error))
        assert found is not None
        path = f"{root}.{found['path']}" if found["path"] else root
        hint = " (write On and Off in quotes: YAML reads them as booleans)" if "got `bool`" in found["what"] else ""
        allowed = _allowed_values(kind, found["path"] or "") if found["what"].startswith("Invalid enum value") else ()
        choice = f": give one of {', '.join(allowed)}" if allowed else ""
        raise SpecError(f"{path}: {found['what']}{choice}{hint}") from error


def _allowed_values(kind: type, path: str) -> tuple[str, ...]:
    """Return the values of the enumeration at a path of a model; none where the path leads elsewhere."""
    at: inspect.Type = inspect.type_info(kind)
    for name in re.findall(r"[^.\[\]]+|\[[^]]*\]", path):
        fields = {each.encode_name: each.type for part in _parts(at) if isinstance(part, inspect.StructType) for each in part.fields}
        items = [part.item_type for part in _parts(at) if isinstance(part, inspect.ListType)]
        if name in fields:
            at = fields[name]
        elif name.startswith("[") and items:
            at = items[0]
        else:
            return ()
    return tuple(str(each.value) for part in _parts(at) if isinstance(part, inspect.EnumType) for each in part.cls)


def _parts(at: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return what a type may be: itself, or the members of a union, without what is only written beside them."""
    if isinstance(at, inspect.Metadata):
        return _parts(at.type)
    return tuple(part for each in at.types for part in _parts(each)) if isinstance(at, inspect.UnionType) else (at,)
