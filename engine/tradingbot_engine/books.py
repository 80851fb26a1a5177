"""The bot's books: numbers orders, notes what becomes of them, counts, and keeps what isn't in the journal yet.

A number is never used twice, and what is noted depends on the feed only, not on when the journal is written.
"""

from __future__ import annotations

from typing import NamedTuple

from tradingbot_engine.broker.port import Execution
from tradingbot_engine.checkpoint import Checkpoint, Totals
from tradingbot_engine.database.rows import Row, fill_row, order_row
from tradingbot_engine.orders.order import Fill, Order, OrderStatus, Side
from tradingbot_engine.telemetry.counts import Counts


class Moment(NamedTuple):
    """A place in the feed."""

    lap: int
    step: int
    time_ms: int


class NewRows(NamedTuple):
    """Rows for the journal, copies of what they show."""

    orders: list[Row]
    fills: list[Row]
    equity: list[Row]
    symbols: frozenset[str]
    """In which an order came, went or was filled: until these rows are in the journal, it doesn't say how it stands there."""


class Books:
    """See the module."""

    def __init__(self, order_id_prefix: str, checkpoint: Checkpoint, counts: Counts) -> None:
        self.totals = checkpoint.totals
        self.order_sequence = checkpoint.order_sequence
        self.fill_sequence = checkpoint.fill_sequence
        self.equity_sequence = checkpoint.equity_sequence
        self._order_id_prefix = order_id_prefix
        self._counts = counts
        self._changed_orders: dict[int, Order] = {}
        self._fills: list[Row] = []
        self._equity: list[Row] = []
        self._lapsed: set[str] = set()
        """Symbols of orders that waited, and that the broker then refused."""

    def has_changes(self) -> bool:
        """Whether orders or fills wait for the journal."""
        return bool(self._changed_orders or self._fills)

    @property
    def unwritten_rows(self) -> int:
        """Rows that wait for the journal."""
        return len(self._changed_orders) + len(self._fills) + len(self._equity)

    @property
    def unwritten_symbols(self) -> set[str]:
        """Symbols whose orders or position are not in the journal as they are; an order that was refused at once touches nothing."""
        return self._lapsed.union(order.symbol for order in self._changed_orders.values() if order.status is not OrderStatus.REJECTED)

    def open_order(self, side: Side, symbol: str, quantity: float, price: float, moment: Moment, *, reason: str = "") -> Order:
        """Return a new order with the next number."""
        self.order_sequence += 1
        self.totals.orders += 1
        sequence = self.order_sequence
        order = Order(
            sequence=sequence,
            client_order_id=f"{self._order_id_prefix}{sequence}",
            symbol=symbol,
            side=side,
            quantity=quantity,
            reference_price=price,
            lap=moment.lap,
            step=moment.step,
            time_ms=moment.time_ms,
            status=OrderStatus.NEW,
            reason=reason,
        )
        self._changed_orders[sequence] = order
        return order

    def accept(self, order: Order) -> None:
        """Note that the broker has taken the order."""
        self._note(order, OrderStatus.NEW)

    def reject(self, order: Order, reason: str) -> None:
        """Note that risk or the broker has refused the order."""
        order.reason = reason
        self.totals.rejected_orders += 1
        self._note(order, OrderStatus.REJECTED)

    def cancel(self, order: Order, reason: str) -> None:
        """Note that the order was taken back."""
        order.reason = reason
        self._note(order, OrderStatus.CANCELED)

    def settle(self, execution: Execution, moment: Moment) -> Fill | None:
        """Note what the broker made of an order; return the fill, if it is one."""
        order = execution.order
        if execution.reason:
            self._lapsed.add(order.symbol)
            self.reject(order, execution.reason)
            return None
        self._note(order, OrderStatus.FILLED)
        self._counts.fills[order.side._value_] += 1
        self.fill_sequence += 1
        totals = self.totals
        totals.fills += 1
        totals.fees += execution.fee
        if execution.realised is not None:
            totals.trades += 1
            totals.winning_trades += execution.realised > 0
            totals.realised += execution.realised
        fill = Fill(
            sequence=self.fill_sequence,
            order_sequence=order.sequence,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=execution.price,
            fee=execution.fee,
            realised=execution.realised,
            lap=moment.lap,
            step=moment.step,
            time_ms=moment.time_ms,
        )
        self._fills.append(fill_row(fill))
        return fill

    def note_equity(self, moment: Moment, equity: float, cash: float, drawdown: float) -> None:
        """Keep a point of the equity curve."""
        self.equity_sequence += 1
        self._equity.append(
            {
                "sequence": self.equity_sequence,
                "lap": moment.lap,
                "step": moment.step,
                "time_ms": moment.time_ms,
                "equity": equity,
                "cash": cash,
                "drawdown": drawdown,
            }
        )

    def take_rows(self) -> NewRows:
        """Return what isn't in the journal yet, and forget it."""
        orders = [order_row(order) for _, order in sorted(self._changed_orders.items())]
        rows = NewRows(orders, self._fills, self._equity, frozenset(self.unwritten_symbols))
        self._changed_orders, self._fills, self._equity, self._lapsed = {}, [], [], set()
        return rows

    def copy_totals(self) -> Totals:
        """Return the totals as they are now."""
        totals = self.totals
        return Totals(
            bars=totals.bars,
            orders=totals.orders,
            rejected_orders=totals.rejected_orders,
            fills=totals.fills,
            trades=totals.trades,
            winning_trades=totals.winning_trades,
            realised=totals.realised,
            fees=totals.fees,
        )

    def _note(self, order: Order, status: OrderStatus) -> None:
        order.status = status
        self._changed_orders[order.sequence] = order
        self._counts.orders[order.side._value_, status._value_] += 1
