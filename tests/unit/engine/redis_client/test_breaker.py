from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.redis_client.breaker import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker


def test_closed_it_lets_everything_pass() -> None:
    breaker = Breaker()
    assert all(breaker.allows(now) for now in (0.0, 0.0, 1.0))
    assert not breaker.is_open
    assert breaker.remaining_seconds(0.0) == 0.0


def test_after_a_failure_nothing_passes_for_a_pause_and_then_one() -> None:
    breaker = Breaker()
    breaker.failed(began_at=10.0, now=10.5)
    assert breaker.remaining_seconds(10.5) == FIRST_PAUSE_SECONDS
    assert [breaker.allows(now) for now in (10.5, 11.4, 11.5, 11.6)] == [False, False, True, False]


def test_pauses_grow_up_to_a_limit_and_an_answer_ends_them() -> None:
    breaker = Breaker()
    now, pauses = 0.0, []
    for _ in range(7):
        breaker.failed(began_at=now, now=now)
        pauses.append(breaker.remaining_seconds(now))
        now += pauses[-1]
        assert breaker.allows(now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    breaker.succeeded()
    assert not breaker.is_open
    breaker.failed(began_at=now, now=now)
    assert breaker.remaining_seconds(now) == FIRST_PAUSE_SECONDS


def test_many_that_fail_together_count_as_one_failure() -> None:
    breaker = Breaker()
    breaker.failed(began_at=0.0, now=1.0)
    for _ in range(20):
        breaker.failed(began_at=0.0, now=1.1)
    assert breaker.remaining_seconds(1.0) == FIRST_PAUSE_SECONDS


@given(st.lists(st.floats(min_value=0.001, max_value=5.0), min_size=1, max_size=200))
def test_a_server_that_stays_down_is_asked_ever_more_seldom(gaps: list[float]) -> None:
    breaker = Breaker()
    now, asked = 0.0, []
    for gap in gaps:
        now += gap
        if breaker.allows(now):
            asked.append(now)
            breaker.failed(began_at=now, now=now)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
    assert all(pause >= min(FIRST_PAUSE_SECONDS * 2**index, LONGEST_PAUSE_SECONDS) - 1e-9 for index, pause in enumerate(pauses))
