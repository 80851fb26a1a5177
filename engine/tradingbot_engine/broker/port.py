"""What the session needs of a broker. Nothing here waits: a broker that talks to a venue answers from what it has heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.orders.order import Order


class Position(Struct, gc=False):
    """What the bot holds of one symbol; there is none with a quantity of 0."""

    symbol: str
    quantity: float
    cost: float
    """Paid for what is held, fees included."""


class Execution(NamedTuple):
    """What has become of an order. `reason` is empty when it was filled."""

    order: Order
    reason: str
    price: float
    fee: float
    realised: float | None


class Broker(Protocol):
    """One account in one currency."""

    cash: float
    positions: dict[str, Position]
    open_orders: list[Order]
    last_price: dict[str, float]

    def submit(self, order: Order) -> str:
        """Take the order, or return why not (an empty text: taken)."""

    def match(self, bars: Sequence[Bar]) -> list[Execution]:
        """Execute open orders at the opening of these bars, which are one step of the feed; what is left waits on."""

    def close(self, order: Order) -> Execution:
        """Execute a sale at once at the last price, without slippage: there is no next bar to wait for."""

    def equity(self) -> float:
        """Return cash and positions at their last prices."""
