"""Wilder's moving average: each number moves it by 1 / n of its distance; the first value is the mean of the first n.

J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978). RSI and ATR are made of it.
"""

from __future__ import annotations

from typing import Any


class WilderAverage:
    """See the module. `value` is None until `period` numbers were seen."""

    __slots__ = ("_period", "_seen", "_sum", "value")

    def __init__(self, period: int) -> None:
        self.value: float | None = None
        self._period = period
        self._seen = 0
        self._sum = 0.0

    def update(self, number: float) -> float | None:
        """Take the next number; return the new value."""
        value = self.value
        if value is not None:
            self.value = value = value + (number - value) / self._period
            return value
        self._seen += 1
        self._sum += number
        if self._seen == self._period:
            self.value = self._sum / self._period
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "seen": self._seen, "sum": self._sum}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._seen = state["seen"]
        self._sum = state["sum"]
