"""What an engine tells of its journal to people: orders, fills and the equity curve, a page at a time.

Words are ccxt's where it has one (`clientOrderId`, `amount`, `filled`, `average`, `cost`); a status is what the journal calls it. Money is
in the quote currency, a time is the market's, in seconds since the epoch (UTC). In a replay that begins anew the market's time goes
back; `lap` says how often it has, and rows are always in the order in which they happened. What isn't known is None.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

DEFAULT_ROWS: Final = 100
MOST_ROWS: Final = 1000
DEFAULT_POINTS: Final = 500
FEWEST_POINTS: Final = 4
"""The first, the last, the lowest and the highest."""
MOST_POINTS: Final = 10_000


class _Message(Struct, frozen=True, rename="camel", kw_only=True):
    """Base: unknown fields are ignored, so that an older reader understands a newer writer."""


class OrderRow(_Message, frozen=True):
    """One order as the journal has it."""

    sequence: int
    """1, 2, 3 … in the life of this shard."""
    client_order_id: str
    symbol: str
    side: str
    """`buy` or `sell`."""
    type: str
    amount: float
    """What was ordered, in units of the symbol."""
    filled: float
    """What of it was executed."""
    reference_price: float
    """The close that the decision was made on."""
    average: float | None
    """Price of the execution, with slippage."""
    fee: float | None
    realised: float | None
    """Profit of a sale after the fees of both sides."""
    status: str
    """`new`, `filled`, `rejected` or `canceled`."""
    reason: str
    """Why it was rejected or canceled; for an order that no strategy placed, why there is one."""
    lap: int
    time: float


class FillRow(_Message, frozen=True):
    """One execution as the journal has it."""

    sequence: int
    client_order_id: str
    symbol: str
    side: str
    amount: float
    price: float
    """With slippage."""
    cost: float
    """`amount` times `price`, without the fee."""
    fee: float
    realised: float | None
    lap: int
    time: float


class EquityPoint(_Message, frozen=True):
    """Equity at one time."""

    sequence: int
    time: float
    equity: float
    drawdown: float
    """Loss from the highest equity until then, 0 to 1."""
    lap: int


class OrdersPage(_Message, frozen=True):
    """Orders, the newest first."""

    bot: str
    shard: int
    currency: str
    orders: tuple[OrderRow, ...]
    next: str | None
    """What `before` must be for the page after this one; None: there is no more."""
    removed: int
    """How many older orders the journal doesn't hold any more."""
    note: str
    """What a person should know of what isn't here; empty when all is."""


class FillsPage(_Message, frozen=True):
    """Executions, the newest first."""

    bot: str
    shard: int
    currency: str
    fills: tuple[FillRow, ...]
    next: str | None
    removed: int
    note: str


class EquityPage(_Message, frozen=True):
    """The equity curve, the oldest first. The engine notes a point every few steps, and at each sale that no bar has asked for."""

    bot: str
    shard: int
    currency: str
    initial_equity: float
    points: tuple[EquityPoint, ...]
    held: int
    """How many points the journal holds of what was asked for; `points` may be fewer."""
    removed: int
    note: str
