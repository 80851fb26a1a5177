from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_observer.page import words

ANY_NUMBER = st.none() | st.floats() | st.integers()


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (7380, "2 h 3 min"), (90_000, "1 d 1 h")],
)
def test_a_span_is_said_in_its_two_largest_units(value: float, said: str) -> None:
    assert words.span(value) == said


@pytest.mark.parametrize("value", [None, -1.0, float("nan"), float("inf"), 1e300])
def test_a_span_that_is_none_is_unknown(value: float | None) -> None:
    assert words.span(value) == words.UNKNOWN


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (1_790_000_000.0, "14:13:20 UTC"),
        (1_789_000_000.0, "2026-09-10 00:26 UTC"),
        (None, words.UNKNOWN),
        (1e300, words.UNKNOWN),
        (-1.0, words.UNKNOWN),
        (float("nan"), words.UNKNOWN),
    ],
)
def test_a_moment_of_today_is_an_hour_and_an_earlier_one_a_date(at: float | None, said: str) -> None:
    assert words.moment(at, 1_790_000_100.0) == said


def test_small_times_are_milliseconds() -> None:
    assert (words.seconds(0.00124), words.seconds(2.0)) == ("1.2 ms", "2.00 s")


def test_long_words_are_cut_and_empty_ones_are_unknown() -> None:
    assert words.text("x" * 1000) == "x" * 600 + "…"
    assert words.text("") == words.UNKNOWN
    assert words.text("", nothing="none") == "none"


@given(ANY_NUMBER, ANY_NUMBER)
def test_no_number_is_too_odd_to_be_said(value: float | None, now: float | None) -> None:
    for said in (words.number(value, 2), words.percent(value), words.memory(value), words.seconds(value), words.span(value)):
        assert said
    assert words.moment(value, now or 0.0)
