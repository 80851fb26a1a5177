"""From fills to round trips: from the fill that opens a position in a symbol to the fill that closes it.

A position is carried at its *average cost*, fees included, as the paper broker carries it: what a sale realises here is what the journal
says it has realised. Purchases that add to a position change its average; sales of a part take their share of it. A fill that goes through
zero (a flip) is two: it closes one round trip and opens the next, and its fee is shared between them by quantity.

The broker of this product does not sell what it doesn't hold. So a sale without a position is one of a position that was opened before the
first fill that is known: it is counted, and left out, unless `shorts` says that such a sale opens a position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

_DUST: Final = 1e-9
"""Share of a fill that is what floating point leaves of a position that is closed."""


class Trade(NamedTuple):
    """One execution. Money is in the quote currency."""

    symbol: str
    side: str
    """`buy` or `sell`."""
    amount: float
    price: float
    fee: float
    time: float


class RoundTrip(NamedTuple):
    """A position from its first fill to its last."""

    symbol: str
    long: bool
    amount: float
    """The sum of what was bought (of a short one: sold) to open it."""
    entry: float
    """Average price of the fills that opened it, without fees."""
    exit: float
    """Average price of the fills that closed it, without fees."""
    fees: float
    """Of both sides."""
    profit: float
    """After all fees."""
    opened_at: float
    closed_at: float

    @property
    def seconds(self) -> float | None:
        """How long it was held; None where the time of the market has gone back meanwhile."""
        held = self.closed_at - self.opened_at
        return held if held >= 0.0 else None

    @property
    def profit_share(self) -> float | None:
        """Profit as a share of what the position cost; None where it cost nothing."""
        cost = self.amount * self.entry
        return self.profit / cost if cost > 0.0 else None


class OpenPosition(NamedTuple):
    """What is still held after the last fill."""

    symbol: str
    amount: float
    """Below 0: sold short."""
    cost: float
    """Paid for it, fees included; of a short one: received, less fees."""
    opened_at: float


class Ledger(NamedTuple):
    """All round trips in the order in which they were closed, what is still open, and how many sales were of unknown positions."""

    closed: tuple[RoundTrip, ...]
    open: tuple[OpenPosition, ...]
    unmatched: int


def match_round_trips(trades: Iterable[Trade], *, shorts: bool = False) -> Ledger:
    """Return the round trips of these executions, which are in the order in which they happened."""
    holdings: dict[str, _Holding] = {}
    closed: list[RoundTrip] = []
    unmatched = 0
    for trade in trades:
        sign = 1.0 if trade.side == "buy" else -1.0
        left = trade.amount
        holding = holdings.get(trade.symbol)
        if holding is not None and holding.sign != sign:
            part = min(left, holding.amount)
            holding.reduce(trade, part)
            left -= part
            if holding.amount <= _DUST * trade.amount:
                closed.append(holding.close(trade))
                del holdings[trade.symbol]
            if left <= _DUST * trade.amount:
                continue
        if sign < 0.0 and not shorts:
            unmatched += 1
            continue
        holdings.setdefault(trade.symbol, _Holding(trade.symbol, sign, trade.time)).add(trade, left)
    return Ledger(tuple(closed), tuple(holding.describe() for holding in holdings.values()), unmatched)


def held_seconds(trips: Sequence[RoundTrip], still_open: Sequence[OpenPosition], first: float, last: float) -> float:
    """Return for how long at least one position was open between two times."""
    stretches = [(trip.opened_at, trip.closed_at) for trip in trips] + [(position.opened_at, last) for position in still_open]
    held, until = 0.0, first
    for start, end in sorted(stretches):
        begin, finish = max(start, until), min(end, last)
        if finish > begin:
            held += finish - begin
            until = finish
    return held


class _Holding:
    """A position while it is open; amounts are above 0, whichever way it goes."""

    def __init__(self, symbol: str, sign: float, opened_at: float) -> None:
        self.symbol = symbol
        self.sign = sign
        self.amount = 0.0
        self._opened_at = opened_at
        self._opened = 0.0
        self._entry_value = 0.0
        self._closed = 0.0
        self._exit_value = 0.0
        self._fees = 0.0
        self._open_cost = 0.0
        """Of what is still held: paid with fees, or received less fees."""

    def add(self, trade: Trade, amount: float) -> None:
        value, fee = amount * trade.price, trade.fee * (amount / trade.amount)
        self.amount += amount
        self._opened += amount
        self._entry_value += value
        self._fees += fee
        self._open_cost += value + self.sign * fee

    def reduce(self, trade: Trade, amount: float) -> None:
        self._open_cost -= self._open_cost * (amount / self.amount)
        self._closed += amount
        self._exit_value += amount * trade.price
        self._fees += trade.fee * (amount / trade.amount)
        self.amount -= amount

    def close(self, trade: Trade) -> RoundTrip:
        return RoundTrip(
            symbol=self.symbol,
            long=self.sign > 0.0,
            amount=self._opened,
            entry=self._entry_value / self._opened,
            exit=self._exit_value / self._closed,
            fees=self._fees,
            profit=self.sign * (self._exit_value - self._entry_value) - self._fees,
            opened_at=self._opened_at,
            closed_at=trade.time,
        )

    def describe(self) -> OpenPosition:
        return OpenPosition(self.symbol, self.sign * self.amount, self._open_cost, self._opened_at)
