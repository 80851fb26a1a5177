"""What of one bot is worth a series of its own: the part of a pass's result that dashboards and alerts plot.

A bot without a pod has nobody else to speak for it, so this is taken from what the operator decided, and not from what an engine says.
Times and levels are kept, not ages: what is due to the clock is worked out when somebody looks.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from tradingbot_operator.bot_status import Budget, TradingBotStatus
from tradingbot_operator.operations import Remediation
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.budget import current_level
from tradingbot_operator.timestamp import parse_time


class ConditionFigure(NamedTuple):
    """One condition as it is now."""

    kind: str
    status: str
    reason: str


class DecisionFigure(NamedTuple):
    """When a step was last decided for a reason."""

    action: str
    reason: str
    at_seconds: float


class BotFigures(Struct, frozen=True, kw_only=True):
    """One bot, as its last pass left it."""

    phase: str
    """Empty for a bot that has none yet."""
    lifecycle: str
    """What the resource asks for: Running, Paused or Stopped; empty for one that can't be read."""
    conditions: tuple[ConditionFigure, ...]
    health_score: float | None
    """0 to 100; None: it is not known."""
    shards_desired: int | None
    """Pods that there should be; None for a resource that can't be read."""
    shards_ready: int
    shards_quarantined: int
    restarts: int
    budget: Budget | None
    """Steps that are left, as of a moment."""
    held: tuple[str, ...]
    """Why steps that are due are held back, each reason once."""
    decisions: tuple[DecisionFigure, ...]


def build_figures(
    status: TradingBotStatus, *, lifecycle: str = "", shards_desired: int | None = None, held: tuple[Reason, ...] = ()
) -> BotFigures:
    """Return what is shown of a bot, from the status that a pass has made, written or not."""
    last = {(decision.action, decision.reason): decision.time for decision in status.remediation.history}
    return BotFigures(
        phase=status.phase.value if status.phase else "",
        lifecycle=lifecycle,
        conditions=tuple(ConditionFigure(each.type, each.status.value, each.reason) for each in status.conditions),
        health_score=status.health.score,
        shards_desired=shards_desired,
        shards_ready=sum(shard.ready for shard in status.shards),
        shards_quarantined=sum(shard.quarantine is not None for shard in status.shards),
        restarts=status.restarts,
        budget=status.remediation.budget,
        held=tuple(sorted({reason.value for reason in held})),
        decisions=tuple(DecisionFigure(action, reason, parse_time(at)) for (action, reason), at in last.items()),
    )


def budget_left(budget: Budget, now: float) -> float:
    """Return how many steps a budget holds now; it refills evenly, so this is not a whole number."""
    return current_level(budget, Remediation(max_actions=budget.max_actions, per_seconds=budget.per_seconds), now)
