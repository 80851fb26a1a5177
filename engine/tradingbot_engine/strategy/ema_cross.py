"""Trend following with two moving averages: holds a symbol while its fast average is above the slow one. Long only.

Buys for `orderNotional` on the bar where the fast average crosses above the slow, sells all on the bar where it crosses below.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from tradingbot_contract.section import Money
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.ema import EMA
from tradingbot_engine.strategy.interface import Parameters, Strategy

Period = Annotated[int, Meta(ge=1, le=10_000)]


class EmaCrossParameters(Parameters, frozen=True):
    """See the module; periods are in bars, money in quote currency."""

    fast_period: Period = 10
    slow_period: Period = 30
    order_notional: Money = 10_000.0

    def __post_init__(self) -> None:
        if not self.fast_period < self.slow_period:
            raise ValueError(f"fastPeriod ({self.fast_period}) must be below slowPeriod ({self.slow_period})")


class _Trend:
    """The two averages of one symbol, and which of them was above at the last bar (None: not known yet)."""

    __slots__ = ("above", "fast", "slow")

    def __init__(self, fast_period: int, slow_period: int) -> None:
        self.fast = EMA(fast_period)
        self.slow = EMA(slow_period)
        self.above: bool | None = None


class EmaCross(Strategy):
    """See the module."""

    parameters_type: ClassVar[type[Parameters]] = EmaCrossParameters
    parameters: EmaCrossParameters

    def __init__(self, parameters: EmaCrossParameters) -> None:
        super().__init__(parameters)
        self._trends: dict[str, _Trend] = {}

    def on_bar(self, bar: Bar) -> None:
        trend = self._trends.get(bar.symbol)
        if trend is None:
            trend = self._trends[bar.symbol] = _Trend(self.parameters.fast_period, self.parameters.slow_period)
        price = bar.close
        fast = trend.fast.update(price)
        slow = trend.slow.update(price)
        if slow is None or fast is None:
            return
        above = fast > slow
        if above is trend.above:
            return
        crossed = trend.above is not None
        trend.above = above
        if not crossed:
            return
        if above:
            if not self.desk.position(bar.symbol):
                self.desk.buy(bar.symbol, self.parameters.order_notional)
        else:
            self.desk.sell(bar.symbol)

    def on_save(self) -> dict[str, Any]:
        return {
            symbol: {"fast": trend.fast.save(), "slow": trend.slow.save(), "above": trend.above} for symbol, trend in self._trends.items()
        }

    def on_load(self, state: dict[str, Any]) -> None:
        for symbol, saved in state.items():
            trend = self._trends[symbol] = _Trend(self.parameters.fast_period, self.parameters.slow_period)
            trend.fast.load(saved["fast"])
            trend.slow.load(saved["slow"])
            trend.above = saved["above"]
