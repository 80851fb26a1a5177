"""A desk for strategies that are tried without an engine around them."""

from __future__ import annotations

import pytest

from tradingbot_engine.orders.order import Fill, Side
from tradingbot_engine.strategy.interface import Strategy


class Ledger:
    """Fills everything at once, at no price; what it was asked for is in `log`."""

    cash = equity = 0.0

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.log: list[str] = []

    def position(self, symbol: str) -> float:
        return self.held.get(symbol, 0.0)

    def buy(self, symbol: str, notional: float) -> None:
        self.held[symbol] = 1.0
        self.log.append(f"buy {symbol} for {notional:g}")

    def sell(self, symbol: str, quantity: float | None = None) -> None:
        assert quantity is None
        if self.held.pop(symbol, 0.0):
            self.log.append(f"sell {symbol}")

    def tell(self, strategy: Strategy, side: Side, symbol: str, price: float) -> None:
        """Tell the strategy that its order was filled at this price."""
        strategy.on_fill(Fill(1, 1, symbol, side, 1.0, price, 0.0, None, 0, 0, 0))


@pytest.fixture
def desk() -> Ledger:
    return Ledger()
