"""Donchian channel: the highest high and the lowest low of the last n bars, the newest among them."""

from __future__ import annotations

from typing import Any, NamedTuple

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.highest import Highest
from tradingbot_engine.indicators.period import check_period


class Channel(NamedTuple):
    """In the price's currency."""

    upper: float
    middle: float
    lower: float


class Donchian:
    """See the module. `value` is None until `period` bars were seen."""

    __slots__ = ("_depths", "_highs", "period", "value")

    def __init__(self, period: int = 20) -> None:
        self.period = check_period(period)
        self.value: Channel | None = None
        self._highs = Highest(period)
        self._depths = Highest(period)
        """Of the lows as negatives."""

    def update(self, bar: Bar) -> Channel | None:
        """Take the next bar; return the new value."""
        upper = self._highs.add(bar.high)
        depth = self._depths.add(-bar.low)
        if upper is not None and depth is not None:
            self.value = Channel(upper, (upper - depth) / 2, -depth)
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "highs": self._highs.save(), "depths": self._depths.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = None if state["value"] is None else Channel(*state["value"])
        self._highs.load(state["highs"])
        self._depths.load(state["depths"])
