"""Round trips: how they are distributed, by symbol, and one by one; and the newest orders."""

from __future__ import annotations

import math
from typing import Final

from tradingbot_cli.books.orders_table import amount, price
from tradingbot_cli.books.statistics_table import NOT_DEFINED, duration, share
from tradingbot_cli.figures import market_date
from tradingbot_cli.report.charts import draw_histogram
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.tables import Cell, render_section, render_table
from tradingbot_contract.books import OrderRow
from tradingbot_engine.statistics.round_trips import RoundTrip
from tradingbot_observer.page.markup import Markup, element, join

MOST_TRIPS: Final = 200
MOST_ORDERS: Final = 50
_HISTOGRAM_HEIGHT: Final = 190
_STATUS_CSS: Final = {"filled": "good", "rejected": "bad", "canceled": "doubtful"}


def render_trades(facts: ReportFacts) -> Markup:
    """Return how the round trips went; words, where there are none."""
    trips = facts.ledger.closed
    if not trips:
        return render_section("Round trips", element("p", "No position has been opened and closed yet.", class_="soft"))
    shares = [trip.profit_share * 100.0 for trip in trips if trip.profit_share is not None]
    title = f"Distribution of the profit of {len(trips)} round trips, in percent of what was invested"
    histogram = draw_histogram(shares, title=title, height=_HISTOGRAM_HEIGHT, suffix=" %")
    newest = trips[: -MOST_TRIPS - 1 : -1]
    table = render_table(
        ("Closed", "Symbol", "Held", "Amount", "Entry", "Exit", "Fees", "Profit", "Profit %"),
        [_trip(trip) for trip in newest],
        numbers=(2, 3, 4, 5, 6, 7, 8),
    )
    note = f"the newest {MOST_TRIPS:,} of {len(trips):,}" if len(trips) > MOST_TRIPS else f"{len(trips):,}"
    if facts.laps > 1:
        note += "; the prices have begun anew, and dates go on beyond them"
    return join(
        element(
            "div",
            render_section("Profit of a round trip", histogram, note="how many, by percent of what was invested"),
            render_section("By symbol", _by_symbol(facts)),
            class_="pair",
        ),
        render_section("Round trips", table, note=note, css="long"),
    )


def render_orders(facts: ReportFacts) -> Markup:
    """Return the newest orders."""
    if not facts.orders:
        return Markup("")
    shown = facts.orders[:MOST_ORDERS]
    table = render_table(
        ("Time", "Symbol", "Side", "Amount", "Price", "Fee", "Status", "Reason"), [_order(order) for order in shown], numbers=(3, 4, 5)
    )
    rejected = f", {facts.rejected_orders:,} rejected" if facts.rejected_orders else ""
    return render_section("Orders", table, note=f"the newest {len(shown):,} of {facts.orders_total:,}{rejected}", css="long")


def _by_symbol(facts: ReportFacts) -> Markup:
    held = {position.symbol: position.amount for position in facts.ledger.open}
    symbols = sorted({trip.symbol for trip in facts.ledger.closed} | set(held))
    rows = []
    for symbol in symbols:
        trips = [trip for trip in facts.ledger.closed if trip.symbol == symbol]
        profit = math.fsum(trip.profit for trip in trips)
        won = sum(trip.profit > 0 for trip in trips)
        rows.append(
            [
                Cell(symbol),
                Cell(f"{len(trips):,}"),
                Cell(share(won / len(trips), digits=0) if trips else NOT_DEFINED),
                Cell(f"{profit:+,.2f}", _sign(profit)),
                Cell(amount(held[symbol]) if symbol in held else "none"),
            ]
        )
    return render_table(("Symbol", "Round trips", "Won", "Profit", "Held now"), rows, numbers=(1, 2, 3, 4))


def _trip(trip: RoundTrip) -> list[Cell]:
    return [
        Cell(market_date(trip.closed_at)),
        Cell(trip.symbol if trip.long else f"{trip.symbol} (short)"),
        Cell(duration(trip.seconds)),
        Cell(amount(trip.amount)),
        Cell(price(trip.entry)),
        Cell(price(trip.exit)),
        Cell(f"{trip.fees:,.2f}"),
        Cell(f"{trip.profit:+,.2f}", _sign(trip.profit)),
        Cell(share(trip.profit_share, sign=True), _sign(trip.profit)),
    ]


def _order(order: OrderRow) -> list[Cell]:
    executed = order.average
    return [
        Cell(market_date(order.time)),
        Cell(order.symbol, title=order.client_order_id),
        Cell(order.side),
        Cell(amount(order.amount)),
        Cell(f"({price(order.reference_price)})" if executed is None else price(executed), "soft" if executed is None else None),
        Cell(NOT_DEFINED if order.fee is None else f"{order.fee:,.2f}"),
        Cell(order.status, _STATUS_CSS.get(order.status)),
        Cell(order.reason),
    ]


def _sign(value: float) -> str | None:
    return None if value == 0 else "good" if value > 0 else "bad"
