"""Breakout of the Donchian channel, as the Turtles traded it: buys what rises above all it has been of late. Long only.

Buys for `orderNotional` on the bar that closes above the highest high of the `entryPeriod` bars before it. Sells all on the bar that
closes below the lowest low of the `exitPeriod` bars before it, or, with `atrStop`, below the price it was bought at less so many
average true ranges (of `atrPeriod` bars, as they were when it was bought).

A position that this strategy hasn't bought itself, since the bot had another one then, has no stop; it has the exit channel.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from tradingbot_contract.section import Money
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.board import Indicators
from tradingbot_engine.orders.order import Fill, Side
from tradingbot_engine.strategy.interface import Parameters, Strategy

Period = Annotated[int, Meta(ge=1, le=10_000)]


class DonchianBreakoutParameters(Parameters, frozen=True):
    """See the module; periods are in bars, the stop in average true ranges (none if not set), money in quote currency."""

    entry_period: Period = 20
    exit_period: Period = 10
    atr_stop: Annotated[float, Meta(gt=0, le=1000)] | None = None
    atr_period: Period = 14
    order_notional: Money = 10_000.0


class DonchianBreakout(Strategy):
    """See the module."""

    parameters_type: ClassVar[type[Parameters]] = DonchianBreakoutParameters
    parameters: DonchianBreakoutParameters

    def __init__(self, parameters: DonchianBreakoutParameters) -> None:
        super().__init__(parameters)
        self.indicators = Indicators()
        self._ceiling: dict[str, float] = {}
        """The upper end of the entry channel, by symbol, before the bar at hand."""
        self._floor: dict[str, float] = {}
        """The lower end of the exit channel, likewise."""
        self._stops: dict[str, float] = {}

    def on_bar(self, bar: Bar) -> None:
        parameters, symbol = self.parameters, bar.symbol
        board = self.indicators.take(bar)
        entry = board.donchian(parameters.entry_period).value
        leave = board.donchian(parameters.exit_period).value
        if parameters.atr_stop is not None:
            board.atr(parameters.atr_period)  # from the first bar on, so that it is known when something is bought
        ceiling, floor = self._ceiling.get(symbol), self._floor.get(symbol)
        if entry is not None:
            self._ceiling[symbol] = entry.upper
        if leave is not None:
            self._floor[symbol] = leave.lower
        if self.desk.position(symbol):
            stop = self._stops.get(symbol)
            if (floor is not None and bar.close < floor) or (stop is not None and bar.close < stop):
                self.desk.sell(symbol)
        elif ceiling is not None and bar.close > ceiling and self._can_stop(symbol):
            self.desk.buy(symbol, parameters.order_notional)

    def on_fill(self, fill: Fill) -> None:
        if fill.side is Side.SELL:
            if not self.desk.position(fill.symbol):
                self._stops.pop(fill.symbol, None)
            return
        if self.parameters.atr_stop is None:
            return
        reach = self.indicators(fill.symbol).atr(self.parameters.atr_period).value
        if reach is not None:
            self._stops[fill.symbol] = fill.price - self.parameters.atr_stop * reach

    def _can_stop(self, symbol: str) -> bool:
        """Whether a purchase would have the stop that the user wants: nothing is bought without."""
        return self.parameters.atr_stop is None or self.indicators(symbol).atr(self.parameters.atr_period).value is not None

    def on_save(self) -> dict[str, Any]:
        return {"indicators": self.indicators.save(), "ceiling": self._ceiling, "floor": self._floor, "stops": self._stops}

    def on_load(self, state: dict[str, Any]) -> None:
        self.indicators.load(state["indicators"])
        self._ceiling = dict(state["ceiling"])
        self._floor = dict(state["floor"])
        self._stops = dict(state["stops"])
