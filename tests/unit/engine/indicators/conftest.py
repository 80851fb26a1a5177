"""What indicators are tried on: the real prices that ship with the engine, and every kind of indicator by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tradingbot_engine.feed.dataset import DATASETS
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.feed.reader import read_prices
from tradingbot_engine.indicators.board import Board

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
Ask = Callable[[Board], Any]

ASKS: dict[str, Ask] = {
    "sma": lambda board: board.sma(5),
    "ema": lambda board: board.ema(5),
    "wma": lambda board: board.wma(5),
    "rsi": lambda board: board.rsi(5),
    "macd": lambda board: board.macd(3, 6, 4),
    "atr": lambda board: board.atr(5),
    "bollinger": lambda board: board.bollinger(5, 2.5),
    "donchian": lambda board: board.donchian(5),
    "stochastic": lambda board: board.stochastic(5, 3, 2),
    "adx": lambda board: board.adx(4),
    "vwap": lambda board: board.vwap(5),
}


@pytest.fixture(params=ASKS.values(), ids=ASKS.keys())
def ask(request: pytest.FixtureRequest) -> Ask:
    """Ask a board for one kind, with parameters of its own."""
    found: Ask = request.param
    return found


@pytest.fixture(scope="session")
def real_bars() -> Mapping[str, list[Bar]]:
    prices = read_prices(DATASETS["wiki-daily"], SYMBOLS)
    bars: dict[str, list[Bar]] = {symbol: [] for symbol in SYMBOLS}
    for step in prices.bars(0, prices.steps):
        for bar in step:
            bars[bar.symbol].append(bar)
    return bars
