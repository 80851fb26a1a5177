"""Ratios against their definitions, and against the figures of empyrical-reloaded 0.7.1 for the same returns.

The figures stand here because the library, with what it needs, is a third of a gigabyte.
"""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.statistics.curve import (
    YEAR_SECONDS,
    CurvePoint,
    compound_annual_growth,
    deepest_drawdown,
    measure_returns,
    returns_per_year,
)
from tradingbot_engine.statistics.ratios import calmar_ratio, sharpe_ratio, sortino_ratio

RETURNS = st.lists(st.floats(min_value=-0.9, max_value=10.0), max_size=60)


def test_sharpe_is_the_mean_over_the_deviation_annualised() -> None:
    returns = [0.01, -0.02, 0.03, 0.005]
    assert sharpe_ratio(returns, 252.0) == pytest.approx(statistics.mean(returns) / statistics.stdev(returns) * math.sqrt(252))


def test_sortino_counts_only_what_is_below_zero_over_all_returns() -> None:
    assert sortino_ratio([0.03, -0.01, 0.01, -0.02], 4.0) == pytest.approx(0.0025 / math.sqrt((0.01**2 + 0.02**2) / 4) * 2)


def test_calmar_is_growth_over_the_deepest_drawdown() -> None:
    assert calmar_ratio(0.1, 0.2) == pytest.approx(0.5)
    assert calmar_ratio(None, 0.2) is None
    assert calmar_ratio(0.1, 0.0) is None
    assert calmar_ratio(0.1, None) is None


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1], [0.0, 0.0], [0.013] * 1000])
def test_without_a_deviation_there_is_no_ratio(returns: list[float]) -> None:
    assert sharpe_ratio(returns, 252.0) is None
    assert sortino_ratio(returns, 252.0) is None


def test_without_a_loss_there_is_no_sortino_and_without_a_year_neither() -> None:
    assert sortino_ratio([0.1, 0.2], 252.0) is None
    assert sharpe_ratio([0.1, 0.2], None) is None
    assert sortino_ratio([0.1, -0.2], None) is None


@given(RETURNS, st.floats(min_value=0.1, max_value=1e6))
def test_a_ratio_is_a_finite_number_with_the_sign_of_the_mean_or_none(returns: list[float], per_year: float) -> None:
    for ratio in (sharpe_ratio(returns, per_year), sortino_ratio(returns, per_year)):
        assert ratio is None or math.isfinite(ratio)
        if ratio:
            assert math.copysign(1.0, ratio) == math.copysign(1.0, math.fsum(returns))


@given(st.lists(st.floats(min_value=-0.5, max_value=0.5).map(lambda value: round(value, 4)), min_size=3, max_size=40))
def test_a_sharpe_does_not_change_with_leverage(returns: list[float]) -> None:
    once, thrice = sharpe_ratio(returns, 252.0), sharpe_ratio([3 * value for value in returns], 252.0)
    assert (once is None) == (thrice is None)
    if once is not None:
        assert thrice == pytest.approx(once, abs=1e-9)


SERIES = {
    "wave": [round(0.01 * math.sin(number) + 0.0004, 6) for number in range(500)],
    "saw": [round(((number * 37) % 101 - 48) / 5000, 6) for number in range(500)],
    "crash": [-0.2 if number == 250 else round(0.001 * ((number % 7) - 2), 6) for number in range(500)],
}


@pytest.mark.parametrize(
    ("name", "sharpe", "sortino", "drawdown", "calmar"),
    [
        ("wave", 0.9853997622467983, 1.4739602368858673, 0.019485154034944156, 5.644942511992475),
        ("saw", 1.0836873117329662, 1.6293101532140586, 0.015385687067413127, 6.56243369672779),
        ("crash", 1.0033295624924392, 1.0283304085447267, 0.2000039999968002, 0.719096920828117),
    ],
)
def test_the_figures_are_those_of_an_independent_library(name: str, sharpe: float, sortino: float, drawdown: float, calmar: float) -> None:
    returns = SERIES[name]
    curve = [CurvePoint(0.0, 1.0)]
    for number, value in enumerate(returns, start=1):
        curve.append(CurvePoint(number * YEAR_SECONDS / 252, curve[-1].equity * (1.0 + value)))
    assert returns_per_year(curve) == pytest.approx(252)
    assert sharpe_ratio(measure_returns(curve), 252.0) == pytest.approx(sharpe)
    assert sortino_ratio(measure_returns(curve), 252.0) == pytest.approx(sortino)
    deepest = deepest_drawdown(curve)
    assert deepest is not None
    assert deepest.depth == pytest.approx(drawdown)
    assert calmar_ratio(compound_annual_growth(curve), deepest.depth) == pytest.approx(calmar)
