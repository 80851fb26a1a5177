"""The six figures that are plotted: what each is now, and the limit that it is held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Sample
from tradingbot_contract.spec import Health
from tradingbot_observer.page import words


class Limit(Struct, frozen=True):
    """Where the line is drawn, and what it is called; None: there is no line."""

    value: float | None
    label: str


class Measure(Struct, frozen=True):
    """A figure of a sample; `name` is its field."""

    name: str
    title: str
    show: Callable[[float | None], str]
    limit: Callable[[Sample, Health], Limit]


def _memory_limit(sample: Sample, _health: Health) -> Limit:
    if sample.memory_limit_bytes is None:
        return Limit(None, "no limit is known")
    return Limit(sample.memory_limit_bytes, f"limit {words.memory(sample.memory_limit_bytes)}, used {words.percent(sample.memory_percent)}")


MEASURES: Final = (
    Measure("score", "Score", words.number, lambda _, health: Limit(health.score.unhealthy, f"unhealthy below {health.score.unhealthy:g}")),
    Measure("memory_bytes", "Memory", words.memory, _memory_limit),
    Measure(
        "cpu_percent",
        "CPU",
        words.percent,
        lambda _, health: Limit(health.cpu_percent.high, f"of one core; high above {health.cpu_percent.high:g} %"),
    ),
    Measure(
        "response_p95_seconds",
        "Time to answer",
        words.seconds,
        lambda _, health: Limit(health.response_seconds.high, f"95th percentile; slow above {health.response_seconds.high:g} s"),
    ),
    Measure(
        "error_percent",
        "Failed operations",
        words.percent,
        lambda _, health: Limit(health.error_percent.high, f"of all; high above {health.error_percent.high:g} %"),
    ),
    Measure(
        "cache_hit_percent",
        "Cache hits",
        words.percent,
        lambda _, health: Limit(health.cache_hit_percent.low, f"of look-ups; cold below {health.cache_hit_percent.low:g} %"),
    ),
)
