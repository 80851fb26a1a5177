from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_operator.watch_health import WatchKey, WatchState, add_event, find_dead, is_suspicious, judge_listing

PODS = WatchKey("Pod", None)


def after(*lists: tuple[int, str]) -> WatchState:
    """Return the state after lists, each with the events that came before it and what was missed in it."""
    state = WatchState()
    for events, missed in lists:
        for _ in range(events):
            state = add_event(state)
        state = judge_listing(state, missed=missed)
    return state


@pytest.mark.parametrize(
    ("lists", "dead"),
    [
        ((), False),
        (((0, ""), (0, "")), False),
        (((0, "bots/calm-0"),), False),
        (((0, "bots/calm-0"), (0, "bots/calm-1")), True),
        (((0, "bots/calm-0"), (3, "bots/calm-1")), True),
        (((0, "bots/calm-0"), (3, ""), (0, "bots/calm-1")), False),
        # Where nothing changes, nobody can tell a dead watch from a quiet one: the suspicion stays.
        (((0, "bots/calm-0"), (0, ""), (0, "bots/calm-1")), True),
    ],
)
def test_a_watch_is_dead_when_two_lists_in_a_row_show_what_it_missed(lists: tuple[tuple[int, str], ...], dead: bool) -> None:
    assert find_dead({PODS: after(*lists)}) == ((PODS,) if dead else ())


def test_after_a_miss_the_next_list_comes_soon() -> None:
    assert not is_suspicious({PODS: after((1, ""))})
    assert is_suspicious({PODS: after((1, "")), WatchKey("Service", "bots"): after((0, "bots/calm"))})


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["", "bots/calm"])), max_size=20))
def test_a_watch_that_misses_nothing_is_never_dead_and_one_that_brings_nothing_and_misses_always_is(lists: list[tuple[int, str]]) -> None:
    assert not find_dead({PODS: after(*((events, "") for events, _ in lists))})
    if len(lists) >= 2:
        assert find_dead({PODS: after(*((0, "bots/calm") for _ in lists))})


def test_a_watch_of_one_namespace_is_named_with_it() -> None:
    assert [str(PODS), str(WatchKey("Pod", "bots"))] == ["Pod", "Pod in bots"]
