"""Exponential moving average, one price at a time: each price moves it by 2 / (n + 1) of its distance."""

from __future__ import annotations

from tradingbot_engine.indicators.period import check_period
from tradingbot_engine.indicators.seeded import SeededAverage


class EMA(SeededAverage):
    """See the module. `value` is None until `period` prices were seen."""

    __slots__ = ()

    def __init__(self, period: int) -> None:
        super().__init__(period, 2.0 / (check_period(period) + 1))
