"""What bots promise, and how fast what may be bad of it is used up."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Column, Query, comparison, plot
from tradingbot_observability.rules.objectives import BUDGET
from tradingbot_observability.rules.shares import QUICK_WINDOWS, SLOW_WINDOWS, fleet_share

_BURN_FAST: Final = 14.4
_BURN: Final = ((None, at.GREEN), (1.0, at.YELLOW), (_BURN_FAST, at.RED))


def _burn(window: str) -> str:
    """Return how many times as fast as it may the budget of each objective is spent."""
    return f"max by (objective) ({fleet_share(window)}) / max by (objective) ({BUDGET})"


OBJECTIVES: Final = section(
    "What bots promise",
    line(
        9,
        comparison(
            "How fast budgets are spent",
            "For each objective what was bad, as multiples of what may be bad, over windows from five minutes to three days, all bots "
            "together. At 1 a budget is spent exactly when it is over; at 14.4 it is gone in two days, and an alert is critical. A window "
            "is empty until it has twenty minutes that count.",
            {"objective": "Objective"},
            tuple(Column(each.name, _burn(each.name), "none", _BURN, 1) for each in (*QUICK_WINDOWS, *SLOW_WINDOWS)),
            sort=QUICK_WINDOWS[-1].name,
            largest_first=True,
        ),
        plot(
            "Spending of budgets over an hour",
            "The same over time, for windows of an hour. The lines are 1, and 14.4 where an alert is critical.",
            "none",
            Query(_burn("1h"), "{{objective}}"),
            steps=(at.LINE, *_BURN[1:]),
        ),
    ),
)
