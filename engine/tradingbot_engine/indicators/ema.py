"""Exponential moving average, one price at a time.

The first value comes with the n-th price and is the plain mean of the first n, as in TA-Lib; from then on each price moves the
average by 2 / (n + 1) of its distance. Other seeds (the first price) give other values for hundreds of bars.
"""

from __future__ import annotations

from typing import Any

from tradingbot_engine.indicators.period import check_period


class EMA:
    """See the module. `value` is None until `period` prices were seen."""

    __slots__ = ("_factor", "_seen", "_sum", "period", "value")

    def __init__(self, period: int) -> None:
        self.period = check_period(period)
        self.value: float | None = None
        self._factor = 2.0 / (period + 1)
        self._seen = 0
        self._sum = 0.0

    def update(self, price: float) -> float | None:
        """Take the next price; return the new value."""
        value = self.value
        if value is not None:
            self.value = value = value + (price - value) * self._factor
            return value
        self._seen += 1
        self._sum += price
        if self._seen == self.period:
            self.value = self._sum / self.period
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "seen": self._seen, "sum": self._sum}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._seen = state["seen"]
        self._sum = state["sum"]
