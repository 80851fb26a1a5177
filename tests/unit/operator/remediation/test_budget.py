"""The budget: a bucket that refills evenly and is never overdrawn, whatever is asked of it and when."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingbot_operator.bot_status import Budget
from tradingbot_operator.operations import Remediation
from tradingbot_operator.remediation.budget import carry_on, current_level, draw, seconds_until_step

NOW = 1_800_000_000.0
RULES = Remediation(max_actions=12, per_seconds=3600)


def test_a_budget_that_was_never_drawn_on_is_full() -> None:
    assert current_level(None, RULES, NOW) == 12.0
    assert carry_on(None, RULES, NOW) == Budget(max_actions=12, per_seconds=3600, remaining=12, level=12.0, as_of="")


def test_a_full_budget_is_spent_at_once_and_refills_evenly() -> None:
    budget: Budget | None = None
    for left in range(11, -1, -1):
        assert seconds_until_step(budget, RULES, NOW) == 0.0
        budget = draw(budget, RULES, NOW)
        assert budget.remaining == left
    assert seconds_until_step(budget, RULES, NOW) == 300.0
    assert seconds_until_step(budget, RULES, NOW + 299.0) == 1.0
    assert seconds_until_step(budget, RULES, NOW + 300.0) == 0.0
    assert current_level(budget, RULES, NOW + 1800.0) == 6.0
    assert current_level(budget, RULES, NOW + 1e6) == 12.0


def test_a_budget_that_is_not_drawn_on_stays_as_it_is_written() -> None:
    budget = draw(None, RULES, NOW)
    assert carry_on(budget, RULES, NOW + 12345.6) is budget
    full = carry_on(None, RULES, NOW)
    assert carry_on(full, RULES, NOW + 1.0) == full


def test_other_rules_keep_what_is_left_and_no_more() -> None:
    spent = draw(None, Remediation(max_actions=1, per_seconds=3600), NOW)
    assert carry_on(spent, RULES, NOW).remaining == 0
    nearly_full = draw(None, RULES, NOW)
    fewer = carry_on(nearly_full, Remediation(max_actions=3, per_seconds=600), NOW)
    assert (fewer.max_actions, fewer.per_seconds, fewer.remaining, fewer.level) == (3, 600, 3, 3.0)
    assert carry_on(carry_on(None, RULES, NOW), Remediation(max_actions=3), NOW).level == 3.0


def test_a_clock_that_is_set_back_refills_nothing_twice() -> None:
    budget = draw(draw(None, RULES, NOW), RULES, NOW - 1000.0)
    assert current_level(budget, RULES, NOW - 1000.0) == 10.0
    assert current_level(budget, RULES, NOW) == 10.0


@pytest.mark.parametrize("now", [NOW + 0.999, NOW + 0.001])
def test_what_is_read_back_is_what_was_written(now: float) -> None:
    budget = draw(None, RULES, now)
    assert current_level(budget, RULES, now) == budget.level == 11.0


@settings(deadline=None)
@given(
    pauses=st.lists(st.floats(min_value=0.0, max_value=400.0), min_size=1, max_size=60),
    max_actions=st.integers(min_value=1, max_value=60),
    per_seconds=st.integers(min_value=60, max_value=7200),
)
def test_no_window_sees_more_than_twice_the_budget_and_no_moment_more_than_once(
    pauses: list[float], max_actions: int, per_seconds: int
) -> None:
    rules = Remediation(max_actions=max_actions, per_seconds=per_seconds)
    budget: Budget | None = None
    now, taken = NOW, []
    for pause in pauses:
        now += pause
        while seconds_until_step(budget, rules, now) == 0.0:
            budget = draw(budget, rules, now)
            taken.append(now)
    for place, start in enumerate(taken):
        assert bisect_left(taken, start + per_seconds) - place <= 2 * max_actions
        assert bisect_left(taken, start + 1.0) - place <= max_actions + 1
    assert len(taken) <= max_actions + (now + 1.0 - NOW) * max_actions / per_seconds + 1.0


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=60), st.integers(min_value=60, max_value=86_400), st.integers(min_value=1, max_value=100))
def test_after_the_time_that_it_names_there_is_a_step(max_actions: int, per_seconds: int, draws: int) -> None:
    rules = Remediation(max_actions=max_actions, per_seconds=per_seconds)
    budget: Budget | None = None
    now = NOW
    for _ in range(draws):
        now += seconds_until_step(budget, rules, now)
        assert seconds_until_step(budget, rules, now) == 0.0
        budget = draw(budget, rules, now)
        assert budget.level >= 0.0
