"""Relative strength index: how much of the movement of late went up, 0 to 100.

100 · gain / (gain + loss), both averaged as by Wilder. While the price has not moved at all there is no strength to speak of: the
value is None. (TA-Lib says 0 there, which would read as oversold.)
"""

from __future__ import annotations

from typing import Any

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.wilder import WilderAverage


class RSI:
    """See the module. `value` is None until `period` changes of the price were seen."""

    __slots__ = ("_before", "_gain", "_loss", "period", "value")

    def __init__(self, period: int = 14) -> None:
        self.period = check_period(period)
        self.value: float | None = None
        self._before: float | None = None
        self._gain = WilderAverage(period)
        self._loss = WilderAverage(period)

    def update(self, price: float) -> float | None:
        """Take the next price; return the new value."""
        before, self._before = self._before, price
        if before is None:
            return None
        change = price - before
        gain = self._gain.update(change if change > 0 else 0.0)
        loss = self._loss.update(-change if change < 0 else 0.0)
        if gain is not None and loss is not None:
            movement = gain + loss
            self.value = 100.0 * (gain / movement) if movement else None
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "before": self._before, "gain": self._gain.save(), "loss": self._loss.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._before = state["before"]
        self._gain.load(state["gain"])
        self._loss.load(state["loss"])
