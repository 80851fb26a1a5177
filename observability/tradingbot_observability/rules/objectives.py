"""What a bot promises, and how that is measured: of all that counted, the share that was bad.

What counts is events where there are any (an operation, an order), and else an engine's minutes. What is not known counts neither as good
nor as bad, and a share of less than :data:`LEAST_COUNTED` says nothing. docs/explanation/objectives.md has the reasons.

Two series carry all objectives, with the objective as a label: what counted in a minute, and what of it was bad. The shares over longer
windows are sums of these, which costs one sample a minute instead of all that was scraped.
"""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct

from tradingbot_observability.rules.bots import ENGINES_EXPECTED, ENGINES_SEEN, ENGINES_TRADING, PHASE, UNLESS_IDLE, any_of
from tradingbot_observability.rules.rule import Group, RecordingRule
from tradingbot_observability.rules.series import (
    CACHE_HIT_RATIO,
    CPU_UTILIZATION,
    ERRORS,
    MEMORY_UTILIZATION,
    OPERATIONS,
    ORDER_DURATION,
)
from tradingbot_operator.bot_status import Phase

ALL: Final = "namespace_bot_objective:tradingbot_objective_all:sum"
BAD: Final = "namespace_bot_objective:tradingbot_objective_bad:sum"
BUDGET: Final = "objective:tradingbot_objective_budget:ratio"
LEAST_COUNTED: Final = 20
"""Events or minutes: fewer have no 95th percentile."""
MINUTE_SECONDS: Final = 60

_PHASES_WITHOUT_ENGINE: Final = (Phase.PENDING, Phase.STARTING, Phase.FAILED, Phase.QUARANTINED)
"""In these the operator knows by itself that an engine is missing: that nobody observes it is no gap in what is known."""


class Nature(enum.Enum):
    """What it means when an objective is missed."""

    FELT = "felt"
    """Trading suffers."""
    STRAIN = "strain"
    """Trading may come to suffer."""


class Objective(Struct, frozen=True, kw_only=True):
    """One promise."""

    name: str
    """Value of the label `objective`."""
    title: str
    alert: str
    target: str
    """For people."""
    budget: float
    """Share that may be bad."""
    nature: Nature
    counted: str
    """Expression by namespace and bot: what counted in a minute."""
    bad: str
    """Expression by namespace and bot: what of it was bad."""
    is_bad: str
    """What a bad event or minute is, for people."""


def _minutes(series: str, condition: str) -> tuple[str, str]:
    """Return what counts and what is bad of a figure that every engine's observer has."""
    return (
        f"count by (namespace, bot) ({series}) {UNLESS_IDLE}",
        f"sum by (namespace, bot) ({series} {condition}) {UNLESS_IDLE}",
    )


def _per_minute(series: str, selector: str = "") -> str:
    return f"{MINUTE_SECONDS} * sum by (namespace, bot) (rate({series}{selector}[2m]))"


_MEMORY: Final = _minutes(MEMORY_UTILIZATION, "> bool 0.7")
_CPU: Final = _minutes(CPU_UTILIZATION, "> bool 0.6")
_CACHE: Final = _minutes(CACHE_HIT_RATIO, "< bool 0.8")

AVAILABILITY: Final = Objective(
    name="availability",
    title="availability",
    alert="TradingBotAvailabilityBudgetBurn",
    target="99.5 % of the time in which it should trade",
    budget=0.005,
    nature=Nature.FELT,
    counted=f"""
    {ENGINES_EXPECTED}
    and on (namespace, bot) (
      {ENGINES_SEEN} >= on (namespace, bot) {ENGINES_EXPECTED}
      or {PHASE}{{phase=~"{any_of(_PHASES_WITHOUT_ENGINE)}"}}
    )
    """,
    bad=f"""
    clamp_min(
      sum by (namespace, bot) ({ALL}{{objective="availability"}})
      - on (namespace, bot) ({ENGINES_TRADING} or on (namespace, bot) 0 * {ENGINES_EXPECTED}),
      0
    )
    and on (namespace, bot) {ENGINES_EXPECTED}
    """,
    is_bad="an engine was not there, or did not answer, or was fenced",
)
ERROR: Final = Objective(
    name="errors",
    title="error",
    alert="TradingBotErrorBudgetBurn",
    target="99 % of its operations succeed",
    budget=0.01,
    nature=Nature.FELT,
    counted=f"{_per_minute(OPERATIONS)} {UNLESS_IDLE}",
    bad=f"({_per_minute(ERRORS)} or on (namespace, bot) 0 * sum by (namespace, bot) ({OPERATIONS})) {UNLESS_IDLE}",
    is_bad="operations (bars read, hooks of the strategy, orders, transactions) failed",
)
LATENCY: Final = Objective(
    name="latency",
    title="latency",
    alert="TradingBotLatencyBudgetBurn",
    target="95 % of its orders are durable within 1 s",
    budget=0.05,
    nature=Nature.FELT,
    counted=f"{_per_minute(f'{ORDER_DURATION}_count')} {UNLESS_IDLE}",
    bad=f"""
    clamp_min(
      {_per_minute(f"{ORDER_DURATION}_count")}
      - on (namespace, bot)
      {_per_minute(f"{ORDER_DURATION}_bucket", '{le=~"1|1.0"}')},
      0
    ) {UNLESS_IDLE}
    """,
    is_bad="orders took longer than 1 s from the first of their group to the commit that makes them durable",
)
MEMORY: Final = Objective(
    name="memory",
    title="memory",
    alert="TradingBotMemoryBudgetBurn",
    target="below 70 % of the memory limit for 95 % of the time",
    budget=0.05,
    nature=Nature.STRAIN,
    counted=_MEMORY[0],
    bad=_MEMORY[1],
    is_bad="the engine needed more than 70 % of its memory limit",
)
CPU: Final = Objective(
    name="cpu",
    title="CPU",
    alert="TradingBotCPUBudgetBurn",
    target="below 60 % of a core for 95 % of the time",
    budget=0.05,
    nature=Nature.STRAIN,
    counted=_CPU[0],
    bad=_CPU[1],
    is_bad="the engine needed more than 60 % of a core",
)
CACHE_HITS: Final = Objective(
    name="cache-hits",
    title="cache hit",
    alert="TradingBotCacheHitBudgetBurn",
    target="above 80 % hits for 95 % of the time",
    budget=0.05,
    nature=Nature.STRAIN,
    counted=_CACHE[0],
    bad=_CACHE[1],
    is_bad="fewer than 80 % of the look-ups in its caches were hits",
)

OBJECTIVES: Final = (AVAILABILITY, ERROR, LATENCY, MEMORY, CPU, CACHE_HITS)


def _measure(objective: Objective) -> tuple[RecordingRule, ...]:
    labels = {"objective": objective.name}
    return (
        RecordingRule(ALL, objective.counted, labels),
        RecordingRule(BAD, objective.bad, labels),
        RecordingRule(BUDGET, f"vector({objective.budget:g})", labels),
    )


MEASURES: Final = Group("tradingbot-objectives", MINUTE_SECONDS, tuple(rule for each in OBJECTIVES for rule in _measure(each)))
"""Must be evaluated each minute: a sum over its samples is a number of events or minutes."""
