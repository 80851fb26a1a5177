"""How many steps are due."""

from __future__ import annotations

import pytest

from tradingbot_engine.pace import UNLIMITED, Pace


def test_without_a_limit_all_steps_are_due_and_nothing_is_waited_for() -> None:
    pace = Pace(0.0, now=5.0)
    pace.took(1000)
    assert pace.due(5.0) == UNLIMITED
    assert pace.wait_seconds(5.0) == 0.0


def test_one_step_is_due_at_once_and_the_next_after_its_time() -> None:
    pace = Pace(10.0, now=0.0)
    assert pace.due(0.0) == 1
    pace.took(1)
    assert pace.due(0.05) == 0
    assert pace.wait_seconds(0.05) == pytest.approx(0.05)
    assert pace.due(0.1) == 1


def test_it_catches_up_on_what_it_missed() -> None:
    pace = Pace(10.0, now=0.0)
    assert pace.due(0.55) == 6


def test_it_does_not_rush_through_an_hour_that_it_was_stopped() -> None:
    pace = Pace(10.0, now=0.0)
    assert pace.due(3600.0) == 11
    pace.took(11)
    assert pace.due(3600.0) == 0
    assert pace.wait_seconds(3600.0) <= 0.1


@pytest.mark.parametrize(("speed", "expected"), [(0.0, True), (10.0, True), (1.0, True), (0.01, False)])
def test_at_a_slow_pace_a_step_is_expected_only_when_it_is_overdue(speed: float, expected: bool) -> None:
    pace = Pace(speed, now=0.0)
    pace.took(1)
    assert pace.expects_step(50.0) is expected
    assert pace.expects_step(100.5) is expected
    assert pace.expects_step(102.0) is True


@pytest.mark.parametrize("speed", [0.01, 1.0, 7.3, 1000.0, 1_000_000.0])
def test_over_time_it_takes_as_many_as_it_should(speed: float) -> None:
    pace = Pace(speed, now=0.0)
    seconds = max(10.0, 5 / speed)
    taken, now = 0, 0.0
    while now < seconds:
        due = pace.due(now)
        pace.took(due)
        taken += due
        now += min(0.01 + pace.wait_seconds(now), 1.0)
    assert taken == pytest.approx(speed * seconds, rel=0.02, abs=1.5)
