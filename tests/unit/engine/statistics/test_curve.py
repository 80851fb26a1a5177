from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.statistics.curve import (
    YEAR_SECONDS,
    CurvePoint,
    Drawdown,
    compound_annual_growth,
    deepest_drawdown,
    drawdown_at_each,
    find_drawdowns,
    lap_offsets,
    longest_drawdown,
    measure_returns,
    returns_per_year,
    sample_evenly,
    total_return,
)

DAY = 86_400.0
EQUITY = st.floats(min_value=1e-3, max_value=1e12)


def daily(*equity: float, day_seconds: float = DAY) -> list[CurvePoint]:
    return [CurvePoint(number * day_seconds, value) for number, value in enumerate(equity)]


def test_returns_are_those_of_each_point_on_the_one_before() -> None:
    assert measure_returns(daily(100.0, 110.0, 99.0)) == pytest.approx([0.1, -0.1])
    assert total_return(daily(100.0, 110.0, 99.0)) == pytest.approx(-0.01)


@pytest.mark.parametrize("curve", [[], daily(100.0), daily(0.0, 5.0)])
def test_a_curve_that_says_nothing_has_no_return(curve: list[CurvePoint]) -> None:
    assert total_return(curve) is None
    assert compound_annual_growth(curve) is None
    assert deepest_drawdown(curve[:1]) is None


def test_what_doubles_in_two_years_grows_by_the_root_of_two() -> None:
    assert compound_annual_growth([CurvePoint(0.0, 50.0), CurvePoint(2 * YEAR_SECONDS, 100.0)]) == pytest.approx(math.sqrt(2) - 1)
    assert compound_annual_growth([CurvePoint(0.0, 50.0), CurvePoint(2 * YEAR_SECONDS, 0.0)]) == -1.0


def test_a_return_of_less_than_a_year_is_not_annualised() -> None:
    assert compound_annual_growth([CurvePoint(0.0, 50.0), CurvePoint(364 * DAY, 100.0)]) is None
    assert compound_annual_growth([CurvePoint(0.0, 50.0), CurvePoint(365 * DAY, 100.0)]) is not None


def test_a_drawdown_is_from_its_peak_to_where_it_is_reached_again() -> None:
    curve = daily(100, 120, 90, 110, 120, 130, 117, 125)
    assert find_drawdowns(curve) == [
        Drawdown(pytest.approx(0.25), 1 * DAY, 2 * DAY, 4 * DAY, 4 * DAY),  # type: ignore[arg-type]
        Drawdown(pytest.approx(0.1), 5 * DAY, 6 * DAY, None, 7 * DAY),  # type: ignore[arg-type]
    ]
    deepest = deepest_drawdown(curve)
    assert deepest is not None
    assert deepest.seconds == 3 * DAY
    assert longest_drawdown(curve) == deepest
    assert drawdown_at_each(curve) == pytest.approx([0, 0, 0.25, 1 / 12, 0, 0, 0.1, 1 - 125 / 130])


def test_a_plateau_at_the_top_belongs_to_no_drawdown() -> None:
    (drawdown,) = find_drawdowns(daily(100, 100, 100, 80))
    assert drawdown.peak_at == 2 * DAY


@given(st.lists(EQUITY, min_size=1, max_size=60))
def test_the_deepest_drawdown_is_the_worst_buy_and_sale_there_was(equity: list[float]) -> None:
    worst = max((1 - later / earlier for place, earlier in enumerate(equity) for later in equity[place:]), default=0.0)
    curve = daily(*equity)
    deepest = deepest_drawdown(curve)
    assert (deepest.depth if deepest else 0.0) == pytest.approx(max(worst, 0.0), abs=1e-12)
    assert max(drawdown_at_each(curve)) == pytest.approx(max(worst, 0.0), abs=1e-12)


@given(st.lists(EQUITY, min_size=1, max_size=60))
def test_drawdowns_do_not_overlap_and_the_last_one_alone_may_be_open(equity: list[float]) -> None:
    found = find_drawdowns(daily(*equity))
    for drawdown in found:
        assert drawdown.peak_at < drawdown.trough_at <= drawdown.until
        assert 0.0 < drawdown.depth <= 1.0
    for before, after in pairwise(found):
        assert before.recovered_at is not None
        assert before.recovered_at <= after.peak_at


@pytest.mark.parametrize(
    ("days", "per_year"),
    [(range(701), 365.25), ([day for day in range(701) if day % 7 < 5], 365.25 * 5 / 7)],
    ids=["always", "weekdays"],
)
def test_how_many_returns_a_year_has_is_counted_on_the_curve(days: list[int], per_year: float) -> None:
    assert returns_per_year([CurvePoint(day * DAY, 1.0) for day in days]) == pytest.approx(per_year, rel=0.005)


def test_a_market_whose_time_goes_back_has_no_returns_a_year() -> None:
    assert returns_per_year([CurvePoint(0, 1), CurvePoint(9, 1), CurvePoint(5, 1), CurvePoint(12, 1)]) is None
    assert returns_per_year([CurvePoint(5, 1), CurvePoint(5, 1)]) is None


def test_a_sampled_curve_has_even_distances_and_the_last_known_equity() -> None:
    curve = [CurvePoint(0, 1), CurvePoint(10, 2), CurvePoint(13, 3), CurvePoint(20, 4), CurvePoint(30, 5)]
    assert sample_evenly(curve, most=100) == [CurvePoint(0, 1), CurvePoint(10, 2), CurvePoint(20, 4), CurvePoint(30, 5)]
    assert sample_evenly(curve, most=3) == [CurvePoint(0, 1), CurvePoint(15, 3), CurvePoint(30, 5)]


@given(st.lists(st.tuples(st.integers(1, 1000), EQUITY), min_size=3, max_size=80), st.integers(2, 40))
def test_sampling_keeps_both_ends_and_its_bound(steps: list[tuple[int, float]], most: int) -> None:
    curve, time = [], 0.0
    for distance, equity in steps:
        time += distance
        curve.append(CurvePoint(time, equity))
    sampled = sample_evenly(curve, most=most)
    assert len(sampled) <= most
    assert sampled[0] == curve[0]
    assert {point.equity for point in sampled} <= {point.equity for point in curve}
    assert all(after.time > before.time for before, after in pairwise(sampled))


def test_laps_are_laid_one_after_the_other() -> None:
    assert lap_offsets([(0, 100.0), (0, 200.0), (1, 110.0), (1, 200.0), (2, 100.0)]) == {0: 0.0, 1: 90.0, 2: 190.0}
