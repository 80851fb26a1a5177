from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.course import MOST_POINTS, Course
from tradingbot_contract.report import EngineState, EngineStatus


def status(**changes: Any) -> EngineStatus:
    known: dict[str, Any] = {"state": EngineState.RUNNING, "generation": 0, "started_at": 0.0, "heartbeat_at": 0.0, "equity": 100.0}
    return EngineStatus(**(known | changes))


def test_before_the_first_answer_it_starts() -> None:
    moment = Course().add(None, None, at=1.0, monotonic_seconds=1.0)
    assert (moment.phase, moment.engine, moment.equity, moment.span) == ("Starting", None, (), None)


def test_an_engine_that_no_longer_answers_is_silent_and_its_last_words_are_kept() -> None:
    course = Course()
    course.add(status(bars=5), None, at=1.0, monotonic_seconds=1.0)
    moment = course.add(None, None, at=2.0, monotonic_seconds=2.0)
    assert (moment.phase, moment.answers) == ("Silent", False)
    assert moment.engine == status(bars=5)


def test_the_pace_is_that_of_the_last_seconds() -> None:
    course = Course()
    assert course.add(status(bars_this_run=0), None, at=0, monotonic_seconds=0.0).bars_per_second is None
    assert course.add(status(bars_this_run=100), None, at=0, monotonic_seconds=1.0).bars_per_second == 100
    for second in range(2, 10):
        moment = course.add(status(bars_this_run=100 + 10 * (second - 1)), None, at=0, monotonic_seconds=float(second))
    assert moment.bars_per_second == 10
    assert course.add(status(state=EngineState.FINISHED), None, at=0, monotonic_seconds=11.0).bars_per_second is None


def test_the_span_is_the_part_of_the_prices_that_was_seen() -> None:
    course = Course()
    course.add(status(progress=0.25), None, at=0, monotonic_seconds=0)
    assert course.add(status(progress=0.5), None, at=0, monotonic_seconds=1).span == (0.25, 0.5)
    assert course.add(status(progress=0.1, lap=1), None, at=0, monotonic_seconds=2).span is None
    endless = Course()
    assert endless.add(status(progress=None), None, at=0, monotonic_seconds=0).span is None


@given(st.integers(1, 5000))
def test_the_equity_of_the_whole_run_in_a_bounded_number_of_points(count: int) -> None:
    course = Course()
    for number in range(count):
        moment = course.add(status(equity=float(number)), None, at=0, monotonic_seconds=float(number))
    assert len(moment.equity) <= MOST_POINTS
    assert moment.equity[0] == 0.0
    assert list(moment.equity) == sorted(set(moment.equity))
    # The newest value is the last point, or at most one point of the coarser drawing away.
    assert count - 1 - moment.equity[-1] <= max(1, 2 * count // MOST_POINTS)
