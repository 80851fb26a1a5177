"""What the operator does about it, whether that helps, and what holds it back."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, ranking
from tradingbot_observability.dashboards.series import FLEET, FLEET_BOTS, OPERATOR, OPERATORS, WORST, by_bot
from tradingbot_operator import bot_metrics

REMEDIATION: Final = section(
    "What the operator does about it",
    line(
        8,
        plot(
            "Decisions",
            "Steps that the operator decided, by what it does and why; also those of a dry run.",
            "none",
            Query(f"sum by (action, reason) ({OPERATORS.growth(OPERATOR.decisions)}) > 0", "{{action}}: {{reason}}"),
            bars=True,
        ),
        plot(
            "What became of them",
            "Whether a step helped, known before the next one is taken. Steps that don't help lead to quarantine.",
            "none",
            Query(f"sum by (action, result) ({OPERATORS.growth(OPERATOR.results)}) > 0", "{{action}}: {{result}}"),
            bars=True,
        ),
        plot(
            "Held back by reason",
            "Bots whose next step waits, by what holds it back.",
            "none",
            Query(f"sum by (reason) ({FLEET_BOTS.of(bot_metrics.HELD)})", "{{reason}}"),
            stacked=True,
            stepped=True,
        ),
        ranking(
            "Lowest budgets",
            "Steps of remediation that a bot has left; the budget refills evenly. At 0 nothing more is done until it has refilled.",
            "none",
            Query(
                f"bottomk({WORST}, max by (namespace, bot) ({by_bot(FLEET_BOTS.of(bot_metrics.BUDGET_REMAINING))}))",
                "{{namespace}}/{{bot}}",
            ),
            steps=at.BUDGET,
            high=float(at.BUDGET_FULL),
            decimals=1,
        ),
    ),
    line(
        8,
        plot(
            "Findings by reason",
            "What observers see wrong now, over all bots. One reason that rises for many bots at once has one cause.",
            "none",
            Query(f"sum by (reason) ({FLEET.of(metrics.OBSERVER_FINDINGS)}) > 0", "{{reason}}"),
            stacked=True,
            stepped=True,
        ),
        plot(
            "Restarts by reason",
            "Pods of engines that the operator replaced, and why. SpecChanged is a roll-out, the others are repairs.",
            "none",
            Query(f"sum by (reason) ({OPERATORS.growth(OPERATOR.restarts)}) > 0", "{{reason}}"),
            bars=True,
        ),
    ),
)
