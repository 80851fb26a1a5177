"""Weighted moving average: of the last n prices the newest counts n times, the one before n - 1 times, the oldest once."""

from __future__ import annotations

from typing import Any

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.sliding import Sliding

_Weighed = tuple[int, float, float]
"""How many prices, their sum, and their sum weighed 1, 2, 3, … from the oldest."""


def _combine(newer: _Weighed, older: _Weighed) -> _Weighed:
    """Each of the newer weighs more by the number of the older."""
    older_count, older_sum, older_weighed = older
    newer_count, newer_sum, newer_weighed = newer
    return older_count + newer_count, older_sum + newer_sum, older_weighed + newer_weighed + older_count * newer_sum


class WMA:
    """See the module. `value` is None until `period` prices were seen."""

    __slots__ = ("_prices", "_weights", "period", "value")

    def __init__(self, period: int) -> None:
        self.period = check_period(period)
        self.value: float | None = None
        self._weights = period * (period + 1) / 2
        self._prices: Sliding[_Weighed] = Sliding(period, _combine)

    def update(self, price: float) -> float | None:
        """Take the next price; return the new value."""
        fold = self._prices.add((1, price, price))
        self.value = None if fold is None else fold[2] / self._weights
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "prices": self._prices.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._prices.load(state["prices"])
