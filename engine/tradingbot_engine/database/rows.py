"""What goes into the journal and comes out of it, as values: no database here, so that who makes them needs none."""

from __future__ import annotations

from typing import Any, NamedTuple

from tradingbot_engine.checkpoint import Checkpoint
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.orders.order import Fill, Order, OrderStatus, OrderType, Side

Row = dict[str, Any]


class Group(NamedTuple):
    """What a group of steps has changed. Rows are copies: the session goes on while they are written."""

    orders: list[Row]
    fills: list[Row]
    equity: list[Row]
    checkpoint: Checkpoint
    equity_now: float
    symbols: frozenset[str] = frozenset()
    """In which an order came, went or was filled."""
    mandate: Mandate = Mandate()
    """What the bot was allowed at the end of these steps; all that follows from it is in this group, or in one before."""


class Restored(NamedTuple):
    """Where the bot stopped."""

    checkpoint: Checkpoint
    open_orders: list[Order]


class TradeStatistics(NamedTuple):
    """What the journal says of one symbol's sales."""

    symbol: str
    trades: int
    winning_trades: int
    realised: float


class PredictionRow(NamedTuple):
    """A judgement of one piece of news. Times are milliseconds since the epoch, UTC."""

    digest: str
    """Of the text and of what judged it: equal digests mean equal judgements."""
    news_id: str
    symbols: tuple[str, ...]
    source: str
    model: str
    positive: float
    negative: float
    neutral: float
    score: float
    """-1 (bad) to 1 (good)."""
    news_time_ms: int
    judged_at_ms: int


def order_row(order: Order) -> Row:
    """Return the order as the table holds it."""
    return {
        "sequence": order.sequence,
        "client_order_id": order.client_order_id,
        "symbol": order.symbol,
        "side": order.side._value_,
        "type": order.type._value_,
        "quantity": order.quantity,
        "reference_price": order.reference_price,
        "status": order.status._value_,
        "reason": order.reason,
        "lap": order.lap,
        "step": order.step,
        "time_ms": order.time_ms,
    }


def fill_row(fill: Fill) -> Row:
    """Return the fill as the table holds it."""
    return {
        "sequence": fill.sequence,
        "order_sequence": fill.order_sequence,
        "symbol": fill.symbol,
        "side": fill.side._value_,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "realised": fill.realised,
        "lap": fill.lap,
        "step": fill.step,
        "time_ms": fill.time_ms,
    }


def order_of(row: Row) -> Order:
    """Return the order that the table holds."""
    enums = {"side": Side(row["side"]), "status": OrderStatus(row["status"]), "type": OrderType(row["type"])}
    return Order(**{**row, **enums})
