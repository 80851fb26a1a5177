"""What a process leaves to the next one: everything that the bot's future depends on, and nothing that a restart may change.

It is written in the same transaction as the orders and fills that led to it. Floats survive as JSON bit for bit, so a bot that was
restarted goes on exactly as one that wasn't.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tradingbot_engine.risk.ledger import RiskState

NO_STATE: Final = msgspec.Raw(b"null")


class PositionState(Struct, frozen=True):
    """A position, as :class:`tradingbot_engine.broker.port.Position`."""

    symbol: str
    quantity: float
    cost: float


class Totals(Struct):
    """Counts over the life of the bot."""

    bars: int = 0
    orders: int = 0
    rejected_orders: int = 0
    fills: int = 0
    trades: int = 0
    """Sales."""
    winning_trades: int = 0
    realised: float = 0.0
    """Profit of all sales, after fees."""
    fees: float = 0.0


class Checkpoint(Struct, frozen=True, kw_only=True):
    """State between two steps of the feed."""

    lap: int
    step: int
    """The step to take next."""
    time_ms: int | None
    """Market time of the last step."""
    currency: str
    initial_equity: float
    peak_equity: float
    max_drawdown: float
    """0 to 1."""
    cash: float
    positions: list[PositionState]
    last_prices: dict[str, float]
    order_sequence: int
    fill_sequence: int
    equity_sequence: int
    totals: Totals
    strategy_fingerprint: str
    feed_fingerprint: str
    strategy_since_step: int
    """The step, in this lap, that the strategy began at: warm-up counts from there."""
    strategy_state: msgspec.Raw
    """What `on_save` returned, as JSON; NO_STATE when there is nothing to go on from."""
    news_seen: str = ""
    """What a :class:`tradingbot_engine.news.port.NewsSource` needs so that it delivers nothing twice."""
    risk: RiskState = RiskState()
    """What the limits of a day and of a minute are measured against."""


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the text that the journal holds."""
    return msgspec.json.encode(checkpoint).decode()


def decode_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that `text` holds.

    Raises:
        msgspec.DecodeError: it holds none.
    """
    return msgspec.json.decode(text, type=Checkpoint)
