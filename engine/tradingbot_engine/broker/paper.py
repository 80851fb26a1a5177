"""A broker that fills market orders against the feed's prices and moves no money.

An order that was decided on the close of one bar is filled at the *open of the next* bar of its symbol, so that no decision uses
a price that it could not have got. The fill is worse than the open by the slippage, and costs the fee. The account is cash only:
there is no credit and no short sale, so cash and positions are never negative. What a fill takes from one pocket it puts
into the other, less the fee: nothing else changes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tradingbot_engine.broker.port import Execution, Position
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.orders.order import Order, Side


class PaperBroker:
    """See the module. Rates are fractions: 0.001 is 10 basis points."""

    __slots__ = ("_fee_rate", "_slippage_rate", "cash", "last_price", "open_orders", "positions")

    def __init__(self, *, cash: float, fee_rate: float, slippage_rate: float) -> None:
        self.cash = cash
        self.positions: dict[str, Position] = {}
        self.open_orders: list[Order] = []
        self.last_price: dict[str, float] = {}
        self._fee_rate = fee_rate
        self._slippage_rate = slippage_rate

    def submit(self, order: Order) -> str:
        if not (math.isfinite(order.quantity) and order.quantity > 0):
            return f"quantity {order.quantity} is not above 0"
        if order.side is Side.BUY:
            needed = self._cost_of(order)
            free = self.cash - sum(self._cost_of(other) for other in self.open_orders if other.side is Side.BUY)
            if needed > free:
                return f"insufficient balance: about {needed:.2f} needed, {free:.2f} free"
        else:
            held = self._held(order.symbol)
            free = held - sum(other.quantity for other in self.open_orders if other.side is Side.SELL and other.symbol == order.symbol)
            if order.quantity > free:
                return f"insufficient position: {order.quantity:g} to sell, {free:g} free"
        self.open_orders.append(order)
        return ""

    def match(self, bars: Sequence[Bar]) -> list[Execution]:
        opens = {bar.symbol: bar.open for bar in bars}
        waiting: list[Order] = []
        executions: list[Execution] = []
        for order in self.open_orders:
            price = opens.get(order.symbol)
            if price is None:
                waiting.append(order)
            elif order.side is Side.BUY:
                executions.append(self._buy(order, price * (1.0 + self._slippage_rate)))
            else:
                executions.append(self._sell(order, price * (1.0 - self._slippage_rate)))
        self.open_orders = waiting
        return executions

    def close(self, order: Order) -> Execution:
        return self._sell(order, self.last_price[order.symbol])

    def equity(self) -> float:
        equity = self.cash
        for position in self.positions.values():
            equity += position.quantity * self.last_price[position.symbol]
        return equity

    def _held(self, symbol: str) -> float:
        position = self.positions.get(symbol)
        return 0.0 if position is None else position.quantity

    def _cost_of(self, order: Order) -> float:
        """Return what a purchase would cost at the price it was decided on."""
        return order.quantity * order.reference_price * (1.0 + self._slippage_rate) * (1.0 + self._fee_rate)

    def _buy(self, order: Order, price: float) -> Execution:
        value = order.quantity * price
        fee = value * self._fee_rate
        cost = value + fee
        if cost > self.cash:  # the price has moved since the order was taken
            return Execution(
                order, f"insufficient balance at the opening price: {cost:.2f} needed, {self.cash:.2f} there", price, 0.0, None
            )
        self.cash -= cost
        position = self.positions.get(order.symbol)
        if position is None:
            self.positions[order.symbol] = Position(order.symbol, order.quantity, cost)
        else:
            position.quantity += order.quantity
            position.cost += cost
        return Execution(order, "", price, fee, None)

    def _sell(self, order: Order, price: float) -> Execution:
        held = self._held(order.symbol)
        if order.quantity > held:
            return Execution(order, f"insufficient position: {order.quantity:g} to sell, {held:g} held", price, 0.0, None)
        value = order.quantity * price
        fee = value * self._fee_rate
        self.cash += value - fee
        position = self.positions[order.symbol]
        if order.quantity == held:
            cost = position.cost
            del self.positions[order.symbol]
        else:
            cost = position.cost * (order.quantity / held)
            position.quantity = held - order.quantity
            position.cost -= cost
        return Execution(order, "", price, fee, value - fee - cost)
