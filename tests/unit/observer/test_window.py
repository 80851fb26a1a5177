"""N of M with hysteresis: tables of samples, and that nothing flaps faster than the window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.report import Finding, FindingReason, Sample, Severity
from tradingbot_contract.spec import Health, ScoreLimits, Window
from tradingbot_observer.measure_checks import cpu_high, score_low
from tradingbot_observer.symptoms import Situation, Symptom
from tradingbot_observer.window import find_in_window, holds

DEFAULT = Window()
NOTHING: list[Finding] = []


def situation(samples: list[Sample], health: Health | None = None) -> Situation:
    return Situation(
        at=1000.0,
        health=health or Health(),
        process_started_at=0.0,
        process_was_seen=True,
        process_has_answered=True,
        silent_seconds=0.0,
        watched_seconds=1000.0,
        engine=None,
        samples=tuple(samples),
    )


def cpu(*percents: float | None, health: Health | None = None) -> Situation:
    return situation([Sample(at=0.0, cpu_percent=percent) for percent in percents], health)


def scores(*values: float | None) -> Situation:
    return situation([Sample(at=0.0, score=value) for value in values])


def was(reason: FindingReason, severity: Severity) -> list[Finding]:
    return [Finding(reason, severity, "before", since=1.0)]


def pattern(text: str) -> list[bool]:
    """Read samples, oldest first: `x` is beyond the limit, `.` is not."""
    return [mark == "x" for mark in text]


@pytest.mark.parametrize(
    ("samples", "begins"),
    [
        *[("", False), ("x", False), ("xx", False), ("xxx", True), ("x.x.x", True), ("xx...", False), ("..xxx", True), ("xx.x.", True)],
        *[("xxx....", False), ("xxxxx..", True)],
    ],
)
def test_a_finding_begins_with_three_of_the_last_five(samples: str, begins: bool) -> None:
    assert holds(pattern(samples), DEFAULT, was_there=False) is begins


@pytest.mark.parametrize(("samples", "stays"), [("xxx..", True), ("xx...", False), ("xxxxx..", True), ("xxxxx...", False), ("..x..", True)])
def test_a_finding_ends_when_none_of_the_last_three_is_beyond_the_limit(samples: str, stays: bool) -> None:
    assert holds(pattern(samples), DEFAULT, was_there=True) is stays


def test_a_window_of_one_sample_is_that_sample() -> None:
    window = Window(samples=1, failing=1)
    for was_there in (False, True):
        assert holds(pattern(".x"), window, was_there=was_there)
        assert not holds(pattern("x."), window, was_there=was_there)


windows = st.integers(1, 60).flatmap(lambda samples: st.builds(Window, samples=st.just(samples), failing=st.integers(1, samples)))


@given(windows, st.lists(st.booleans(), max_size=300))
def test_a_finding_does_not_begin_again_within_a_window(window: Window, samples: list[bool]) -> None:
    there, began, ended = False, None, None
    for number in range(1, len(samples) + 1):
        now = holds(samples[:number], window, was_there=there)
        assert holds(samples[:number], window, was_there=now) is now, "the same samples give the same answer however often they are judged"
        if now and not there:
            assert began is None or number - began > window.samples
            assert ended is None or sum(samples[ended:number]) >= window.failing, "what was before the end does not count again"
            began = number
        elif there and not now:
            assert not any(samples[:number][-(window.samples - window.failing + 1) :])
            ended = number
        there = now


@given(windows)
def test_what_is_always_beyond_is_found_and_what_never_is_is_not(window: Window) -> None:
    assert holds([True] * window.failing, window, was_there=False)
    assert not holds([True] * (window.failing - 1), window, was_there=False)
    assert not holds([False] * window.samples, window, was_there=True)


def test_the_message_has_the_newest_value_beyond_the_limit_and_how_many_samples_agree() -> None:
    found = find_in_window(cpu_high, cpu(99.0, 91.0, 95.0, 10.0), NOTHING)
    assert found == Symptom(FindingReason.CPU_HIGH, Severity.WARNING, "CPU is 95.0 % of a core (limit 80 %), in 3 of the last 4 samples")


def test_a_figure_that_is_not_known_is_not_beyond_its_limit() -> None:
    assert find_in_window(cpu_high, cpu(99.0, None, 99.0, None), NOTHING) is None
    assert find_in_window(cpu_high, cpu(99.0, None, 99.0, None, 99.0), NOTHING) is not None
    assert find_in_window(cpu_high, cpu(99.0, 99.0, None, None, None), was(FindingReason.CPU_HIGH, Severity.WARNING)) is None


def test_a_finding_of_another_reason_keeps_nothing_up() -> None:
    assert find_in_window(cpu_high, cpu(99.0), was(FindingReason.MEMORY_HIGH, Severity.WARNING)) is None
    assert find_in_window(cpu_high, cpu(99.0), was(FindingReason.CPU_HIGH, Severity.WARNING)) is not None


def test_limits_and_window_that_are_changed_count_for_the_samples_that_are_there() -> None:
    samples = (50.0, 50.0, 50.0)
    assert find_in_window(cpu_high, cpu(*samples), NOTHING) is None
    lower = Health(cpu_percent=Health().cpu_percent.__class__(elevated=10.0, high=40.0))
    assert find_in_window(cpu_high, cpu(*samples, health=lower), NOTHING) is not None
    longer = Health(cpu_percent=lower.cpu_percent, window=Window(samples=10, failing=4))
    assert find_in_window(cpu_high, cpu(*samples, health=longer), NOTHING) is None


@pytest.mark.parametrize(
    ("values", "before", "severity"),
    [
        ((45.0, 45.0, 45.0), None, Severity.CRITICAL),
        ((55.0, 45.0, 45.0), None, Severity.WARNING),
        ((55.0, 55.0, 45.0), None, Severity.WARNING),
        ((55.0, 45.0), None, None),
        ((90.0, 90.0, 45.0), Severity.WARNING, Severity.WARNING),
        ((90.0, 90.0, 45.0), Severity.CRITICAL, Severity.CRITICAL),
        ((45.0, 45.0, 55.0, 55.0, 55.0), Severity.CRITICAL, Severity.WARNING),
        ((45.0, 45.0, 90.0, 90.0, 90.0), Severity.CRITICAL, None),
    ],
)
def test_a_severity_has_a_window_of_its_own_and_counts_what_is_worse(
    values: tuple[float, ...], before: Severity | None, severity: Severity | None
) -> None:
    assert Health().score == ScoreLimits(critical=50.0, warning=60.0, unhealthy=70.0)
    found = find_in_window(score_low, scores(*values), was(FindingReason.SCORE_LOW, before) if before else NOTHING)
    assert (found.severity if found else None) is severity
