"""What it costs: equity, drawdowns, orders."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import FLEET, worst

MONEY: Final = section(
    "Money",
    line(
        8,
        plot(
            "Equity by currency",
            "Cash and positions at the last price, summed over all bots of a currency. A bot that is restarting is missing "
            "from the sum for some seconds.",
            "short",
            Query(f"sum by (currency) ({FLEET.of(metrics.EQUITY)})", "{{currency}}"),
            low=None,
        ),
        plot(
            "Largest drawdowns",
            "Loss from the highest equity, of the bots that have lost most.",
            "percentunit",
            Query(worst(FLEET.of(metrics.DRAWDOWN)), "{{namespace}}/{{bot}}"),
            soft_high=0.1,
        ),
        plot(
            "Orders and fills",
            "Orders that were sent, fills, and orders that ended otherwise, of all bots, in a second.",
            "cps",
            Query(f"sum by (status) ({FLEET.rate(metrics.ORDERS)})", "{{status}}"),
            Query(f"sum({FLEET.rate(metrics.FILLS)})", "fills"),
        ),
    ),
)
