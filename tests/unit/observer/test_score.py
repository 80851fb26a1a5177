from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.report import Sample
from tradingbot_contract.spec import Health, HitRatio, Limits
from tradingbot_observer.score import compute_score

HEALTH = Health()


@pytest.mark.parametrize(
    ("measures", "score"),
    [
        # A limit itself is still fine: only above it counts.
        ({"cpu_percent": 60.0}, 100),
        ({"cpu_percent": 60.1}, 90),
        ({"cpu_percent": 80.0}, 90),
        ({"cpu_percent": 80.1}, 80),
        ({"memory_percent": 75.0}, 100),
        ({"memory_percent": 75.1}, 85),
        ({"memory_percent": 90.0}, 85),
        ({"memory_percent": 90.1}, 75),
        ({"error_percent": 1.0}, 100),
        ({"error_percent": 1.1}, 90),
        ({"error_percent": 5.0}, 90),
        ({"error_percent": 5.1}, 80),
        ({"response_p95_seconds": 1.0}, 100),
        ({"response_p95_seconds": 1.01}, 95),
        ({"response_p95_seconds": 2.0}, 95),
        ({"response_p95_seconds": 2.01}, 85),
        # The bonus makes good for something, and never more than 100.
        ({"cpu_percent": 10.0, "cache_hit_percent": 100.0}, 100),
        ({"cpu_percent": 61.0, "cache_hit_percent": 80.0}, 90),
        ({"cpu_percent": 61.0, "cache_hit_percent": 80.1}, 95),
        # Everything at once.
        ({"cpu_percent": 81.0, "memory_percent": 91.0, "error_percent": 6.0, "response_p95_seconds": 3.0, "cache_hit_percent": 0.0}, 20),
        ({"cpu_percent": 61.0, "memory_percent": 76.0, "error_percent": 2.0, "response_p95_seconds": 1.5, "cache_hit_percent": 81.0}, 65),
        # What is not known takes nothing and gives nothing.
        ({"memory_percent": 91.0}, 75),
        ({"cache_hit_percent": 50.0}, 100),
    ],
)
def test_each_measure_takes_what_the_specification_says(measures: dict[str, Any], score: float) -> None:
    assert compute_score(Sample(at=0.0, **measures), HEALTH) == score


@pytest.mark.parametrize("sample", [Sample(at=0.0), Sample(at=0.0, memory_bytes=1, memory_limit_bytes=2)])
def test_nothing_measured_is_no_score(sample: Sample) -> None:
    assert compute_score(sample, HEALTH) is None


def test_limits_come_from_the_spec() -> None:
    health = Health(cpu_percent=Limits(elevated=5.0, high=10.0), cache_hit_percent=HitRatio(low=1.0, good=2.0))
    assert compute_score(Sample(at=0.0, cpu_percent=11.0), health) == 80
    assert compute_score(Sample(at=0.0, cpu_percent=11.0, cache_hit_percent=3.0), health) == 85


measured = st.none() | st.floats(0, 1000)


@given(measured, measured, measured, measured, measured)
def test_a_score_is_between_0_and_100(
    cpu: float | None, memory: float | None, errors: float | None, response: float | None, hits: float | None
) -> None:
    sample = Sample(
        at=0.0,
        cpu_percent=cpu,
        memory_percent=memory,
        error_percent=errors,
        response_p95_seconds=response,
        cache_hit_percent=hits,
    )
    score = compute_score(sample, HEALTH)
    assert (score is None) == all(value is None for value in (cpu, memory, errors, response, hits))
    assert score is None or 0 <= score <= 100
