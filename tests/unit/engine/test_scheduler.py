"""Background jobs: each by itself, none in trading's way, none for ever put off."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.metrics import JOB_DURATION
from tradingbot_engine.scheduler import DONE, FAILED, LONGEST_PUT_OFF_SECONDS, THROTTLED, Job, Scheduler, draw_pause, may_put_off
from tradingbot_engine.unavailable import UnavailableError

DEADLINE_SECONDS = 60.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 2 * DEADLINE_SECONDS))


class Tally:
    """A job's work that counts its runs."""

    def __init__(self, error: Exception | None = None) -> None:
        self.runs = 0
        self.error = error

    async def __call__(self) -> None:
        self.runs += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error


@given(interval=st.floats(0.01, 1e5), jitter=st.floats(0, 1), draw=st.floats(0, 1))
def test_the_pause_is_around_the_interval(interval: float, jitter: float, draw: float) -> None:
    assert interval * (1 - jitter) * 0.999999 <= draw_pause(interval, jitter, draw) <= interval * (1 + jitter) * 1.000001


@pytest.mark.parametrize(
    ("interval", "waited", "may"),
    [
        (300.0, 0.0, True),
        (300.0, LONGEST_PUT_OFF_SECONDS - 1, True),
        (300.0, LONGEST_PUT_OFF_SECONDS, False),
        (5.0, 4.9, True),
        (5.0, 5.0, False),
    ],
)
def test_nothing_is_put_off_for_ever(interval: float, waited: float, may: bool) -> None:
    assert may_put_off(interval, waited) is may


def test_jobs_run_again_and_again_and_are_counted() -> None:
    measured: list[tuple[str, str]] = []

    async def scene() -> None:
        tally = Tally()

        def record(instrument: Any, value: float, attributes: Any) -> None:
            assert value >= 0
            measured.append((instrument.name, attributes["task"]))

        scheduler = Scheduler([Job("sweep", 0.001, tally)], record=record)
        scheduler.start()
        await until(lambda: tally.runs >= 3)
        await scheduler.stop()
        runs = tally.runs
        assert scheduler.runs["sweep", DONE] == runs
        assert measured == [(JOB_DURATION.name, "sweep")] * runs
        await asyncio.sleep(0.01)
        assert tally.runs == runs

    play(scene)


def test_a_job_that_fails_ends_neither_itself_nor_others_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        bug, outage, fine = Tally(ZeroDivisionError("oops")), Tally(UnavailableError("gone")), Tally()
        scheduler = Scheduler([Job("bug", 0.001, bug), Job("outage", 0.001, outage), Job("fine", 0.001, fine)])
        scheduler.start()
        await until(lambda: min(bug.runs, outage.runs, fine.runs) >= 5)
        await scheduler.stop()
        assert scheduler.runs["bug", FAILED] == bug.runs
        assert scheduler.runs["bug", DONE] == 0
        assert scheduler.runs["outage", FAILED] == outage.runs
        assert scheduler.runs["fine", DONE] == fine.runs

    with caplog.at_level(logging.INFO):
        play(scene)
    told = [(record.levelname, record.fields["job"], record.exc_info is not None) for record in caplog.records]  # type: ignore[attr-defined]  # set by extra
    assert sorted(told) == [("ERROR", "bug", True), ("WARNING", "outage", False)]


def test_another_kind_of_failure_is_told_of_too(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        tally = Tally(UnavailableError("gone"))
        scheduler = Scheduler([Job("sweep", 0.001, tally)])
        scheduler.start()
        await until(lambda: tally.runs >= 3)
        tally.error = KeyError("x")
        await until(lambda: tally.runs >= 6)
        await scheduler.stop()

    play(scene)
    assert [record.fields["kind"] for record in caplog.records] == ["UnavailableError", "KeyError"]  # type: ignore[attr-defined]  # as above


def test_a_job_never_runs_beside_itself() -> None:
    async def scene() -> None:
        at_once = most = runs = 0

        async def slow() -> None:
            nonlocal at_once, most, runs
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1
            runs += 1

        scheduler = Scheduler([Job("slow", 0.0001, slow)])
        scheduler.start()
        while runs < 5:
            scheduler.wake("slow")
            await asyncio.sleep(0.001)
        await scheduler.stop()
        assert most == 1

    play(scene)


def test_while_the_engine_is_busy_only_what_is_urgent_runs() -> None:
    async def scene() -> None:
        urgent, other = Tally(), Tally()
        busy = True
        scheduler = Scheduler([Job("urgent", 0.01, urgent, urgent=True), Job("other", 5.0, other)], busy=lambda: busy)
        scheduler.start()
        scheduler.wake("other")
        await until(lambda: urgent.runs >= 3)
        assert other.runs == 0
        assert scheduler.runs["other", THROTTLED] == 1
        assert scheduler.runs["urgent", THROTTLED] == 0
        busy = False
        await until(lambda: scheduler.runs["other", DONE] == 1)
        assert scheduler.runs["other", THROTTLED] == 1
        await scheduler.stop()

    play(scene)


def test_under_constant_load_it_runs_all_the_same() -> None:
    async def scene() -> None:
        tally = Tally()
        scheduler = Scheduler([Job("sweep", 0.02, tally)], busy=lambda: True)
        scheduler.start()
        await until(lambda: tally.runs >= 3)
        assert scheduler.runs["sweep", THROTTLED] >= 3
        await scheduler.stop()

    play(scene)


def test_a_job_that_is_wanted_now_runs_now_and_once_more_if_it_runs_already() -> None:
    async def scene() -> None:
        begun, may_end = 0, asyncio.Event()

        async def job() -> None:
            nonlocal begun
            begun += 1
            await may_end.wait()

        scheduler = Scheduler([Job("sweep", 3600.0, job)])
        scheduler.start()
        scheduler.wake("sweep")
        await until(lambda: begun == 1)
        scheduler.wake("sweep")
        scheduler.wake("sweep")
        may_end.set()
        await until(lambda: scheduler.runs["sweep", DONE] == 2)
        await asyncio.sleep(0.01)
        assert begun == 2
        await scheduler.stop()

    play(scene)


def test_another_interval_counts_from_now_on() -> None:
    async def scene() -> None:
        tally = Tally()
        scheduler = Scheduler([Job("sweep", 3600.0, tally)])
        scheduler.start()
        await asyncio.sleep(0)
        scheduler.reschedule("sweep", 0.001)
        assert scheduler.jobs == {"sweep": 0.001}
        await until(lambda: tally.runs >= 2)
        scheduler.reschedule("sweep", 3600.0)
        await asyncio.sleep(0.01)
        runs = tally.runs
        await asyncio.sleep(0.02)
        assert tally.runs == runs
        await scheduler.stop()

    play(scene)


def test_a_job_may_come_later_but_not_twice() -> None:
    async def scene() -> None:
        scheduler, tally = Scheduler(), Tally()
        scheduler.start()
        scheduler.add(Job("late", 0.001, tally))
        await until(lambda: tally.runs >= 1)
        with pytest.raises(ValueError, match="late"):
            scheduler.add(Job("late", 1.0, tally))
        await scheduler.stop()

    play(scene)


def test_it_waits_for_what_runs_when_it_stops() -> None:
    async def scene() -> None:
        begun, ended = asyncio.Event(), False

        async def job() -> None:
            nonlocal ended
            begun.set()
            await asyncio.sleep(0.05)
            ended = True

        scheduler = Scheduler([Job("sweep", 0.001, job), Job("idle", 3600.0, Tally())])
        scheduler.start()
        await begun.wait()
        await scheduler.stop()
        assert ended
        assert scheduler.runs["sweep", DONE] == 1

    play(scene)


def test_it_does_not_wait_for_ever() -> None:
    async def scene() -> None:
        begun, canceled = asyncio.Event(), False

        async def job() -> None:
            nonlocal canceled
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                canceled = True
                raise

        scheduler = Scheduler([Job("stuck", 0.001, job)])
        scheduler.start()
        await begun.wait()
        await scheduler.stop(patience_seconds=0.01)
        assert canceled
        assert scheduler.runs["stuck", DONE] == 0

    play(scene)


def test_it_may_be_stopped_before_it_has_begun() -> None:
    play(Scheduler([Job("sweep", 1.0, Tally())]).stop)
