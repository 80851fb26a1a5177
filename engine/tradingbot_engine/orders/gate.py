"""From what the strategy wants to an order that the broker has: numbered first, then checked by risk, then offered to the broker.

Whatever becomes of it stands in the books, with the reason if it was refused.
"""

from __future__ import annotations

from tradingbot_contract.spec import Risk
from tradingbot_engine.books import Books, Moment
from tradingbot_engine.broker.port import Broker
from tradingbot_engine.desk import Intent
from tradingbot_engine.orders.order import Order, Side
from tradingbot_engine.risk.checks import Exposure, assess
from tradingbot_engine.telemetry.counts import Component, Counts


class OrderGate:
    """See the module."""

    __slots__ = ("_books", "_broker", "_counts", "_risk")

    def __init__(self, broker: Broker, risk: Risk, books: Books, counts: Counts) -> None:
        self._broker = broker
        self._risk = risk
        self._books = books
        self._counts = counts

    def set_risk(self, risk: Risk) -> None:
        """Go by these limits from the next order on; what is open stays."""
        self._risk = risk

    def send(self, intent: Intent, moment: Moment, peak_equity: float) -> None:
        """Send one order; `peak_equity` is the highest before this moment."""
        self._counts.operations[Component.ORDERS] += 1
        price = self._broker.last_price.get(intent.symbol, 0.0)
        order = self._books.open_order(intent.side, intent.symbol, intent.quantity, price, moment)
        reason = self._objection(order, peak_equity) or self._broker.submit(order)
        if reason:
            self._books.reject(order, reason)
        else:
            self._books.accept(order)

    def _objection(self, order: Order, peak_equity: float) -> str:
        if not order.reference_price:
            self._counts.errors[Component.ORDERS] += 1
            return f"there is no price of {order.symbol} yet"
        if order.side is Side.SELL:
            return ""
        rejection = assess(self._exposure(order, peak_equity), self._risk)
        return "" if rejection is None else f"{rejection.limit}: {rejection.message}"

    def _exposure(self, order: Order, peak_equity: float) -> Exposure:
        price, symbol, equity = order.reference_price, order.symbol, self._broker.equity()
        peak = max(peak_equity, equity)
        position = self._broker.positions.get(symbol)
        held = 0.0 if position is None else position.quantity
        waiting = sum(other.quantity for other in self._broker.open_orders if other.symbol == symbol and other.side is Side.BUY)
        return Exposure(
            order_notional=order.quantity * price,
            position_notional=(held + waiting + order.quantity) * price,
            drawdown=1.0 - equity / peak if peak > 0 else 0.0,
        )
