"""RSI reversion: when it buys and sells."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Strategy
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.strategy.registry import parse_strategy
from tradingbot_engine.strategy.rsi_reversion import RsiReversion, RsiReversionParameters


def start(desk: Any) -> RsiReversion:
    strategy = RsiReversion(RsiReversionParameters(period=2, oversold=30.0, overbought=70.0, order_notional=50.0))
    strategy.on_start(desk)
    return strategy


def play(strategy: RsiReversion, closes: list[float], symbol: str = "A") -> None:
    for index, close in enumerate(closes):
        strategy.on_bar(Bar(symbol, index, close, close, close, close, 1.0))


# Wilder's averages of two changes: 10, 9, 8 is an RSI of 0; then +1 makes 50, another +2 makes 83.3.
@pytest.mark.parametrize(
    ("closes", "log"),
    [
        ([10.0, 9.0, 8.0], []),  # oversold: it isn't over yet
        ([10.0, 9.0, 8.0, 9.0], ["buy A for 50"]),
        ([10.0, 9.0, 8.0, 9.0, 11.0], ["buy A for 50", "sell A"]),
        ([10.0, 9.0, 8.0, 8.1], []),  # up, but still oversold
        ([10.0, 9.0, 8.0, 18.0], []),  # from one zone straight into the other
        ([10.0, 11.0, 12.0, 11.0], []),  # falls from above: it was never oversold
        ([10.0, 9.0, 8.0, 9.0, 8.0, 6.0, 8.0], ["buy A for 50"]),  # oversold and out again: it holds already
        ([10.0] * 20, []),  # no movement: no index
    ],
)
def test_it_trades_on_the_bar_where_the_zone_is_left(desk: Any, closes: list[float], log: list[str]) -> None:
    play(start(desk), closes)
    assert desk.log == log


def test_symbols_do_not_mix(desk: Any) -> None:
    strategy = start(desk)
    for index, (a, b) in enumerate(zip([10.0, 9.0, 8.0, 9.0], [10.0, 11.0, 12.0, 11.0], strict=True)):
        strategy.on_bar(Bar("A", index, a, a, a, a, 1.0))
        strategy.on_bar(Bar("B", index, b, b, b, b, 1.0))
    assert desk.log == ["buy A for 50"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"period": 1}, "strategy.parameters.period: Expected `int` >= 2"),
        ({"oversold": 0}, "strategy.parameters.oversold: Expected `float` > 0"),
        ({"overbought": 100}, "strategy.parameters.overbought: Expected `float` < 100"),
        ({"oversold": 80}, "strategy.parameters: oversold (80) must be below overbought (70)"),
        ({"orderNotional": 0}, "strategy.parameters.orderNotional: Expected `float` > 0"),
    ],
)
def test_what_is_out_of_bounds_is_named(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_strategy(Strategy("rsi-reversion", parameters))
    assert str(error.value).startswith(said)
