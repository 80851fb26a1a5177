"""Every value of every indicator on real prices, beside TA-Lib's; VWAP, which that doesn't have, beside numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import talib

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.board import Board

TOLERANCE = 1e-9
"""Relative to the largest value of the series."""
Series = Any
"""A numpy array."""


class Columns:
    def __init__(self, bars: list[Bar]) -> None:
        self.high = np.array([bar.high for bar in bars])
        self.low = np.array([bar.low for bar in bars])
        self.close = np.array([bar.close for bar in bars])
        self.volume = np.array([bar.volume for bar in bars])


def rolling_vwap(columns: Columns, period: int) -> Series:
    windows = np.lib.stride_tricks.sliding_window_view
    typical = (columns.high + columns.low + columns.close) / 3
    values = windows(typical * columns.volume, period).sum(axis=1) / windows(columns.volume, period).sum(axis=1)
    return np.concatenate([np.full(period - 1, np.nan), values])


def donchian(columns: Columns, period: int) -> tuple[Series, Series, Series]:
    return (
        talib.MAX(columns.high, period),
        talib.MIDPRICE(columns.high, columns.low, period),
        talib.MIN(columns.low, period),
    )


def stochastic(columns: Columns, period: int, k: int, d: int) -> tuple[Series, Series]:
    return talib.STOCH(columns.high, columns.low, columns.close, fastk_period=period, slowk_period=k, slowd_period=d)


def adx(columns: Columns, period: int) -> tuple[Series, Series, Series]:
    prices = (columns.high, columns.low, columns.close)
    strength = talib.ADX(*prices, period)
    known = ~np.isnan(strength)  # the other two are known earlier there
    return (
        strength,
        np.where(known, talib.PLUS_DI(*prices, period), np.nan),
        np.where(known, talib.MINUS_DI(*prices, period), np.nan),
    )


CASES: list[tuple[str, Callable[[Board], Any], Callable[[Columns], Any]]] = [
    *[
        case
        for n in (2, 10, 30, 200)
        for case in (
            (f"sma {n}", lambda board, n=n: board.sma(n), lambda columns, n=n: talib.SMA(columns.close, n)),
            (f"ema {n}", lambda board, n=n: board.ema(n), lambda columns, n=n: talib.EMA(columns.close, n)),
            (f"wma {n}", lambda board, n=n: board.wma(n), lambda columns, n=n: talib.WMA(columns.close, n)),
            (f"rsi {n}", lambda board, n=n: board.rsi(n), lambda columns, n=n: talib.RSI(columns.close, n)),
            (f"atr {n}", lambda board, n=n: board.atr(n), lambda columns, n=n: talib.ATR(columns.high, columns.low, columns.close, n)),
            (f"adx {n}", lambda board, n=n: board.adx(n), lambda columns, n=n: adx(columns, n)),
            (f"donchian {n}", lambda board, n=n: board.donchian(n), lambda columns, n=n: donchian(columns, n)),
            (f"vwap {n}", lambda board, n=n: board.vwap(n), lambda columns, n=n: rolling_vwap(columns, n)),
        )
    ],
    *[
        (
            f"bollinger {n} {k}",
            lambda board, n=n, k=k: board.bollinger(n, k),
            lambda columns, n=n, k=k: talib.BBANDS(columns.close, timeperiod=n, nbdevup=k, nbdevdn=k),
        )
        for n, k in ((20, 2.0), (5, 1.5), (200, 3.0))
    ],
    *[
        (
            f"macd {fast} {slow} {signal}",
            lambda board, p=(fast, slow, signal): board.macd(*p),
            lambda columns, p=(fast, slow, signal): talib.MACD(columns.close, *p),
        )
        for fast, slow, signal in ((12, 26, 9), (3, 4, 2), (50, 200, 30))
    ],
    *[
        (
            f"stochastic {n} {k} {d}",
            lambda board, p=(n, k, d): board.stochastic(*p),
            lambda columns, p=(n, k, d): stochastic(columns, *p),
        )
        for n, k, d in ((14, 3, 3), (5, 1, 1), (100, 10, 4))
    ],
]


@pytest.mark.parametrize("symbol", ["AAPL", "GOOG", "IBM", "MSFT"])
@pytest.mark.parametrize(("ask", "reference"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_value_is_the_reference_s(
    real_bars: Mapping[str, list[Bar]], symbol: str, ask: Callable[[Board], Any], reference: Callable[[Columns], Any]
) -> None:
    bars = real_bars[symbol]
    board = Board()
    indicator = ask(board)
    values = []
    for bar in bars:
        board.take(bar)
        values.append(indicator.value)
    expected = reference(Columns(bars))
    expected = np.array(expected) if isinstance(expected, tuple) else np.array([expected])
    first = int(np.argmax(~np.isnan(expected[-1])))
    assert first > 0
    assert values[:first] == [None] * first
    found = np.array(values[first:]).reshape(len(bars) - first, len(expected)).T
    for mine, theirs in zip(found, expected[:, first:], strict=True):
        assert np.max(np.abs(mine - theirs)) <= TOLERANCE * np.max(np.abs(theirs))
