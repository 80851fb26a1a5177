from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.report import Sample
from tradingbot_observer.page.samples import Points, thin
from tradingbot_observer.sinks.pages import Span, parse_span


def thinned(samples: list[Sample], points: int) -> Points:
    return thin(samples, points, hours=1.0, now=100.0, interval_seconds=15.0)


def test_few_samples_are_points_as_they_are() -> None:
    made = thinned([Sample(at=1.0, score=90.0, memory_bytes=5), Sample(at=2.0, score=80.0, cpu_percent=1.5)], 10)
    assert made.at == [1.0, 2.0]
    assert made.series["score"] == [90.0, 80.0]
    assert made.series["memory_bytes"] == [5, None]
    assert made.series["cpu_percent"] == [None, 1.5]
    assert (made.samples, made.hours, made.now, made.interval_seconds) == (2, 1.0, 100.0, 15.0)


def test_no_spike_is_lost() -> None:
    samples = [Sample(at=float(each), cpu_percent=1.0, score=100.0, cache_hit_percent=90.0) for each in range(1000)]
    samples[437] = Sample(at=437.0, cpu_percent=99.0, score=10.0, cache_hit_percent=0.0)
    made = thinned(samples, 50)
    assert len(made.at) == 50
    assert made.series["cpu_percent"].count(99.0) == 1
    assert made.series["score"].count(10.0) == 1
    assert made.series["cache_hit_percent"].count(0.0) == 1


@given(st.integers(0, 300), st.integers(1, 100))
def test_there_are_never_more_points_than_asked_for_and_the_newest_sample_is_the_last(count: int, points: int) -> None:
    made = thinned([Sample(at=float(each)) for each in range(count)], points)
    assert len(made.at) <= points
    assert made.at == sorted(made.at)
    assert made.at[-1:] == ([float(count - 1)] if count else [])
    assert all(len(column) == len(made.at) for column in made.series.values())


@pytest.mark.parametrize(
    ("query", "span"),
    [({}, Span(1.0, 200)), ({"hours": "24", "points": "1440"}, Span(24.0, 1440)), ({"points": "1"}, Span(1.0, 1))],
)
def test_a_span_of_the_history(query: dict[str, str], span: Span) -> None:
    assert parse_span(query) == span


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"points": "0"}, "'0'"),
        ({"points": "1441"}, "'1441'"),
        ({"points": "-1"}, "'-1'"),
        ({"points": "²"}, "'²'"),
        ({"points": "1e3"}, "'1e3'"),
        ({"points": "9" * 5000}, "whole number"),
        ({"hours": "never"}, "'never'"),
        ({"minutes": "5"}, "minutes"),
    ],
)
def test_a_span_that_is_none_is_refused_with_the_reason(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_span(query)
