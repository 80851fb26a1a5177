"""Bollinger bands: the mean of the last n prices, and so many standard deviations above and below it.

The deviation is that of the population (divided by n), as Bollinger and TA-Lib have it. It is folded from means and squared distances
(Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979), not from sums of squares, whose
difference is mostly rounding where prices are high and move little: TA-Lib's bands are off by a ten-millionth of the price there.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.sliding import Sliding

_Spread = tuple[int, float, float]
"""How many prices, their mean, and the sum of their squared distances from it."""


class Band(NamedTuple):
    """In the price's currency."""

    upper: float
    middle: float
    lower: float


def _combine(newer: _Spread, older: _Spread) -> _Spread:
    older_count, older_mean, older_squares = older
    newer_count, newer_mean, newer_squares = newer
    count = older_count + newer_count
    apart = newer_mean - older_mean
    part = newer_count / count
    return count, older_mean + apart * part, older_squares + newer_squares + apart * apart * older_count * part


class Bollinger:
    """See the module. `value` is None until `period` prices were seen."""

    __slots__ = ("_deviations", "_prices", "period", "value")

    def __init__(self, period: int = 20, deviations: float = 2.0) -> None:
        """Raise ValueError unless `deviations` is above 0."""
        self.period = check_period(period)
        if not 0 < deviations < math.inf:
            raise ValueError(f"deviations is {deviations!r}: it must be above 0")
        self.value: Band | None = None
        self._deviations = deviations
        self._prices: Sliding[_Spread] = Sliding(period, _combine)

    def update(self, price: float) -> Band | None:
        """Take the next price; return the new value."""
        fold = self._prices.add((1, price, 0.0))
        if fold is not None:
            _, middle, squares = fold
            reach = self._deviations * math.sqrt(squares / self.period)
            self.value = Band(middle + reach, middle, middle - reach)
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "prices": self._prices.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period and deviations."""
        self.value = None if state["value"] is None else Band(*state["value"])
        self._prices.load(state["prices"])
