"""Where the strategy trades: it looks up what the bot owns, and says what it wants. Nothing is sent here.

What it wants stays here until its call has returned, so that a call that fails half-way leaves no order behind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from tradingbot_engine.broker.port import Broker
from tradingbot_engine.orders.order import Side

_QUANTITY_STEPS: Final = 1e8
"""A quantity is rounded down to eight decimals, as venues do."""


class Intent(NamedTuple):
    """An order that the strategy wants. The quantity is 0 if there is no price to compute it from."""

    side: Side
    symbol: str
    quantity: float


class TradingDesk:
    """The strategy's :class:`tradingbot_engine.strategy.interface.Desk`."""

    __slots__ = ("_broker", "_symbols", "intents")

    def __init__(self, broker: Broker, symbols: Sequence[str]) -> None:
        self.intents: list[Intent] = []
        self._broker = broker
        self._symbols = symbols

    @property
    def cash(self) -> float:
        return self._broker.cash

    @property
    def equity(self) -> float:
        return self._broker.equity()

    def position(self, symbol: str) -> float:
        position = self._broker.positions.get(symbol)
        return 0.0 if position is None else position.quantity

    def buy(self, symbol: str, notional: float) -> None:
        self._check(symbol, notional)
        price = self._broker.last_price.get(symbol)
        quantity = 0.0 if price is None else math.floor(notional / price * _QUANTITY_STEPS) / _QUANTITY_STEPS
        self.intents.append(Intent(Side.BUY, symbol, quantity))

    def sell(self, symbol: str, quantity: float | None = None) -> None:
        if quantity is None:
            quantity = self.position(symbol)
            if not quantity:
                return
        self._check(symbol, quantity)
        self.intents.append(Intent(Side.SELL, symbol, quantity))

    def _check(self, symbol: str, amount: float) -> None:
        """Refuse what is no order, in the very call that makes the mistake."""
        if symbol not in self._symbols:
            raise ValueError(f"{symbol!r} is not among market.symbols: {', '.join(self._symbols)}")
        if not (math.isfinite(amount) and amount > 0):
            raise ValueError(f"an order of {amount} {symbol} is none: it must be above 0")
