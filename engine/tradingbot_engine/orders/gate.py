"""From what the strategy wants to an order that the broker has: numbered, then checked by mandate and risk, then offered to the broker.

Whatever becomes of it stands in the books, with the reason if it was refused.
"""

from __future__ import annotations

from tradingbot_contract.spec import OnBreach
from tradingbot_engine.books import Books, Moment
from tradingbot_engine.broker.port import Broker
from tradingbot_engine.desk import Intent
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.orders.order import Order, Side
from tradingbot_engine.risk.checks import Exposure, assess
from tradingbot_engine.risk.ledger import Breach, RiskLedger
from tradingbot_engine.telemetry.counts import Component, Counts


class OrderGate:
    """See the module."""

    __slots__ = ("_books", "_broker", "_counts", "_ledger", "_restricted", "mandate")

    def __init__(self, broker: Broker, ledger: RiskLedger, books: Books, counts: Counts) -> None:
        self._broker = broker
        self._ledger = ledger
        self._books = books
        self._counts = counts
        self.mandate = Mandate()
        """What the bot may do now."""
        self._restricted = False

    def set_mandate(self, mandate: Mandate) -> None:
        """Go by this mandate from the next order on; what is open stays."""
        self.mandate = mandate
        self._restricted = mandate.restricts

    def send(self, intent: Intent, moment: Moment, peak_equity: float) -> None:
        """Send one order; `peak_equity` is the highest before this moment."""
        self._counts.operations[Component.ORDERS] += 1
        price = self._broker.last_price.get(intent.symbol, 0.0)
        order = self._books.open_order(intent.side, intent.symbol, intent.quantity, price, moment)
        objection = self.mandate.objection(order.side, order.symbol) if self._restricted else ""
        self._offer(order, objection or self._objection(order, peak_equity))

    def flatten(self, moment: Moment, breach: Breach) -> None:
        """Take back what waits to be bought, and sell every position that no sale waits for, because a limit of losses is passed."""
        for order in tuple(self._broker.open_orders):
            if order.side is Side.BUY:
                self._broker.open_orders.remove(order)
                self._books.cancel(order, str(breach))
        leaving = {order.symbol for order in self._broker.open_orders}
        for symbol, position in tuple(self._broker.positions.items()):
            if symbol not in leaving and not self.mandate.objection(Side.SELL, symbol):
                price = self._broker.last_price[symbol]
                self._offer(self._books.open_order(Side.SELL, symbol, position.quantity, price, moment, reason=str(breach)), "")

    def _offer(self, order: Order, objection: str) -> None:
        reason = objection or self._broker.submit(order)
        if reason:
            self._books.reject(order, reason)
        else:
            self._books.accept(order)
            self._ledger.count_order(order.time_ms)

    def _objection(self, order: Order, peak_equity: float) -> str:
        if not order.reference_price:
            self._counts.errors[Component.ORDERS] += 1
            return f"there is no price of {order.symbol} yet"
        risk = self._ledger.risk
        if order.side is Side.BUY:
            rejection = assess(self._exposure(order, peak_equity), risk)
            return "" if rejection is None else self._refuse(rejection.limit, rejection.message)
        if risk.on_breach is not OnBreach.HALT:
            return ""
        breach = self._ledger.breach(self._broker.equity(), peak_equity)
        return "" if breach is None else self._refuse(breach.limit, breach.message)

    def _refuse(self, limit: str, message: str) -> str:
        self._counts.rejections[limit] += 1
        return f"{limit}: {message}"

    def _exposure(self, order: Order, peak_equity: float) -> Exposure:
        price, symbol = order.reference_price, order.symbol
        position = self._broker.positions.get(symbol)
        held = 0.0 if position is None else position.quantity
        waiting = sum(other.quantity for other in self._broker.open_orders if other.symbol == symbol and other.side is Side.BUY)
        return Exposure(
            order_notional=order.quantity * price,
            position_notional=(held + waiting + order.quantity) * price,
            open_orders=len(self._broker.open_orders),
            orders_of_minute=self._ledger.orders_of_minute(order.time_ms),
            losses=self._ledger.losses(self._broker.equity(), peak_equity),
        )
