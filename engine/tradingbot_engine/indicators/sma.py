"""Simple moving average: the mean of the last n prices."""

from __future__ import annotations

import operator
from typing import Any

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.sliding import Sliding


class SMA:
    """See the module. `value` is None until `period` prices were seen."""

    __slots__ = ("_prices", "period", "value")

    def __init__(self, period: int) -> None:
        self.period = check_period(period)
        self.value: float | None = None
        self._prices: Sliding[float] = Sliding(period, operator.add)

    def update(self, price: float) -> float | None:
        """Take the next price; return the new value."""
        total = self._prices.add(price)
        self.value = None if total is None else total / self.period
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "prices": self._prices.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._prices.load(state["prices"])
