"""The Donchian breakout: when it buys and sells, and where its stop is."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Strategy
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.orders.order import Side
from tradingbot_engine.strategy.donchian_breakout import DonchianBreakout, DonchianBreakoutParameters
from tradingbot_engine.strategy.registry import parse_strategy

BUY, SELL = "buy A for 50", "sell A"


def start(desk: Any, **changes: Any) -> DonchianBreakout:
    parameters: dict[str, Any] = {"entry_period": 3, "exit_period": 2, "order_notional": 50.0, **changes}
    strategy = DonchianBreakout(DonchianBreakoutParameters(**parameters))
    strategy.on_start(desk)
    return strategy


def play(strategy: DonchianBreakout, closes: list[float], symbol: str = "A", since: int = 0) -> None:
    """Bars that reach half a unit beyond their close."""
    for index, close in enumerate(closes, since):
        strategy.on_bar(Bar(symbol, index, close, close + 0.5, close - 0.5, close, 1.0))


@pytest.mark.parametrize(
    ("closes", "log"),
    [
        ([5.0, 5.0, 5.0, 5.4], []),  # above all closes, not above the highs
        ([5.0, 5.0, 5.0, 6.0], [BUY]),
        ([5.0, 5.0, 6.0], []),  # the channel isn't full yet
        ([9.0, 5.0, 5.0, 6.0, 7.0], [BUY]),  # the 9 has left the channel with the last bar
        ([5.0, 5.0, 5.0, 6.0, 7.0, 8.0], [BUY]),  # it holds already
        ([5.0, 5.0, 5.0, 6.0, 6.0, 5.4], [BUY, SELL]),
        ([5.0, 5.0, 5.0, 6.0, 6.0, 5.5], [BUY]),  # at the low, not below
        ([5.0, 5.0, 5.0, 6.0, 6.0, 5.0, 4.0, 5.0, 7.0], [BUY, SELL, BUY]),
    ],
)
def test_it_trades_on_the_bar_that_leaves_the_channel(desk: Any, closes: list[float], log: list[str]) -> None:
    play(start(desk), closes)
    assert desk.log == log


def test_the_stop_is_so_many_ranges_below_the_fill(desk: Any) -> None:
    strategy = start(desk, exit_period=9, atr_stop=2.0, atr_period=2)
    play(strategy, [5.0, 5.0, 5.0, 6.0])
    assert desk.log == [BUY]
    desk.tell(strategy, Side.BUY, "A", 6.5)  # true ranges of 1, 1 and 1.5: 1.25 of average, so the stop is at 4
    play(strategy, [4.2, 4.0], since=4)
    assert desk.log == [BUY]
    play(strategy, [3.9], since=6)
    assert desk.log == [BUY, SELL]
    desk.tell(strategy, Side.SELL, "A", 3.9)
    assert strategy.on_save()["stops"] == {}


def test_without_a_range_for_its_stop_nothing_is_bought(desk: Any) -> None:
    play(start(desk, atr_stop=2.0, atr_period=6), [5.0, 5.0, 5.0, 6.0, 7.0, 8.0])
    assert desk.log == []
    play(start(desk, atr_stop=2.0, atr_period=6), [5.0, 5.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    assert desk.log == [BUY]


def test_a_position_of_another_strategy_has_the_exit_channel(desk: Any) -> None:
    desk.held["A"] = 1.0
    play(start(desk, atr_stop=0.1, atr_period=1), [5.0, 5.0, 4.0])
    assert desk.log == [SELL]


def test_symbols_do_not_mix(desk: Any) -> None:
    strategy = start(desk)
    for index, (a, b) in enumerate(zip([5.0, 5.0, 5.0, 6.0], [9.0, 9.0, 9.0, 8.0], strict=True)):
        play(strategy, [a], "A", index)
        play(strategy, [b], "B", index)
    assert desk.log == [BUY]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"entryPeriod": 0}, "strategy.parameters.entryPeriod: Expected `int` >= 1"),
        ({"exitPeriod": 20_000}, "strategy.parameters.exitPeriod: Expected `int` <= 10000"),
        ({"atrStop": 0}, "strategy.parameters.atrStop: Expected `float` > 0"),
        ({"atrStop": "2"}, "strategy.parameters.atrStop: Expected `float | null`, got `str`"),
        ({"orderNotional": -1}, "strategy.parameters.orderNotional: Expected `float` > 0"),
    ],
)
def test_what_is_out_of_bounds_is_named(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_strategy(Strategy("donchian-breakout", parameters))
    assert str(error.value).startswith(said)
