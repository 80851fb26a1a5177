"""The queue on a real event loop. Nothing here asserts how long something takes; order and counts are what matters."""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tradingbot_operator.queue import LONGEST_RETRY_SECONDS, WorkQueue


def test_a_key_waits_only_once() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        for key in ("a", "b", "a", "a"):
            queue.add(key)
        assert len(queue) == 2
        assert [await queue.take(), await queue.take()] == ["a", "b"]
        assert len(queue) == 0

    asyncio.run(scenario())


def test_a_key_that_is_woken_during_its_pass_gets_one_more_after_it() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        assert await queue.take() == "a"
        queue.add("a")
        queue.add("a")
        assert len(queue) == 0, "never two passes over one key at a time"
        queue.done("a")
        assert await queue.take() == "a"
        queue.done("a")
        assert len(queue) == 0

    asyncio.run(scenario())


def test_who_waits_for_a_key_gets_it_when_it_comes() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        queue.add("a")
        assert await waiting == "a"

    asyncio.run(scenario())


def test_the_earliest_of_several_due_times_counts_and_an_earlier_pass_spends_it() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 3600.0)
        queue.add_after("a", 0.0)
        queue.add_after("a", 1800.0)
        assert await queue.take() == "a"
        queue.done("a")
        queue.add_after("b", 0.01)
        queue.add("b")
        assert await queue.take() == "b"
        queue.done("b")
        queue.add_after("end", 0.05)
        assert await queue.take() == "end", "b was not due a second time"
        queue.close()

    asyncio.run(scenario())


def test_failures_wait_longer_each_time_and_are_forgotten_after_a_success() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        waits = [queue.add_failed("a") for _ in range(12)]
        for number, seconds in enumerate(waits):
            longest = min(LONGEST_RETRY_SECONDS, 0.5 * 2**number)
            assert longest / 2 <= seconds <= longest
        queue.forget_failures("a")
        assert queue.add_failed("a") <= 0.5
        queue.drop("a")
        assert queue.add_failed("a") <= 0.5
        queue.close()

    asyncio.run(scenario())


def test_what_waits_is_timed_from_when_it_was_due_and_not_from_before_somebody_worked() -> None:
    async def scenario() -> None:
        waited: list[float] = []
        queue: WorkQueue[str] = WorkQueue(on_take=waited.append)
        queue.add("a")
        await asyncio.sleep(0.3)
        came = asyncio.get_running_loop().time()
        await queue.take()
        assert waited[0] <= asyncio.get_running_loop().time() - came, "nobody worked yet"
        queue.add("b")
        await asyncio.sleep(0.05)
        await queue.take()
        assert waited[1] >= 0.04

    asyncio.run(scenario())


def test_the_longest_pass_is_known_while_it_goes_on() -> None:
    async def scenario() -> None:
        retries: list[None] = []
        queue: WorkQueue[str] = WorkQueue(on_retry=lambda: retries.append(None))
        assert queue.longest_pass() is None
        queue.add("a")
        queue.add("b")
        await queue.take()
        await asyncio.sleep(0.02)
        await queue.take()
        longest = queue.longest_pass()
        assert longest is not None
        assert longest[0] == "a"
        assert longest[1] >= 0.01
        queue.add_failed("a")
        queue.done("a")
        longest = queue.longest_pass()
        assert longest is not None
        assert longest[0] == "b"
        queue.done("b")
        assert queue.longest_pass() is None
        assert len(retries) == 1
        queue.close()

    asyncio.run(scenario())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 4))
def test_no_wake_up_is_lost_and_no_key_has_two_passes_at_once(wakes: list[int], workers: int) -> None:
    async def scenario() -> None:
        queue: WorkQueue[int] = WorkQueue()
        running: Counter[int] = Counter()
        seen: dict[int, int] = {}
        woken: Counter[int] = Counter()

        async def work() -> None:
            while True:
                key = await queue.take()
                running[key] += 1
                assert running[key] == 1
                seen[key] = woken[key]
                await asyncio.sleep(0)
                running[key] -= 1
                queue.done(key)

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        for number, key in enumerate(wakes):
            woken[key] += 1
            queue.add(key)
            if number % 3 == 0:
                await asyncio.sleep(0)
        for _ in range(20 * len(wakes)):
            await asyncio.sleep(0)
        assert seen == dict(woken), "every key had a pass after its last wake-up"
        assert all(not task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())
