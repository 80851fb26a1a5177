"""An average that begins as the plain mean of the first n numbers, and is then moved by each number, by a part of its distance.

The moving averages of TA-Lib begin so. Other seeds (the first number) give other values for hundreds of bars.
"""

from __future__ import annotations

from typing import Any


class SeededAverage:
    """See the module. `value` is None until `period` numbers were seen."""

    __slots__ = ("_factor", "_seen", "_sum", "period", "value")

    def __init__(self, period: int, factor: float) -> None:
        self.period = period
        self.value: float | None = None
        self._factor = factor
        self._seen = 0
        self._sum = 0.0

    def update(self, number: float) -> float | None:
        """Take the next number; return the new value."""
        value = self.value
        if value is not None:
            self.value = value = value + (number - value) * self._factor
            return value
        self._seen += 1
        self._sum += number
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
