from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.statistics.curve import YEAR_SECONDS, CurvePoint
from tradingbot_engine.statistics.round_trips import Trade
from tradingbot_engine.statistics.summary import summarise

WEEK = 7 * 86_400.0


def trade(side: str, amount: float, price: float, time: float, fee: float = 0.0) -> Trade:
    return Trade("IBM", side, amount, price, fee, time)


def test_a_year_of_four_trades_by_hand() -> None:
    quarter = YEAR_SECONDS / 4
    curve = [CurvePoint(number * quarter, equity) for number, equity in enumerate([1000.0, 1100.0, 990.0, 1050.0, 1200.0])]
    fills = [
        trade("buy", 10, 10, 0),
        trade("sell", 10, 20, quarter, fee=1),  # +99
        trade("buy", 10, 20, quarter),
        trade("sell", 10, 15, 2 * quarter, fee=1),  # -51
        trade("buy", 10, 10, 2 * quarter),
        trade("sell", 10, 11, 2.5 * quarter, fee=0),  # +10
    ]
    found = summarise(curve, fills)
    assert found.total_return == pytest.approx(0.2)
    assert found.annual_growth == pytest.approx(0.2)
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.max_drawdown_seconds == found.longest_drawdown_seconds == pytest.approx(3 * quarter)
    assert found.calmar == pytest.approx(2.0)
    assert found.returns_per_year == pytest.approx(4.0)
    assert found.trades == 3
    assert found.win_rate == pytest.approx(2 / 3)
    assert found.profit_factor == pytest.approx(109 / 51)
    assert (found.average_win, found.average_loss) == (pytest.approx(54.5), pytest.approx(-51.0))
    assert found.expectancy == pytest.approx(58 / 3)
    assert found.exposure == pytest.approx(2.5 / 4)
    assert found.fees == 2
    assert found.average_seconds == pytest.approx(2.5 / 3 * quarter)
    assert found.turnover_per_year == pytest.approx(400 / 1068)


def test_a_bot_without_trades_has_no_figures_of_trades() -> None:
    found = summarise([CurvePoint(0, 100.0), CurvePoint(WEEK, 100.0)], [])
    assert (found.total_return, found.max_drawdown, found.trades, found.fees, found.exposure) == (0.0, 0.0, 0, 0.0, 0.0)
    assert found.win_rate is found.profit_factor is found.expectancy is found.average_win is found.average_loss is None
    assert found.sharpe is found.sortino is found.calmar is found.annual_growth is None


def test_a_bot_that_has_not_begun_has_no_figures_at_all() -> None:
    found = summarise([], [])
    assert (found.first_at, found.max_drawdown, found.total_return, found.exposure) == (None, None, None, None)


def test_who_has_seen_every_step_knows_of_a_deeper_drawdown_than_the_points() -> None:
    curve = [CurvePoint(0, 100.0), CurvePoint(WEEK, 90.0)]
    assert summarise(curve, [], max_drawdown=0.3).max_drawdown == pytest.approx(0.3)
    assert summarise(curve, [], max_drawdown=0.05).max_drawdown == pytest.approx(0.1)


POINTS = st.lists(st.tuples(st.floats(0, 1e10), st.floats(0, 1e15)).map(lambda pair: CurvePoint(*pair)), max_size=30)
FILLS = st.lists(
    st.builds(
        Trade,
        symbol=st.sampled_from(["A", "B"]),
        side=st.sampled_from(["buy", "sell"]),
        amount=st.floats(1e-9, 1e12),
        price=st.floats(1e-9, 1e12),
        fee=st.floats(0, 1e9),
        time=st.floats(0, 1e10),
    ),
    max_size=30,
)


@given(POINTS, FILLS, st.booleans())
def test_every_figure_is_finite_or_none_whatever_the_books_say(curve: list[CurvePoint], fills: list[Trade], in_order: bool) -> None:
    if in_order:
        curve = sorted(curve)
    for name, value in msgspec.to_builtins(summarise(curve, fills)).items():
        assert value is None or math.isfinite(value), name
