"""Reversion to the mean by the relative strength index: buys what has been sold too much, once it turns. Long only.

Buys for `orderNotional` on the bar where the index leaves the oversold zone upwards: it was below `oversold`, and is not any more. Sells
all on the first bar where it is at `overbought` or above.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from tradingbot_contract.section import Money
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.board import Indicators
from tradingbot_engine.strategy.interface import Parameters, Strategy

Period = Annotated[int, Meta(ge=2, le=10_000)]
Level = Annotated[float, Meta(gt=0, lt=100)]


class RsiReversionParameters(Parameters, frozen=True):
    """See the module; the period is in bars, levels are those of the index (0 to 100), money in quote currency."""

    period: Period = 14
    oversold: Level = 30.0
    overbought: Level = 70.0
    order_notional: Money = 10_000.0

    def __post_init__(self) -> None:
        if not self.oversold < self.overbought:
            raise ValueError(f"oversold ({self.oversold:g}) must be below overbought ({self.overbought:g})")


class RsiReversion(Strategy):
    """See the module."""

    parameters_type: ClassVar[type[Parameters]] = RsiReversionParameters
    parameters: RsiReversionParameters

    def __init__(self, parameters: RsiReversionParameters) -> None:
        super().__init__(parameters)
        self.indicators = Indicators()
        self._oversold: set[str] = set()
        """Symbols whose index was below the level when it was last known."""

    def on_bar(self, bar: Bar) -> None:
        parameters, symbol = self.parameters, bar.symbol
        strength = self.indicators.take(bar).rsi(parameters.period).value
        if strength is None:
            return
        if strength < parameters.oversold:
            self._oversold.add(symbol)
            return
        leaves_oversold = symbol in self._oversold
        self._oversold.discard(symbol)
        if strength >= parameters.overbought:
            self.desk.sell(symbol)
        elif leaves_oversold and not self.desk.position(symbol):
            self.desk.buy(symbol, parameters.order_notional)

    def on_save(self) -> dict[str, Any]:
        return {"indicators": self.indicators.save(), "oversold": sorted(self._oversold)}

    def on_load(self, state: dict[str, Any]) -> None:
        self.indicators.load(state["indicators"])
        self._oversold = set(state["oversold"])
