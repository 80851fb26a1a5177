"""The EMA cross: when it buys and sells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.strategy.ema_cross import EmaCross, EmaCrossParameters


class Desk:
    """Fills everything at once."""

    cash = equity = 0.0

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.log: list[str] = []

    def position(self, symbol: str) -> float:
        return self.held.get(symbol, 0.0)

    def buy(self, symbol: str, notional: float) -> None:
        self.held[symbol] = 1.0
        self.log.append(f"buy {symbol} for {notional:g}")

    def sell(self, symbol: str, quantity: float | None = None) -> None:
        assert quantity is None
        if self.held.pop(symbol, 0.0):
            self.log.append(f"sell {symbol}")


def start(desk: Desk) -> EmaCross:
    strategy = EmaCross(EmaCrossParameters(fast_period=1, slow_period=3, order_notional=50.0))
    strategy.on_start(desk)
    return strategy


def play(strategy: EmaCross, closes: list[float], symbol: str = "A") -> None:
    for close in closes:
        strategy.on_bar(Bar(symbol, 0, close, close, close, close, 1.0))


@pytest.mark.parametrize(
    ("closes", "log"),
    [
        ([3.0, 2.0, 1.0], []),
        ([3.0, 2.0, 1.0, 9.0], ["buy A for 50"]),
        ([3.0, 2.0, 1.0, 9.0, 9.0, 9.0], ["buy A for 50"]),
        ([3.0, 2.0, 1.0, 9.0, 1.0], ["buy A for 50", "sell A"]),
        ([1.0, 2.0, 3.0, 4.0], []),  # above from the beginning: no cross
        ([1.0, 2.0, 3.0, 1.0], []),  # crosses below with nothing to sell
        ([1.0, 2.0, 3.0, 1.0, 9.0], ["buy A for 50"]),
        ([5.0, 5.0, 5.0, 5.0], []),
    ],
)
def test_it_trades_on_the_bar_of_the_cross(closes: list[float], log: list[str]) -> None:
    desk = Desk()
    play(start(desk), closes)
    assert desk.log == log


def test_symbols_do_not_mix() -> None:
    desk = Desk()
    strategy = start(desk)
    for index, close in enumerate([3.0, 2.0, 1.0, 9.0]):
        play(strategy, [close], "A")
        play(strategy, [10.0 - index], "B")
    assert desk.log == ["buy A for 50"]


@pytest.mark.parametrize("cut", range(9))
def test_saved_and_loaded_it_decides_the_same(cut: int) -> None:
    closes: list[float] = [3.0, 2.0, 1.0, 9.0, 1.0, 1.0, 9.0, 9.0, 1.0]
    whole = Desk()
    play(start(whole), closes)
    desk = Desk()
    first = start(desk)
    play(first, closes[:cut])
    state: dict[str, Any] = json.loads(json.dumps(first.on_save()))
    second = start(desk)
    second.on_load(state)
    play(second, closes[cut:])
    assert desk.log == whole.log
