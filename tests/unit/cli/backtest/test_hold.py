from __future__ import annotations

import pytest

from tradingbot_cli.backtest.hold import hold
from tradingbot_contract.spec import Paper
from tradingbot_engine.feed.prices import Columns, Prices
from tradingbot_engine.statistics.curve import CurvePoint

FREE = Paper(fee_basis_points=0.0, slippage_basis_points=0.0)


def prices_of(*bars: tuple[int, int, float, float]) -> Prices:
    """Bars as index of the symbol, second, open and close."""
    columns = Columns()
    for index, second, opening, close in bars:
        columns.symbol_indexes.append(index)
        columns.times_ms.append(second * 1000)
        columns.opens.append(opening)
        columns.highs.append(max(opening, close))
        columns.lows.append(min(opening, close))
        columns.closes.append(close)
        columns.volumes.append(1.0)
    return Prices(["A", "B"], columns, "d")


def test_each_symbol_gets_an_equal_part_and_is_held() -> None:
    prices = prices_of((0, 1, 10, 10), (1, 1, 50, 100), (0, 2, 10, 20), (1, 2, 100, 100))
    assert hold(prices, FREE, 1000.0, [0, 1]) == [CurvePoint(1.0, 1500.0), CurvePoint(2.0, 2000.0)]


def test_what_has_no_price_yet_is_bought_when_it_has_one() -> None:
    prices = prices_of((0, 1, 10, 20), (0, 2, 20, 20), (1, 2, 50, 100))
    assert hold(prices, FREE, 1000.0, [0, 1]) == [CurvePoint(1.0, 1500.0), CurvePoint(2.0, 2000.0)]


def test_it_pays_what_the_broker_takes() -> None:
    prices = prices_of((0, 1, 10, 10), (1, 1, 50, 50))
    (point,) = hold(prices, Paper(fee_basis_points=10.0, slippage_basis_points=5.0), 1000.0, [0])
    assert point.equity == pytest.approx(1000 / 1.0005 / 1.001)


def test_only_the_steps_that_are_asked_for_are_told() -> None:
    prices = prices_of(*[(index, second, 10.0, 10.0 + second) for second in range(1, 6) for index in (0, 1)])
    assert [point.time for point in hold(prices, FREE, 100.0, [1, 4])] == [2.0, 5.0]
