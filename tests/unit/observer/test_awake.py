from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_observer.awake import AwakeClock


def test_it_goes_as_any_clock_while_somebody_looks() -> None:
    clock = AwakeClock(100.0, 1.0)
    assert [clock.look(at) for at in (100.0, 100.25, 101.0, 102.0)] == [0.0, 0.25, 1.0, 2.0]
    assert clock.seconds == 2.0


def test_it_stands_still_while_nobody_does() -> None:
    clock = AwakeClock(0.0, 1.0)
    clock.look(1.0)
    assert clock.look(3600.0) == 2.0
    assert clock.look(3600.5) == 2.5


@given(st.lists(st.floats(-10.0, 1000.0), max_size=20))
def test_it_never_goes_back_and_never_faster_than_time(steps: list[float]) -> None:
    clock, now = AwakeClock(0.0, 1.0), 0.0
    for step in steps:
        now += step
        before = clock.seconds
        assert before <= clock.look(now) <= before + min(1.0, max(0.0, step)) + 1e-9
