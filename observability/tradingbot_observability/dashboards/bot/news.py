"""News and the models that judge it."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import BOT

NEWS: Final = section(
    "News and models; empty for a bot that reads none",
    line(
        8,
        plot(
            "News",
            "News that was told to the strategy in a second, by source.",
            "cps",
            Query(f"sum by (source) ({BOT.rate(metrics.NEWS_ITEMS)})", "{{source}}"),
        ),
        plot(
            "News that waits",
            "News that is read and not yet delivered. It may be much: a file is read ahead of the market's time.",
            "none",
            Query(f"sum by (pod) ({BOT.of(metrics.NEWS_PENDING)})", "{{pod}}"),
        ),
        plot(
            "Texts judged",
            "Texts that were judged in a second, by model, and models that could not be loaded or used.",
            "cps",
            Query(f"sum by (model) ({BOT.rate(metrics.PREDICTIONS)})", "{{model}}"),
            Query(f"sum by (model) ({BOT.rate(metrics.MODEL_FAILURES)})", "{{model}} failed", at.RED),
        ),
        plot(
            "Time of a batch of texts",
            "Time to judge one batch of texts that 95 of 100 stay below, by model.",
            "s",
            Query(BOT.quantile(0.95, metrics.PREDICTION_DURATION, "model"), "{{model}}"),
        ),
    ),
)
