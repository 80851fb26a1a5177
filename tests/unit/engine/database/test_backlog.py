"""How much waits for the journal, and for how long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.database.backlog import Backlog, Bounds

BOUNDS = Bounds(steps=10, rows=5, seconds=60.0)


def test_it_is_as_old_as_its_oldest_step() -> None:
    backlog = Backlog(BOUNDS)
    assert (backlog.steps, backlog.behind_seconds(5.0)) == (0, 0.0)
    backlog.took(2, 10.0, ordered=False)
    backlog.took(1, 12.0, ordered=False)
    backlog.hand_over()
    backlog.took(4, 20.0, ordered=False)
    assert (backlog.steps, backlog.new_steps, backlog.behind_seconds(21.0)) == (7, 4, 11.0)
    assert backlog.written(21.0) is None
    assert (backlog.steps, backlog.behind_seconds(21.0)) == (4, 1.0)
    backlog.hand_over()
    backlog.written(22.0)
    assert (backlog.steps, backlog.behind_seconds(99.0)) == (0, 0.0)


def test_an_order_waits_from_its_own_step_on() -> None:
    backlog = Backlog(BOUNDS)
    backlog.took(1, 10.0, ordered=False)
    backlog.took(1, 11.0, ordered=True)
    backlog.took(1, 12.0, ordered=True)
    backlog.hand_over()
    backlog.took(1, 13.0, ordered=True)
    assert backlog.written(14.0) == 3.0
    backlog.hand_over()
    assert backlog.written(15.0) == 2.0


def test_each_bound_is_enough() -> None:
    backlog = Backlog(BOUNDS)
    backlog.took(9, 100.0, ordered=False)
    assert not backlog.is_full(4, 159.9)
    assert backlog.is_full(5, 100.0)
    assert backlog.is_full(0, 160.0)
    backlog.took(1, 100.0, ordered=False)
    assert backlog.is_full(0, 100.0)
    backlog.hand_over()
    assert not backlog.is_full(0, 159.9)
    assert backlog.is_full(0, 160.0)  # what is being written is no younger for it


@given(st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["hand over", "written"])), max_size=60))
def test_no_step_is_lost_or_counted_twice(happenings: list[int | str]) -> None:
    backlog, taken, flying, done = Backlog(BOUNDS), 0, 0, 0
    is_flying = False
    for moment, happening in enumerate(happenings):
        if happening == "hand over":
            if not is_flying:
                backlog.hand_over()
                flying, taken, is_flying = taken, 0, True
        elif happening == "written":
            if is_flying:
                backlog.written(float(moment))
                done, flying, is_flying = done + flying, 0, False
        else:
            assert isinstance(happening, int)
            backlog.took(happening, float(moment), ordered=False)
            taken += happening
        assert (backlog.steps, backlog.new_steps) == (taken + flying, taken)
        assert (backlog.behind_seconds(1000.0) > 0.0) == (taken + flying > 0)
