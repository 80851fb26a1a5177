"""Those who wait get the report as soon as it says so, when their time is up, or at once when there are too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tradingbot_contract.report import ObserverReport
from tradingbot_observer.waiters import Waiters

REPORT = ObserverReport(
    namespace="trading",
    bot="first",
    shard=0,
    pod_uid="p",
    observed_at=1000.0,
    generation=1,
    observer_started_at=500.0,
    interval_seconds=15.0,
    engine_pid=None,
    engine_restarts=0,
    last_answer_at=None,
    score=None,
    findings=(),
    sample=None,
    engine=None,
)
LONG_SECONDS = 60.0


class Reported:
    """A report that changes."""

    def __init__(self) -> None:
        self.restarts = 0

    def report(self) -> ObserverReport:
        return msgspec.structs.replace(REPORT, engine_restarts=self.restarts)


def at_least(restarts: int) -> Callable[[ObserverReport], bool]:
    return lambda report: report.engine_restarts >= restarts


def test_an_answer_comes_as_soon_as_the_report_says_so() -> None:
    async def scenario() -> None:
        reported = Reported()
        waiters = Waiters(reported.report)
        assert (await waiters.wait(at_least(0), LONG_SECONDS)).engine_restarts == 0
        early, late = (asyncio.create_task(waiters.wait(at_least(restarts), LONG_SECONDS)) for restarts in (1, 2))
        await asyncio.sleep(0)
        waiters.notice()
        await asyncio.sleep(0)
        assert not early.done()
        reported.restarts = 1
        waiters.notice()
        assert (await early).engine_restarts == 1
        assert not late.done()
        reported.restarts = 2
        waiters.notice()
        assert (await late).engine_restarts == 2

    asyncio.run(scenario())


def test_when_the_time_is_up_the_report_is_given_as_it_is() -> None:
    async def scenario() -> None:
        assert (await Waiters(Reported().report).wait(at_least(1), 0.01)).engine_restarts == 0

    asyncio.run(scenario())


def test_one_too_many_is_answered_at_once_and_one_that_leaves_makes_room() -> None:
    async def scenario() -> None:
        reported = Reported()
        waiters = Waiters(reported.report, most=2)
        waiting = [asyncio.create_task(waiters.wait(at_least(1), LONG_SECONDS)) for _ in range(2)]
        await asyncio.sleep(0)
        assert (await waiters.wait(at_least(1), LONG_SECONDS)).engine_restarts == 0
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        third = asyncio.create_task(waiters.wait(at_least(1), LONG_SECONDS))
        await asyncio.sleep(0)
        assert not third.done()
        reported.restarts = 1
        waiters.notice()
        assert (await third).engine_restarts == (await waiting[1]).engine_restarts == 1

    asyncio.run(scenario())
