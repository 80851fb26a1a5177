"""When caches and mode give way and come back: a table of samples, and what holds whatever the load does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tradingbot_contract.resources import Pressure
from tradingbot_engine.memory.limit import MemoryReading
from tradingbot_engine.memory.pressure import (
    CALM_SECONDS,
    FLOOR,
    GROW_PAUSE_SECONDS,
    MARGIN,
    MODE_PAUSE_SECONDS,
    Decision,
    MemoryState,
    forget_shortage,
    judge,
)

LIMIT = 1000
SPEC = Pressure()


def at(percent: float, limit_bytes: int = LIMIT) -> MemoryReading:
    return MemoryReading(round(percent / 100 * limit_bytes), limit_bytes)


@pytest.mark.parametrize(
    ("state", "reading", "expected"),
    [
        ({}, at(70.0), Decision()),
        ({}, at(85.0), Decision()),
        ({}, at(10.0), Decision()),
        ({}, at(85.1), Decision(scale=0.7, shed=True, clean=True)),
        ({"cleaned_at": 95.0}, at(86.0), Decision(scale=0.7, shed=True)),
        ({}, at(93.0), Decision(scale=0.7, shed=True, clean=True, again=True)),
        ({"scale": 0.12}, at(99.0), Decision(scale=FLOOR, shed=True, clean=True)),
        ({"scale": FLOOR, "cleaned_at": 99.0}, at(99.0), Decision()),
        ({"scale": FLOOR, "short": (True, True), "cleaned_at": 99.0}, at(99.0), Decision(lower_mode=True)),
        ({"scale": FLOOR, "short": (True, False, False, True), "cleaned_at": 99.0}, at(99.0), Decision(lower_mode=True)),
        ({"scale": FLOOR, "short": (True, False, False, False, True), "cleaned_at": 99.0}, at(99.0), Decision()),
        ({"scale": FLOOR, "short": (True, True), "lowered_at": 100.0 - MODE_PAUSE_SECONDS / 2}, at(99.0), Decision(clean=True)),
        ({"scale": 0.5}, at(60.0), Decision()),
        ({"scale": 0.5}, at(59.0), Decision(scale=0.6)),
        ({"scale": 0.9}, at(10.0), Decision(scale=1.0)),
        ({"scale": 0.5, "scaled_at": 100.0 - GROW_PAUSE_SECONDS / 2}, at(10.0), Decision()),
        ({"scale": 0.7, "highest_scale": 0.9, "short_at": 50.0}, at(10.0), Decision(scale=0.84)),
        ({"scale": 0.84, "highest_scale": 0.9, "short_at": 50.0}, at(10.0), Decision()),
        ({"scale": 0.84, "highest_scale": 0.9, "short_at": 50.0, "limit_bytes": LIMIT // 2}, at(10.0), Decision(scale=1.0)),
        ({"scale": 0.84, "highest_scale": 0.9, "short_at": 50.0, "limit_bytes": LIMIT * 2}, at(10.0), Decision()),
        ({"scale": 0.84, "highest_scale": 0.9, "short_at": 99.0 - CALM_SECONDS}, at(10.0), Decision(scale=1.0)),
        ({"scale": 0.5}, MemoryReading(None, LIMIT), Decision()),
        ({"scale": 0.5}, MemoryReading(999, None), Decision()),
    ],
)
def test_what_a_sample_leads_to(state: dict[str, object], reading: MemoryReading, expected: Decision) -> None:
    _, decision = judge(structs.replace(MemoryState(), **state), SPEC, reading, now=100.0)
    if expected.scale is not None:
        assert decision.scale == pytest.approx(expected.scale)
        expected = structs.replace(expected, scale=decision.scale)
    assert decision == expected


def test_a_lowered_limit_counts_at_once_and_a_raised_one_lets_the_caches_grow() -> None:
    state, decision = judge(MemoryState(), SPEC, MemoryReading(500, 1000), now=0.0)
    assert decision == Decision()
    state, decision = judge(state, SPEC, MemoryReading(500, 520), now=1.0)
    assert decision.shed
    assert decision.again
    state, decision = judge(state, SPEC, MemoryReading(400, 520), now=1.0)
    assert not decision.shed
    for second in range(2, 60):
        state, decision = judge(state, SPEC, MemoryReading(400, 2000), now=float(second))
    assert state.scale == 1.0


def test_other_settings_begin_without_a_grudge() -> None:
    state = MemoryState(scale=0.7, highest_scale=0.7, short=(True, True))
    assert forget_shortage(state) == MemoryState(scale=0.7)


pressures = st.builds(
    lambda low, gap, shrink, grow: Pressure(
        grow_below_percent=low, shrink_above_percent=min(99.0, low + gap), shrink_factor=shrink, grow_factor=grow
    ),
    st.floats(5, 90),
    st.floats(1, 60),
    st.floats(0.1, 0.95),
    st.floats(1.05, 10),
)


def run(spec: Pressure, used_percent: Callable[[float, int], float], seconds: int) -> list[tuple[MemoryState, Decision]]:
    """Sample each second; what is used follows from the caches' scale and the time."""
    state, history = MemoryState(), []
    for second in range(seconds):
        state, decision = judge(state, spec, at(used_percent(state.scale, second), 10**6), now=float(second))
        history.append((state, decision))
    return history


@settings(max_examples=50, deadline=None)
@given(base=st.floats(0, 120), caches=st.floats(0, 80))
def test_under_a_load_that_stays_it_comes_to_rest(base: float, caches: float) -> None:
    history = run(SPEC, lambda scale, _second: base + caches * scale, 900)
    assert all(decision.scale is None for _, decision in history[600:])


@settings(max_examples=50, deadline=None)
@given(spec=pressures, load=st.lists(st.floats(0, 120), min_size=1, max_size=40), caches=st.floats(0, 80))
def test_however_the_load_swings_bounds_hold_and_turns_are_few(spec: Pressure, load: list[float], caches: float) -> None:
    history = run(spec, lambda scale, second: load[second % len(load)] + caches * scale, 900)
    assert all(FLOOR <= state.scale <= 1.0 for state, _ in history)
    scales = [decision.scale for _, decision in history if decision.scale is not None]
    directions = [after > before for before, after in zip([1.0, *scales], scales, strict=False)]
    turns = sum(before != after for before, after in itertools.pairwise(directions))
    lowered = sum(decision.lower_mode for _, decision in history)
    # Each turn down lowers the bar by a tenth at least; only a lowered mode lifts it, for the load is another then.
    most = 2 * (1 + math.ceil(math.log(FLOOR) / math.log(MARGIN)))
    assert turns <= most * (1 + lowered)
    assert lowered <= 1 + 900 / MODE_PAUSE_SECONDS


@given(spec=pressures, state=st.builds(MemoryState, scale=st.floats(FLOOR, 1.0)), percent=st.floats(0, 100), now=st.floats(0, 1e6))
def test_between_the_lines_nothing_changes(spec: Pressure, state: MemoryState, percent: float, now: float) -> None:
    reading = MemoryReading(int(percent * 10**6), 10**8)
    assert reading.used_bytes is not None
    between = spec.grow_below_percent <= reading.used_bytes / 10**6 <= spec.shrink_above_percent
    _, decision = judge(state, spec, reading, now)
    if between:
        assert decision == Decision()
    if decision.scale is not None:
        assert decision.shed == (decision.scale < state.scale)
        assert not decision.lower_mode
