from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.report import Sample
from tradingbot_observer.history import RESPONSES, SAMPLES, History, Measures

values = st.none() | st.floats(0, 1000)
samples = st.lists(st.builds(Sample, at=st.integers(0, 20_000).map(float), cpu_percent=values, score=values), max_size=40)


@given(samples, st.floats(0.01, 6), st.floats(0, 21_000))
def test_average_peak_and_lowest_are_those_of_the_samples_in_the_span(taken: list[Sample], hours: float, now: float) -> None:
    taken.sort(key=lambda sample: sample.at)
    history = History()
    for sample in taken:
        history.add(sample)
    summary = history.summarise(hours, now)
    within = [sample for sample in taken if sample.at >= now - hours * 3600]
    assert summary.samples == len(within)
    assert (summary.first_at, summary.last_at) == ((within[0].at, within[-1].at) if within else (None, None))
    for name in Measures.__struct_fields__:
        known = [getattr(sample, name) for sample in within if getattr(sample, name) is not None]
        if known:
            assert getattr(summary.average, name) == pytest.approx(sum(known) / len(known))
            assert getattr(summary.peak, name) == max(known)
            assert getattr(summary.lowest, name) == min(known)
        else:
            assert getattr(summary.average, name) is getattr(summary.peak, name) is getattr(summary.lowest, name) is None


def test_only_the_newest_samples_are_kept() -> None:
    history = History()
    for number in range(SAMPLES + 100):
        history.add(Sample(at=float(number), score=float(number)))
    assert len(history) == SAMPLES
    summary = history.summarise(1000, float(SAMPLES + 100))
    assert (summary.first_at, summary.last_at) == (100.0, SAMPLES + 99.0)
    assert summary.lowest.score == 100.0


def test_only_the_newest_response_times_count() -> None:
    history = History()
    assert history.response_p95_seconds() is None
    for _ in range(RESPONSES):
        history.add_response(9.0)
    for number in range(RESPONSES):
        history.add_response(number / RESPONSES)
    assert history.response_p95_seconds() == 0.949
    history.begin_process()
    assert history.response_p95_seconds() is None


def test_the_newest_samples_of_a_process_are_none_of_the_process_before() -> None:
    history = History()
    for number in range(10):
        history.add(Sample(at=float(number)))
    assert [sample.at for sample in history.newest_of_process(3)] == [7.0, 8.0, 9.0]
    history.begin_process()
    assert history.newest_of_process(3) == ()
    history.add(Sample(at=10.0))
    assert [sample.at for sample in history.newest_of_process(3)] == [10.0]
    assert len(history) == 11, "the history has both"
