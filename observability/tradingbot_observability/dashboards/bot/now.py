"""One glance: what the bot is now."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, number
from tradingbot_observability.dashboards.series import BOT, ONE_BOT
from tradingbot_observability.dashboards.states import PHASE_COLORS, mapped, numbered
from tradingbot_operator import bot_metrics
from tradingbot_operator.bot_status import Phase

NOW: Final = section(
    "Now",
    line(
        4,
        number(
            "Phase",
            "Where the bot is, in the operator's words. Refused and Failed wait for you; Unhealthy is being seen to.",
            "none",
            Query(numbered(ONE_BOT, bot_metrics.PHASE, "phase", Phase, "bot")),
            words=mapped(PHASE_COLORS),
        ),
        number(
            "Score",
            "Health of the worst engine, 0 to 100, as its observer sees it. Below 70 it counts as unhealthy by default.",
            "none",
            Query(f"min({BOT.of(metrics.OBSERVER_SCORE)})"),
            steps=at.SCORE,
            decimals=0,
        ),
        number(
            "Engines ready",
            "Pods that are ready, as a share of those that there should be.",
            "percentunit",
            Query(f"sum({ONE_BOT.of(bot_metrics.SHARDS, state='ready')}) / sum({ONE_BOT.of(bot_metrics.SHARDS, state='desired')})"),
            steps=((None, at.RED), (1.0, at.GREEN)),
            decimals=0,
        ),
        number(
            "Feed age",
            "Time since the last bar, where one is due.",
            "s",
            Query(f"max({BOT.of(metrics.FEED_AGE)})"),
            steps=at.FEED_AGE,
            decimals=1,
        ),
        number(
            "Equity",
            "Cash and positions at the last price, in the account's currency, over all engines of the bot.",
            "short",
            Query(f"sum({BOT.of(metrics.EQUITY)})"),
            decimals=2,
            filled=False,
        ),
        number(
            "Drawdown",
            "Loss from the highest equity, of the worst engine.",
            "percentunit",
            Query(f"max({BOT.of(metrics.DRAWDOWN)})"),
            steps=at.DRAWDOWN,
            decimals=2,
            filled=False,
        ),
        number(
            "Restarts",
            "Restarts of its engines in the time that is shown, by the operator and by the kubelet; roll-outs are not counted.",
            "none",
            Query(f"max({ONE_BOT.growth_shown(bot_metrics.RESTARTS)})"),
            steps=at.NONE_IS_BEST,
            decimals=0,
        ),
        number(
            "Budget left",
            "Steps of remediation that the operator may still take; it refills evenly. At 0 it waits, and you may have to act.",
            "none",
            Query(f"min({ONE_BOT.of(bot_metrics.BUDGET_REMAINING)})"),
            steps=at.BUDGET,
            decimals=1,
        ),
    ),
)
