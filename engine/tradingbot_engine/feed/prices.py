"""Prices of several symbols in the order in which they happened, kept in columns.

A *step* is all the bars that closed at one time, one of each symbol at most. Columns, because half a million bars as objects take
ten times the memory; bars exist only while they are looked at.
"""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Sequence
from itertools import pairwise, repeat

from msgspec import Struct


class Bar(Struct, frozen=True, gc=False):
    """One symbol's prices over one timeframe. Prices are in the quote currency, the time is the market's, in milliseconds."""

    symbol: str
    time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Columns:
    """Bars while they are read: one array each for symbol (as its index), time and figures."""

    __slots__ = ("closes", "highs", "lows", "opens", "symbol_indexes", "times_ms", "volumes")

    def __init__(self) -> None:
        self.symbol_indexes = bytearray()
        self.times_ms = array("q")
        self.opens = array("d")
        self.highs = array("d")
        self.lows = array("d")
        self.closes = array("d")
        self.volumes = array("d")

    def __len__(self) -> int:
        return len(self.times_ms)

    def ordered_by_time(self) -> Columns:
        """Return the same bars by time; those of one time stay in the order they are in."""
        times = self.times_ms
        if all(before <= after for before, after in pairwise(times)):
            return self
        order = sorted(range(len(times)), key=times.__getitem__)
        ordered = Columns()
        ordered.symbol_indexes = bytearray(map(self.symbol_indexes.__getitem__, order))
        ordered.times_ms = array("q", map(times.__getitem__, order))
        ordered.opens = array("d", map(self.opens.__getitem__, order))
        ordered.highs = array("d", map(self.highs.__getitem__, order))
        ordered.lows = array("d", map(self.lows.__getitem__, order))
        ordered.closes = array("d", map(self.closes.__getitem__, order))
        ordered.volumes = array("d", map(self.volumes.__getitem__, order))
        return ordered


class Prices:
    """All bars of a feed, step by step."""

    __slots__ = ("_columns", "_starts", "digest", "steps", "symbols")

    def __init__(self, symbols: Sequence[str], columns: Columns, digest: str) -> None:
        """`symbols` are named by the columns' indexes; `digest` tells this data from other data."""
        self.symbols = tuple(symbols)
        self.digest = digest
        self._columns = columns.ordered_by_time()
        times = self._columns.times_ms
        self._starts = array("q", [0] if times else [])
        self._starts.extend(index for index in range(1, len(times)) if times[index] != times[index - 1])
        self.steps = len(self._starts)
        self._starts.append(len(times))

    def __len__(self) -> int:
        """How many bars."""
        return len(self._columns)

    def step_sizes_equal(self, first: int, last: int) -> bool:
        """Whether all steps from `first` up to but not including `last` have as many bars as there are symbols."""
        return self._starts[last] - self._starts[first] == (last - first) * len(self.symbols)

    def bars(self, first: int, last: int) -> list[Sequence[Bar]]:
        """Return the bars of each step from `first` up to but not including `last`."""
        start, end = self._starts[first], self._starts[last]
        columns = self._columns
        names = list(self.symbols)  # a list is looked up in half the time of a tuple
        bars = map(
            Bar,
            map(names.__getitem__, columns.symbol_indexes[start:end]) if len(names) > 1 else repeat(names[0]),
            columns.times_ms[start:end],
            columns.opens[start:end],
            columns.highs[start:end],
            columns.lows[start:end],
            columns.closes[start:end],
            columns.volumes[start:end],
        )
        if self.step_sizes_equal(first, last):
            return list(zip(*[bars] * len(self.symbols), strict=True))
        flat = list(bars)
        return [flat[self._starts[step] - start : self._starts[step + 1] - start] for step in range(first, last)]

    def bar_counts(self, first: int, last: int) -> list[int]:
        """Return how many bars each symbol has in these steps."""
        part = self._columns.symbol_indexes[self._starts[first] : self._starts[last]]
        return [part.count(index) for index in range(len(self.symbols))]

    def time_ms(self, step: int) -> int:
        """Return the time of a step."""
        return self._columns.times_ms[self._starts[step]]

    def first_step_after(self, time_ms: int) -> int:
        """Return the first step later than `time_ms`; the number of steps when there is none."""
        return bisect.bisect_right(range(self.steps), time_ms, key=self.time_ms)

    def spacings_ms(self, symbol: str) -> list[int]:
        """Return the times between one bar of `symbol` and the next."""
        index = self.symbols.index(symbol)
        own = [time for time, found in zip(self._columns.times_ms, self._columns.symbol_indexes, strict=True) if found == index]
        return [after - before for before, after in pairwise(own)]
