"""Average true range: how far the price moves in a bar, gaps from the bar before included, averaged as by Wilder."""

from __future__ import annotations

from typing import Any

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.wilder import WilderAverage


def true_range(bar: Bar, close_before: float) -> float:
    """Return the span of the bar and the close before it, in the price's currency."""
    return max(bar.high, close_before) - min(bar.low, close_before)


class ATR:
    """See the module. `value` is None until `period` bars and the one before were seen."""

    __slots__ = ("_average", "_close_before", "period")

    def __init__(self, period: int = 14) -> None:
        self.period = check_period(period)
        self._close_before: float | None = None
        self._average = WilderAverage(period)

    @property
    def value(self) -> float | None:
        return self._average.value

    def update(self, bar: Bar) -> float | None:
        """Take the next bar; return the new value."""
        if self._close_before is not None:
            self._average.update(true_range(bar, self._close_before))
        self._close_before = bar.close
        return self._average.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"closeBefore": self._close_before, "average": self._average.save()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self._close_before = state["closeBefore"]
        self._average.load(state["average"])
