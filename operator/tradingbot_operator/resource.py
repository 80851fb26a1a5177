"""The TradingBot as users write it: one frozen model, the one source of the CRD, its reference page and :func:`parse_bot`.

The sections that reach the pod come from :mod:`tradingbot_contract.spec`; here are those that only the operator reads. A field
that this module does not have does not exist: the API server and :func:`parse_bot` refuse it alike.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from tradingbot_contract.document import VERSION, SpecError
from tradingbot_contract.quantity import PATTERN, parse_bytes
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.section import Rule, Section
from tradingbot_contract.spec import Broker, Health, Market, Observability, Risk, Strategy

GROUP: Final = "tradingbot.dev"
API_VERSION: Final = "v1alpha1"
KIND: Final = "TradingBot"
PLURAL: Final = "tradingbots"

NAME_RULE: Final = Rule(
    "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",
    "metadata.name must be at most 40 lower-case letters, digits and dashes, and start with a letter: pods and Services are named after it",
)
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")

_MINIMUM_LIMIT: Final = "64Mi"
_CPU_PATTERN: Final = r"^([0-9]{1,4}|[0-9]{1,4}\.[0-9]{1,3}|[0-9]{1,7}m)$"

Bytes = Annotated[str, Meta(min_length=1, max_length=20, pattern=PATTERN)]
Cores = Annotated[str, Meta(min_length=1, max_length=10, pattern=_CPU_PATTERN)]


def parse_cores(text: str) -> float:
    """Return the cores that a quantity such as ``100m``, ``2`` or ``0.5`` stands for."""
    return float(text[:-1]) / 1000.0 if text.endswith("m") else float(text)


class ImagePullPolicy(enum.Enum):
    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class Requests(Section, frozen=True):
    """What the scheduler keeps free for the engine."""

    memory: Annotated[Bytes, Meta(description="Memory that is reserved for the engine, for example 256Mi.")] = "256Mi"
    cpu: Annotated[Cores, Meta(description="CPU that is reserved for the engine, in cores: 100m is a tenth of one.")] = "100m"


class ResourceLimits(Section, frozen=True):
    """What the engine can't go beyond."""

    __rules__ = (
        Rule(
            f"quantity(self.memory).compareTo(quantity('{_MINIMUM_LIMIT}')) >= 0",
            f"memory must be at least {_MINIMUM_LIMIT}: the engine does not start with less",
        ),
    )

    memory: Annotated[Bytes, Meta(description="Memory beyond which the kernel ends the engine (OOMKilled).")] = "512Mi"
    cpu: Annotated[
        Cores | None,
        Meta(description="CPU that the engine can't exceed, in cores. Not set: no limit, because a throttled engine trades late."),
    ] = None

    def __post_init__(self) -> None:
        if parse_bytes(self.memory) < parse_bytes(_MINIMUM_LIMIT):
            raise ValueError(self.__rules__[0].message)


class Resources(Section, frozen=True):
    """Memory and CPU of the engine's container. The observer beside it has its own, small and fixed."""

    __rules__ = (
        Rule(
            "quantity(self.requests.memory).compareTo(quantity(self.limits.memory)) <= 0",
            "requests.memory must not be more than limits.memory",
        ),
        Rule(
            "!has(self.limits.cpu) || quantity(self.requests.cpu).compareTo(quantity(self.limits.cpu)) <= 0",
            "requests.cpu must not be more than limits.cpu",
        ),
    )

    requests: Annotated[Requests, Meta(description="What is reserved for the engine.")] = field(default_factory=Requests)
    limits: Annotated[ResourceLimits, Meta(description="What the engine can't go beyond.")] = field(default_factory=ResourceLimits)

    def __post_init__(self) -> None:
        if parse_bytes(self.requests.memory) > parse_bytes(self.limits.memory):
            raise ValueError(self.__rules__[0].message)
        if self.limits.cpu is not None and parse_cores(self.requests.cpu) > parse_cores(self.limits.cpu):
            raise ValueError(self.__rules__[1].message)


class Engine(Section, frozen=True):
    """The pod that the engine runs in."""

    image: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")] | None,
        Meta(description="Image of engine and observer. Not set: the operator's own release of it."),
    ] = None
    image_pull_policy: Annotated[
        ImagePullPolicy, Meta(description="When the node pulls the image: `Always`, `IfNotPresent` or `Never`.")
    ] = ImagePullPolicy.IF_NOT_PRESENT
    resources: Annotated[Resources, Meta(description="Memory and CPU of the engine's container.")] = field(default_factory=Resources)
    node_selector: Annotated[
        dict[str, Annotated[str, Meta(max_length=63)]],
        Meta(description="Labels that a node must have to run the pod.", max_length=16),
    ] = field(default_factory=dict)


class Storage(Section, frozen=True):
    """The bot's own volume, which holds its journal."""

    __rules__ = (
        Rule("quantity(self.size).compareTo(quantity(oldSelf.size)) >= 0", "size can grow and not shrink: a volume can't give space back"),
        Rule(
            "has(self.className) == has(oldSelf.className) && (!has(self.className) || self.className == oldSelf.className)",
            "className is immutable: delete the bot and create it anew",
        ),
    )

    size: Annotated[Bytes, Meta(description="Size of the volume. It can grow later where the storage class allows that.")] = "1Gi"
    class_name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")] | None,
        Meta(description="Storage class of the volume. Not set: the cluster's default."),
    ] = None


class Database(Section, frozen=True):
    """Where the engine keeps its journal of orders and fills: a SQLite file on a volume of its own."""

    storage: Annotated[Storage, Meta(description="The bot's own volume.")] = field(default_factory=Storage)
    pool: Annotated[Pool, Meta(description="The engine's pool of database connections.")] = field(default_factory=Pool)


class RemediationMode(enum.Enum):
    OFF = "Off"
    DRY_RUN = "DryRun"
    ON = "On"


class Remediation(Section, frozen=True):
    """What the operator may do about a sick engine, and how often. The kubelet's own restarts do not count."""

    mode: Annotated[
        RemediationMode,
        Meta(
            description=(
                '`"On"`: the operator recreates the pod of an engine that hangs or that the kubelet no longer restarts in time. `DryRun`: '
                'it only says so. `"Off"`: it does nothing. Write On and Off in quotes, because YAML reads them as booleans.'
            )
        ),
    ] = RemediationMode.ON
    max_actions: Annotated[int, Meta(description="Restarts that the operator may make within `perSeconds`.", ge=1, le=10)] = 3
    per_seconds: Annotated[int, Meta(description="Length of the period that `maxActions` is for.", ge=60, le=86_400)] = 3600


class BotHealth(Health, frozen=True):
    """What counts as healthy, and what to do when it isn't."""

    remediation: Annotated[Remediation, Meta(description="What the operator may do about a sick engine.")] = field(
        default_factory=Remediation
    )


class TradingBotSpec(Section, frozen=True):
    """What the bot shall be."""

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
    cache: Annotated[Cache, Meta(description="The engine's cache of computed views.")] = field(default_factory=Cache)
    health: Annotated[BotHealth, Meta(description="What counts as healthy, and what to do when it isn't.")] = field(
        default_factory=BotHealth
    )
    observability: Annotated[Observability, Meta(description="How often the observer measures.")] = field(default_factory=Observability)


class Metadata(Struct, frozen=True, rename="camel"):
    """The part of an object's metadata that the operator reads."""

    name: str
    namespace: str = "default"
    uid: str = ""
    """Empty for a manifest that no API server has seen."""
    generation: int = 0
    deletion_timestamp: str | None = None


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
        raise SpecError(f"{path}: {found['what']}{hint}") from error
