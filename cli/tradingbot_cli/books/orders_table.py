"""Orders as a table: when, what, at which price, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_cli.books.statistics_table import NOT_DEFINED
from tradingbot_cli.figures import market_date
from tradingbot_cli.output import Cell, Column, Table, Tone
from tradingbot_contract.books import OrderRow

_STATUS_TONES: Final = {"filled": Tone.GOOD, "rejected": Tone.BAD, "canceled": Tone.DOUBTFUL, "new": Tone.STRONG}
_COLUMNS: Final = (
    Column("TIME"),
    Column("SYMBOL"),
    Column("SIDE"),
    Column("AMOUNT"),
    Column("FILLED", wide=True),
    Column("PRICE"),
    Column("VALUE"),
    Column("FEE"),
    Column("PROFIT"),
    Column("STATUS"),
    Column("TYPE", wide=True),
    Column("CLIENT ORDER ID", wide=True),
    Column("REASON"),
)


def build_orders_table(orders: Sequence[OrderRow]) -> Table:
    """Return the table; prices of orders without an execution are what the decision was made on, in brackets."""
    return Table(_COLUMNS, [_row(order) for order in orders])


def amount(value: float) -> str:
    """Return units of a symbol, without digits that say nothing."""
    return f"{value:,.{4 if abs(value) >= 1.0 else 8}f}".rstrip("0").rstrip(".")


def price(value: float) -> str:
    """Return a price: two digits, more for what costs less than one."""
    return f"{value:,.2f}" if abs(value) >= 1.0 else f"{value:.6g}"


def _row(order: OrderRow) -> list[Cell]:
    executed = order.average if order.average is not None else order.reference_price
    value = f"{(order.filled or order.amount) * executed:,.2f}"
    waits = order.average is None
    return [
        Cell(market_date(order.time)),
        Cell(order.symbol, Tone.STRONG),
        Cell(order.side),
        Cell(amount(order.amount)),
        Cell(amount(order.filled)),
        Cell(f"({price(executed)})" if waits else price(executed), Tone.QUIET if waits else Tone.PLAIN),
        Cell(f"({value})" if waits else value, Tone.QUIET if waits else Tone.PLAIN),
        Cell(NOT_DEFINED if order.fee is None else f"{order.fee:,.2f}"),
        Cell(
            NOT_DEFINED if order.realised is None else f"{order.realised:+,.2f}",
            Tone.PLAIN if order.realised is None else Tone.GOOD if order.realised > 0 else Tone.BAD,
        ),
        Cell(order.status, _STATUS_TONES.get(order.status, Tone.PLAIN)),
        Cell(order.type),
        Cell(order.client_order_id),
        Cell(order.reason),
    ]
