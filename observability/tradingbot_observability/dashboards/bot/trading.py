"""Money, orders and positions."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import BOT

TRADING: Final = section(
    "Trading",
    line(
        8,
        plot(
            "Equity",
            "Cash and positions at the last price. It goes on where it was after a restart; a step is a trade or a gap in prices.",
            "short",
            Query(f"sum by (currency) ({BOT.of(metrics.EQUITY)})", "{{currency}}", at.GREEN),
            low=None,
        ),
        plot(
            "Drawdown",
            "Loss from the highest equity of each engine.",
            "percentunit",
            Query(f"max by (pod) ({BOT.of(metrics.DRAWDOWN)})", "{{pod}}", at.RED),
            soft_high=0.05,
        ),
        plot(
            "Orders and fills",
            "Changes of orders by side and status, and fills, in a second. Rejected ones were held back by a limit of the spec.",
            "cps",
            Query(f"sum by (side, status) ({BOT.rate(metrics.ORDERS)})", "{{side}} {{status}}"),
            Query(f"sum by (side) ({BOT.rate(metrics.FILLS)})", "{{side}} fills", dashed=True),
        ),
    ),
    line(
        8,
        plot(
            "Positions and open orders",
            "Symbols with a position, orders that wait for their fill, and orders of which nobody knows what became of them: "
            "the last must be 0.",
            "none",
            Query(f"sum({BOT.of(metrics.POSITIONS_OPEN)})", "positions"),
            Query(f"sum({BOT.of(metrics.ORDERS_OPEN)})", "open orders"),
            Query(f"sum({BOT.of(metrics.OBSERVER_ENGINE_ORDERS_UNKNOWN)})", "unknown orders", at.RED),
            stepped=True,
        ),
        plot(
            "Held back by risk limits",
            "Orders that a limit of the spec's section risk has held back, in a second.",
            "cps",
            Query(f"sum by (limit) ({BOT.rate(metrics.RISK_REJECTIONS)})", "{{limit}}"),
        ),
        plot(
            "Bars",
            "Bars that were processed in a second, by symbol. 0 while one is due is a stale feed.",
            "cps",
            Query(f"sum by (symbol) ({BOT.rate(metrics.BARS)})", "{{symbol}}"),
        ),
    ),
)
