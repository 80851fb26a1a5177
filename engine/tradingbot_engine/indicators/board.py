"""The indicators of a symbol, made when somebody first asks for them and updated once for each bar.

A strategy hands each bar to its `Indicators` and asks the board that it gets back::

    board = self.indicators.take(bar)
    rsi = board.rsi(14).value
    if rsi is None:
        return

Whoever asks for the same kind with the same parameters gets the same instance, which may be kept and read at later bars. One that
nobody has asked for costs nothing. An indicator begins with the bar at which it is first asked for; it can't know the bars before.
So each bar has to be taken, once for each symbol, before any `return`: a bar that wasn't taken is a bar that the indicators don't know of.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeVar

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.adx import ADX
from tradingbot_engine.indicators.atr import ATR
from tradingbot_engine.indicators.bollinger import Bollinger
from tradingbot_engine.indicators.donchian import Donchian
from tradingbot_engine.indicators.ema import EMA
from tradingbot_engine.indicators.macd import MACD
from tradingbot_engine.indicators.rsi import RSI
from tradingbot_engine.indicators.sma import SMA
from tradingbot_engine.indicators.stochastic import Stochastic
from tradingbot_engine.indicators.vwap import VWAP
from tradingbot_engine.indicators.wma import WMA


class _Indicator(Protocol):
    def __init__(self, *parameters: Any) -> None: ...
    def save(self) -> dict[str, Any]: ...
    def load(self, state: dict[str, Any]) -> None: ...


class OfCloses(_Indicator, Protocol):
    """An indicator of the closing prices."""

    def update(self, price: float, /) -> Any: ...


class OfBars(_Indicator, Protocol):
    """An indicator that needs more of a bar than its close."""

    def update(self, bar: Bar, /) -> Any: ...


_OfCloses = TypeVar("_OfCloses", bound=OfCloses)
_OfBars = TypeVar("_OfBars", bound=OfBars)
_Parameters = tuple[float, ...]

_CLOSE_KINDS: Final[dict[str, type[OfCloses]]] = {kind.__name__: kind for kind in (SMA, EMA, WMA, RSI, MACD, Bollinger)}
_BAR_KINDS: Final[dict[str, type[OfBars]]] = {kind.__name__: kind for kind in (ATR, Donchian, Stochastic, ADX, VWAP)}


class Board:
    """The indicators of one symbol. Periods are in bars; ValueError if a parameter can't be one."""

    __slots__ = ("_bar", "_of_bars", "_of_closes", "_time_ms")

    def __init__(self) -> None:
        self._bar: Bar | None = None
        """The last one, in this process."""
        self._time_ms: int | None = None
        self._of_closes: dict[tuple[type[OfCloses], _Parameters], OfCloses] = {}
        self._of_bars: dict[tuple[type[OfBars], _Parameters], OfBars] = {}

    def take(self, bar: Bar) -> None:
        """Bring all up to date; a bar of the same time again changes nothing.

        Raises:
            ValueError: the bar is older than one that was taken.
        """
        if self._time_ms is not None and bar.time_ms <= self._time_ms:
            if bar.time_ms < self._time_ms:
                raise ValueError(f"a bar of {bar.symbol} at {bar.time_ms} ms came after one at {self._time_ms} ms")
            return
        self._time_ms = bar.time_ms
        self._bar = bar
        close = bar.close
        for of_closes in self._of_closes.values():
            of_closes.update(close)
        for of_bars in self._of_bars.values():
            of_bars.update(bar)

    def sma(self, period: int) -> SMA:
        return self._find_of_closes(SMA, period)

    def ema(self, period: int) -> EMA:
        return self._find_of_closes(EMA, period)

    def wma(self, period: int) -> WMA:
        return self._find_of_closes(WMA, period)

    def rsi(self, period: int = 14) -> RSI:
        return self._find_of_closes(RSI, period)

    def macd(self, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9) -> MACD:
        return self._find_of_closes(MACD, fast_period, slow_period, signal_period)

    def bollinger(self, period: int = 20, deviations: float = 2.0) -> Bollinger:
        return self._find_of_closes(Bollinger, period, deviations)

    def atr(self, period: int = 14) -> ATR:
        return self._find_of_bars(ATR, period)

    def donchian(self, period: int = 20) -> Donchian:
        return self._find_of_bars(Donchian, period)

    def stochastic(self, period: int = 14, k_smoothing: int = 3, d_smoothing: int = 3) -> Stochastic:
        return self._find_of_bars(Stochastic, period, k_smoothing, d_smoothing)

    def adx(self, period: int = 14) -> ADX:
        return self._find_of_bars(ADX, period)

    def vwap(self, period: int = 20) -> VWAP:
        return self._find_of_bars(VWAP, period)

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        live = (*self._of_closes.items(), *self._of_bars.items())
        return {
            "timeMs": self._time_ms,
            "indicators": [
                {"kind": kind.__name__, "parameters": list(parameters), "state": indicator.save()} for (kind, parameters), indicator in live
            ],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._time_ms = state["timeMs"]
        for saved in state["indicators"]:
            name, parameters = saved["kind"], saved["parameters"]
            if name in _CLOSE_KINDS:
                self._find_of_closes(_CLOSE_KINDS[name], *parameters).load(saved["state"])
            else:
                self._find_of_bars(_BAR_KINDS[name], *parameters).load(saved["state"])

    def _find_of_closes(self, kind: type[_OfCloses], *parameters: float) -> _OfCloses:
        found = self._of_closes.get((kind, parameters))
        if found is None:
            found = self._of_closes[kind, parameters] = kind(*parameters)
            if self._bar is not None:
                found.update(self._bar.close)
        assert isinstance(found, kind)
        return found

    def _find_of_bars(self, kind: type[_OfBars], *parameters: float) -> _OfBars:
        found = self._of_bars.get((kind, parameters))
        if found is None:
            found = self._of_bars[kind, parameters] = kind(*parameters)
            if self._bar is not None:
                found.update(self._bar)
        assert isinstance(found, kind)
        return found


class Indicators:
    """The boards of a strategy, one for each symbol."""

    __slots__ = ("_boards",)

    def __init__(self) -> None:
        self._boards: dict[str, Board] = {}

    def __call__(self, symbol: str) -> Board:
        """Return the board of a symbol, for one whose bar isn't the one at hand."""
        board = self._boards.get(symbol)
        if board is None:
            board = self._boards[symbol] = Board()
        return board

    def take(self, bar: Bar) -> Board:
        """Bring the board of the bar's symbol up to date and return it.

        Raises:
            ValueError: the bar is older than one that was taken.
        """
        board = self(bar.symbol)
        board.take(bar)
        return board

    def save(self) -> dict[str, Any]:
        """Return the state, for a strategy's `on_save`."""
        return {symbol: board.save() for symbol, board in self._boards.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state, in a strategy's `on_load`."""
        for symbol, saved in state.items():
            self(symbol).load(saved)
