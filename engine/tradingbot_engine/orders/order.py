"""An order and a fill. Prices and values are in the quote currency, times in milliseconds since the epoch, of the market."""

from __future__ import annotations

import enum

from msgspec import Struct


class Side(enum.Enum):
    BUY = "buy"
    SELL = "sell"


class OrderType(enum.Enum):
    MARKET = "market"


class OrderStatus(enum.Enum):
    NEW = "new"
    """Accepted, waits for its fill."""
    FILLED = "filled"
    REJECTED = "rejected"
    """By risk or by the broker; `reason` says why."""
    CANCELED = "canceled"
    """The feed ended, or the strategy was halted, before it was filled."""


class Order(Struct, gc=False):
    """What the bot wanted. Only `status` and `reason` ever change."""

    sequence: int
    """1, 2, 3 … in the life of the bot; never used twice."""
    client_order_id: str
    symbol: str
    side: Side
    quantity: float
    """In units of the symbol."""
    reference_price: float
    """The close that the decision was made on."""
    lap: int
    step: int
    """Step of the feed after whose close the decision was made."""
    time_ms: int
    status: OrderStatus
    reason: str = ""
    """Why it was rejected or canceled; for an order that no strategy placed, why there is one."""
    type: OrderType = OrderType.MARKET


class Fill(Struct, frozen=True, gc=False):
    """An order, or all of it, that was executed."""

    sequence: int
    order_sequence: int
    symbol: str
    side: Side
    quantity: float
    price: float
    """With slippage."""
    fee: float
    realised: float | None
    """Profit of a sale after the fees of both sides; None for a purchase."""
    lap: int
    step: int
    time_ms: int
