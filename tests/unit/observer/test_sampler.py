from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_observer.sampler import Counters, ProcessReading, Reading, build_sample, percentile


def process(pid: int = 7, started_at: float = 100.0, cpu_seconds: float = 1.0) -> ProcessReading:
    return ProcessReading(pid=pid, started_at=started_at, cpu_seconds=cpu_seconds, memory_bytes=50, threads=3)


def counters(operations: float = 100, errors: float = 0, cache_hits: float = 0, cache_lookups: float = 0) -> Counters:
    return Counters(operations, errors, cache_hits, cache_lookups)


def reading(
    seconds: float,
    process: ProcessReading | None = None,
    counters: Counters | None = None,
    *,
    limit: int | None = None,
    p95: float | None = None,
    has_answered: bool = True,
) -> Reading:
    return Reading(
        at=1000.0 + seconds,
        monotonic_seconds=seconds,
        process=process,
        process_has_answered=has_answered,
        counters=counters,
        memory_limit_bytes=limit,
        response_p95_seconds=p95,
    )


def test_rates_are_means_over_the_time_between_the_readings() -> None:
    before = reading(0, process(cpu_seconds=1.0), counters(100, 1, 10, 20))
    now = reading(10, process(cpu_seconds=3.5), counters(300, 11, 40, 60), limit=200, p95=0.25)
    sample = build_sample(before, now)
    assert sample.at == 1010.0
    assert sample.cpu_percent == 25.0
    assert sample.memory_bytes == 50
    assert sample.memory_limit_bytes == 200
    assert sample.memory_percent == 25.0
    assert sample.error_percent == 5.0
    assert sample.cache_hit_percent == 75.0
    assert sample.response_p95_seconds == 0.25
    assert sample.score is None


def test_the_first_reading_gives_levels_and_no_rates() -> None:
    sample = build_sample(None, reading(0, process(), counters(100, 50, 1, 2), limit=100, p95=0.1))
    assert sample.memory_percent == 50.0
    assert sample.response_p95_seconds == 0.1
    assert (sample.cpu_percent, sample.error_percent, sample.cache_hit_percent) == (None, None, None)


@pytest.mark.parametrize("now", [process(pid=8, started_at=105.0, cpu_seconds=0.2), process(pid=7, started_at=105.0, cpu_seconds=0.2)])
def test_a_new_process_counts_from_zero_also_under_the_same_pid(now: ProcessReading) -> None:
    before = reading(0, process(cpu_seconds=50.0), counters(1000, 500, 100, 200))
    sample = build_sample(before, reading(10, now, counters(2000, 20, 30, 40)))
    assert sample.cpu_percent is None
    assert sample.error_percent == 1.0
    assert sample.cache_hit_percent == 75.0


def test_a_sum_that_shrank_tells_of_a_restart_where_processes_cannot_be_seen() -> None:
    sample = build_sample(reading(0, None, counters(1000, 500)), reading(10, None, counters(50, 5)))
    assert sample.error_percent == 10.0
    assert sample.cpu_percent is None


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (reading(0), reading(10)),
        (reading(0, process(), counters()), reading(10)),
        (reading(0), reading(10, process(), counters())),
        (reading(0, process()), reading(10, None, counters())),
    ],
    ids=["never seen", "gone", "just found", "in turns"],
)
def test_what_is_missing_is_none(before: Reading, now: Reading) -> None:
    sample = build_sample(before, now)
    assert (sample.cpu_percent, sample.error_percent, sample.cache_hit_percent, sample.memory_percent) == (None,) * 4


def test_nothing_done_is_no_share() -> None:
    sample = build_sample(reading(0, process(), counters(100, 1)), reading(10, process(), counters(100, 1)))
    assert sample.cpu_percent == 0.0
    assert sample.error_percent is None
    assert sample.cache_hit_percent is None


def test_what_an_engine_needs_to_get_up_is_no_measure_of_it() -> None:
    before = reading(0, process(cpu_seconds=0.1), has_answered=False)
    assert build_sample(before, reading(1, process(cpu_seconds=1.1))).cpu_percent is None


def test_no_time_between_readings_is_no_rate() -> None:
    assert build_sample(reading(5, process()), reading(5, process(cpu_seconds=2.0))).cpu_percent is None


amounts = st.floats(0, 1e9)
sums = st.builds(Counters, amounts, amounts, amounts, amounts)
processes = st.builds(ProcessReading, st.integers(1, 2), st.sampled_from([1.0, 2.0]), amounts, st.integers(0, 10**12), st.integers(1, 9))
readings = st.builds(
    Reading,
    at=amounts,
    monotonic_seconds=amounts,
    process=st.none() | processes,
    process_has_answered=st.booleans(),
    counters=st.none() | sums,
    memory_limit_bytes=st.none() | st.integers(1, 10**12),
    response_p95_seconds=st.none() | amounts,
)


@given(st.none() | readings, readings)
def test_no_figure_is_ever_negative_or_a_share_above_all(before: Reading | None, now: Reading) -> None:
    sample = build_sample(before, now)
    assert sample.cpu_percent is None or sample.cpu_percent >= 0
    for share in (sample.error_percent, sample.cache_hit_percent):
        assert share is None or 0 <= share <= 100


@pytest.mark.parametrize(
    ("values", "p95"),
    [([], None), ([3.0], 3.0), ([1.0, 2.0], 2.0), ([float(n) for n in range(1, 21)], 19.0), ([float(n) for n in range(1, 101)], 95.0)],
)
def test_percentile_by_nearest_rank(values: list[float], p95: float | None) -> None:
    assert percentile(values[::-1], 0.95) == p95


@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    enough = math.ceil(share * len(values))
    assert sum(value <= found for value in values) >= enough
    assert sum(value < found for value in values) < enough
