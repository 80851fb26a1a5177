"""The sections of a TradingBot's spec about the pod that its engine runs in: image, memory and CPU."""

from __future__ import annotations

import enum
from typing import Annotated, Final

from msgspec import Meta, field

from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.resources import MemoryMode
from tradingbot_contract.section import Bytes, Rule, Section
from tradingbot_operator.scheduling import Placement

_MINIMUM_LIMIT: Final = "64Mi"
_CPU_PATTERN: Final = r"^([0-9]{1,4}|[0-9]{1,4}\.[0-9]{1,3}|[0-9]{1,7}m)\Z"

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


class Engine(Placement, frozen=True):
    """The pod that the engine runs in."""

    image: Annotated[
        Annotated[str, Meta(min_length=1, max_length=512, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*\Z")] | None,
        Meta(description="Image of engine and observer. Not set: the operator's own release of it."),
    ] = None
    image_pull_policy: Annotated[
        ImagePullPolicy, Meta(description="When the node pulls the image: `Always`, `IfNotPresent` or `Never`.")
    ] = ImagePullPolicy.IF_NOT_PRESENT
    resources: Annotated[Resources, Meta(description="Memory and CPU of the engine's container.")] = field(default_factory=Resources)
    memory_mode: Annotated[
        MemoryMode,
        Meta(
            description=(
                "How much memory the judging of news may take: `Full` is both models of `prediction`, `FinBERTOnly` the first, `Minimal` a "
                "lexicon, and `Auto` what the memory limit has room for. It is lowered while memory is short."
            )
        ),
    ] = MemoryMode.AUTO
