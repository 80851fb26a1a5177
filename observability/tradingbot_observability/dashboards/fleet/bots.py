"""Who is it: every bot, the worst first."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import bot_link, line, section
from tradingbot_observability.dashboards.panels import Column, comparison
from tradingbot_observability.dashboards.series import FLEET, FLEET_BOTS, by_bot
from tradingbot_operator import bot_metrics

BOTS: Final = section(
    "Worst bots",
    line(
        10,
        comparison(
            "Bots, the worst first",
            "Every bot, the lowest score first: 100 is well. No score means that the engine could not be measured. "
            "A click on the name opens the bot's own dashboard.",
            {"namespace": "Namespace", "bot": "Bot", "phase": "Phase"},
            (
                Column(
                    "Score",
                    f"max by (namespace, bot) ({by_bot(FLEET_BOTS.of(bot_metrics.HEALTH_SCORE))})",
                    "none",
                    at.SCORE,
                    0,
                    0.0,
                    100.0,
                ),
                Column("", f"max by (namespace, bot, phase) ({by_bot(FLEET_BOTS.of(bot_metrics.PHASE))})"),
                Column(
                    "Findings",
                    f"sum by (namespace, bot) ({FLEET.of(metrics.OBSERVER_FINDINGS)})",
                    "none",
                    at.NONE_IS_BEST,
                    0,
                ),
                Column(
                    "Restarts",
                    f"max by (namespace, bot) ({by_bot(FLEET_BOTS.growth_shown(bot_metrics.RESTARTS))})",
                    "none",
                    at.NONE_IS_BEST,
                    0,
                ),
                Column(
                    "Memory",
                    f"max by (namespace, bot) ({FLEET.of(metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION)})",
                    "percentunit",
                    at.MEMORY,
                    0,
                    0.0,
                    1.0,
                ),
                Column(
                    "CPU",
                    f"max by (namespace, bot) ({FLEET.of(metrics.OBSERVER_ENGINE_CPU_UTILIZATION)})",
                    "percentunit",
                    at.CPU,
                    0,
                    0.0,
                    1.0,
                ),
                Column("Feed age", f"max by (namespace, bot) ({FLEET.of(metrics.FEED_AGE)})", "s", at.FEED_AGE),
                Column(
                    "Budget left",
                    f"max by (namespace, bot) ({by_bot(FLEET_BOTS.of(bot_metrics.BUDGET_REMAINING))})",
                    "none",
                    at.BUDGET,
                    1,
                ),
                Column("Drawdown", f"max by (namespace, bot) ({FLEET.of(metrics.DRAWDOWN)})", "percentunit", at.DRAWDOWN, 1),
                Column("Equity", f"sum by (namespace, bot) ({FLEET.of(metrics.EQUITY)})", "short", decimals=2),
            ),
            links={"Bot": bot_link()},
            sort="Score",
            largest_first=False,
        ),
    ),
)
