"""Wilder's moving average: each number moves it by 1 / n of its distance; the first value is the mean of the first n.

J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978). RSI and ATR are made of it.
"""

from __future__ import annotations

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.seeded import SeededAverage


class WilderAverage(SeededAverage):
    """See the module. `value` is None until `period` numbers were seen."""

    __slots__ = ()

    def __init__(self, period: int) -> None:
        super().__init__(period, 1.0 / check_period(period))
