"""How many steps may still be taken: a token bucket whose level stands in the status.

It holds `maxActions` and refills evenly within `perSeconds`, so that no window of that length sees more than twice `maxActions`, and in
the long run no more than `maxActions`. Time counts in whole seconds, because that is what the status can hold: what is read back is
what was written.
"""

from __future__ import annotations

import math
from typing import Final

from tradingbot_operator.bot_status import Budget
from tradingbot_operator.operations import Remediation
from tradingbot_operator.timestamp import format_time, parse_time

_PRECISION: Final = 1000.0
"""The level is kept in thousandths, rounded down: a budget may lose by that and never gain."""


def current_level(budget: Budget | None, rules: Remediation, now: float) -> float:
    """Return how many steps the budget holds now; one that was never drawn on is full."""
    if budget is None or not budget.as_of:
        return float(rules.max_actions)
    # A clock that was set back refills nothing.
    elapsed_seconds = max(0.0, math.floor(now) - parse_time(budget.as_of))
    return min(float(rules.max_actions), budget.level + elapsed_seconds * rules.max_actions / rules.per_seconds)


def seconds_until_step(budget: Budget | None, rules: Remediation, now: float) -> float:
    """Return how long it takes until there is a whole step; 0 when there is one."""
    missing = 1.0 - current_level(budget, rules, now)
    return 0.0 if missing <= 0.0 else max(1.0, math.ceil(missing * rules.per_seconds / rules.max_actions))


def draw(budget: Budget | None, rules: Remediation, now: float) -> Budget:
    """Return the budget after one more step; the caller has seen that there is one."""
    return _written(current_level(budget, rules, now) - 1.0, budget, rules, now)


def carry_on(budget: Budget | None, rules: Remediation, now: float) -> Budget:
    """Return the budget when no step is taken: the one before, unless the rules are others now."""
    if budget is None or not budget.as_of:
        full = rules.max_actions
        return Budget(max_actions=full, per_seconds=rules.per_seconds, remaining=full, level=float(full))
    if (budget.max_actions, budget.per_seconds) == (rules.max_actions, rules.per_seconds):
        return budget
    earlier = Remediation(max_actions=budget.max_actions, per_seconds=budget.per_seconds) if budget.per_seconds else rules
    return _written(min(current_level(budget, earlier, now), float(rules.max_actions)), budget, rules, now)


def _written(level: float, before: Budget | None, rules: Remediation, now: float) -> Budget:
    level = math.floor(level * _PRECISION) / _PRECISION
    # Never earlier than before: time that a clock is set back must not refill twice.
    as_of = max(now, parse_time(before.as_of)) if before and before.as_of else now
    return Budget(max_actions=rules.max_actions, per_seconds=rules.per_seconds, remaining=int(level), level=level, as_of=format_time(as_of))
