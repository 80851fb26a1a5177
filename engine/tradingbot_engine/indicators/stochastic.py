"""Stochastic oscillator: where the close stands between the lowest low (0) and the highest high (100) of the last n bars.

%K is that, averaged over a few bars; %D is the average of %K. While a window has no range at all, a place in it can't be told:
the value is None until bars with a range fill the averages again. (TA-Lib says 0 there, which would read as oversold.)
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.donchian import Donchian
from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.sma import SMA


class StochasticValue(NamedTuple):
    """0 to 100."""

    k: float
    d: float


class Stochastic:
    """See the module. `value` is None until `period + k_smoothing + d_smoothing - 2` bars were seen."""

    __slots__ = ("_channel", "_d", "_d_smoothing", "_k", "_k_smoothing", "value")

    def __init__(self, period: int = 14, k_smoothing: int = 3, d_smoothing: int = 3) -> None:
        self.value: StochasticValue | None = None
        self._k_smoothing = check_period(k_smoothing, "k_smoothing")
        self._d_smoothing = check_period(d_smoothing, "d_smoothing")
        self._channel = Donchian(period)
        self._k = SMA(k_smoothing)
        self._d = SMA(d_smoothing)

    def update(self, bar: Bar) -> StochasticValue | None:
        """Take the next bar; return the new value."""
        channel = self._channel.update(bar)
        self.value = None
        if channel is None:
            return None
        span = channel.upper - channel.lower
        if not span:
            self._k = SMA(self._k_smoothing)
            self._d = SMA(self._d_smoothing)
            return None
        k = self._k.update(100.0 * ((bar.close - channel.lower) / span))
        d = None if k is None else self._d.update(k)
        if k is not None and d is not None:
            self.value = StochasticValue(k, d)
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"value": self.value, "channel": self._channel.save(), "k": self._k.save(), "d": self._d.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same periods."""
        self.value = None if state["value"] is None else StochasticValue(*state["value"])
        self._channel.load(state["channel"])
        self._k.load(state["k"])
        self._d.load(state["d"])
