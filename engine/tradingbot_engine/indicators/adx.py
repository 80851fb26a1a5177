"""Average directional index: how strong a trend is, 0 to 100, with the share of the range that went up and down.

Wilder's definition with the sums of TA-Lib: the first sum of movements and ranges has n - 1 terms; from then on each bar takes 1 / n of
the sum away and adds its own. A bar at which nothing has moved either way says nothing of the trend: the average stays what it was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.atr import true_range
from tradingbot_engine.indicators.period import check_period


class ADXValue(NamedTuple):
    """0 to 100."""

    adx: float
    plus: float
    """+DI: the movement upwards, in percent of the range."""
    minus: float
    """-DI: the movement downwards."""


class ADX:
    """See the module. `value` is None until `2 * period` bars were seen."""

    __slots__ = ("_adx", "_before", "_down", "_range", "_seen", "_up", "period", "value")

    def __init__(self, period: int = 14) -> None:
        """Raise ValueError if the period is below 2."""
        self.period = check_period(period, least=2)
        self.value: ADXValue | None = None
        self._before: tuple[float, float, float] | None = None
        """High, low and close of the bar before."""
        self._seen = 0
        """Bars with a bar before them, as long as that matters."""
        self._up = self._down = self._range = 0.0
        self._adx = 0.0
        """The sum of the first indexes until there are enough of them, then their average."""

    def update(self, bar: Bar) -> ADXValue | None:
        """Take the next bar; return the new value."""
        before, self._before = self._before, (bar.high, bar.low, bar.close)
        if before is None:
            return None
        period = self.period
        if self._seen >= period - 1:
            self._up -= self._up / period
            self._down -= self._down / period
            self._range -= self._range / period
        high, low, close = before
        up, down = bar.high - high, low - bar.low
        if up > down and up > 0:
            self._up += up
        elif down > up and down > 0:
            self._down += down
        self._range += true_range(bar, close)
        if self._seen < 2 * period - 1:
            self._seen += 1
        if self._seen >= period:
            self._judge()
        return self.value

    def _judge(self) -> None:
        period = self.period
        plus = minus = 0.0
        if self._range:
            plus, minus = 100.0 * (self._up / self._range), 100.0 * (self._down / self._range)
        moved = plus + minus
        index = 100.0 * (abs(plus - minus) / moved) if moved else None
        if self.value is not None:
            if index is not None:
                self._adx += (index - self._adx) / period
        else:
            self._adx += index or 0.0
            if self._seen < 2 * period - 1:
                return
            self._adx /= period
        self.value = ADXValue(self._adx, plus, minus)

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {
            "value": self.value,
            "before": self._before,
            "seen": self._seen,
            "up": self._up,
            "down": self._down,
            "range": self._range,
            "adx": self._adx,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self.value = None if state["value"] is None else ADXValue(*state["value"])
        self._before = state["before"]
        self._seen = state["seen"]
        self._up, self._down, self._range = state["up"], state["down"], state["range"]
        self._adx = state["adx"]
