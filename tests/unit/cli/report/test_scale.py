from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.report.scale import Scale, number_marks, ratio_marks, time_marks

NUMBER = st.floats(-1e12, 1e12)


def seconds(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 10.0, ["0", "2", "4", "6", "8", "10"]),
        (92_000.0, 171_000.0, ["100,000", "120,000", "140,000", "160,000"]),
        (-10.4, 0.0, ["-10.0", "-7.5", "-5.0", "-2.5", "0.0"]),
        (0.0, 0.05, ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]),
        (5.0, 5.0, ["5"]),
    ],
)
def test_marks_are_at_round_numbers(low: float, high: float, labels: list[str]) -> None:
    assert [mark.label.replace("-0.0", "0.0") if mark.value == 0 else mark.label for mark in number_marks(low, high)] == labels


@given(NUMBER, NUMBER)
def test_marks_are_few_within_bounds_and_tell_from_each_other(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    marks = number_marks(low, high)
    assert 1 <= len(marks) <= 7
    if high - low > 1e-6 * max(abs(low), abs(high), 1e-6):
        slack = (high - low) * 1e-6
        assert all(low - slack <= mark.value <= high + slack for mark in marks)
        assert len({mark.label for mark in marks}) == len(marks)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2000-03-01", "2013-03-01", ["2002", "2004", "2006", "2008", "2010", "2012"]),
        ("2012-01-01", "2012-12-31", ["Jan 2012", "Mar 2012", "May 2012", "Jul 2012", "Sep 2012", "Nov 2012"]),
        ("2012-01-01T00:00", "2012-01-01T06:00", ["00:00", "01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]),
    ],
)
def test_times_are_marked_where_years_months_and_hours_begin(first: str, last: str, labels: list[str]) -> None:
    assert [mark.label for mark in time_marks(seconds(first), seconds(last))] == labels


@given(st.floats(0, 4e9), st.floats(0, 2e9))
def test_marks_of_time_are_few_in_order_and_within_bounds(first: float, span: float) -> None:
    marks = time_marks(first, first + span)
    assert 0 <= len(marks) <= 10
    assert [mark.value for mark in marks] == sorted(mark.value for mark in marks)
    assert all(first - 1 <= mark.value <= first + span + 1 for mark in marks)


@given(st.floats(1e-3, 1e9), st.floats(4.1, 1e6))
def test_marks_by_ratio_are_within_bounds(low: float, ratio: float) -> None:
    marks = ratio_marks(low, low * ratio)
    assert all(low <= mark.value <= low * ratio for mark in marks)


def test_a_scale_by_ratio_gives_equal_ratios_equal_lengths() -> None:
    scale = Scale(10.0, 1000.0, 0.0, 100.0, by_ratio=True)
    assert [scale.place(value) for value in (10.0, 100.0, 1000.0)] == pytest.approx([0.0, 50.0, 100.0])
    assert Scale(5.0, 5.0, 0.0, 100.0).place(5.0) == 50.0
