"""Volume-weighted average price of the last n bars: the sum of typical price times volume, divided by the volume.

The typical price is (high + low + close) / 3. The window moves with the bars (it isn't anchored to the beginning of a day, which bars of
a day or a market that never closes don't have). Where nothing was traded in all of the window there is no such price: the value is None.
"""

from __future__ import annotations

from typing import Any

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.sliding import Sliding

_Traded = tuple[float, float]
"""Money and volume."""


def _combine(newer: _Traded, older: _Traded) -> _Traded:
    return newer[0] + older[0], newer[1] + older[1]


class VWAP:
    """See the module. `value` is None until `period` bars were seen."""

    __slots__ = ("_traded", "period", "value")

    def __init__(self, period: int = 20) -> None:
        self.period = check_period(period)
        self.value: float | None = None
        self._traded: Sliding[_Traded] = Sliding(period, _combine)

    def update(self, bar: Bar) -> float | None:
        """Take the next bar; return the new value."""
        typical = (bar.high + bar.low + bar.close) / 3.0
        fold = self._traded.add((typical * bar.volume, bar.volume))
        self.value = None if fold is None or not fold[1] else fold[0] / fold[1]
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "traded": self._traded.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = state["value"]
        self._traded.load(state["traded"])
