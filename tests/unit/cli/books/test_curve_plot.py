from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.books.curve_plot import DRAWDOWN_ROWS, EQUITY_ROWS, deepest_of_each, draw_curve, draw_depths, spread
from tradingbot_engine.statistics.curve import CurvePoint

DAY = 86_400


def test_a_curve_has_its_bounds_its_drawdown_and_its_dates() -> None:
    lines = draw_curve([CurvePoint(day * DAY, equity) for day, equity in enumerate([100.0, 150.0, 75.0, 160.0])], 60)
    assert len(lines) == EQUITY_ROWS + DRAWDOWN_ROWS + 1
    assert lines[0].startswith("         160")
    assert lines[EQUITY_ROWS - 1].startswith("          75")
    assert lines[EQUITY_ROWS].startswith("drawdown 0 %")
    assert lines[-2].strip().startswith("-50.0 %")
    assert lines[-1].split() == ["1970-01-01", "1970-01-04"]


def test_a_curve_that_never_fell_has_no_drawdown() -> None:
    assert len(draw_curve([CurvePoint(0, 1.0), CurvePoint(DAY, 2.0)], 60)) == EQUITY_ROWS + 1
    assert draw_curve([], 60) == []


def test_depths_hang_from_the_top_and_the_deepest_reaches_the_bottom() -> None:
    assert draw_depths([0.0, 0.25, 0.5, 1.0], 2) == [" ▀██", "   █"]


@given(st.lists(st.floats(1.0, 1e9), min_size=1, max_size=400), st.integers(20, 200))
def test_no_line_is_wider_than_asked_for(equity: list[float], columns: int) -> None:
    lines = draw_curve([CurvePoint(number * DAY, value) for number, value in enumerate(equity)], columns)
    assert max(map(len, lines)) <= max(columns, 20 + 15)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=300), st.integers(1, 100))
def test_the_deepest_is_never_lost(depths: list[float], width: int) -> None:
    assert len(deepest_of_each(depths, width)) == len(spread(depths, width)) == width
    if len(depths) >= width:
        assert max(deepest_of_each(depths, width)) == max(depths)
