"""Work that several ask for is done once, whoever leaves before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from tradingbot_engine.cache.flights import Flights


class Work:
    """Waits until it is told how to end."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> int:
        self.begun += 1
        try:
            return await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def play(scenario: Callable[[Flights[int], Work], Awaitable[None]]) -> None:
    async def begin() -> None:
        flights: Flights[int] = Flights()
        await scenario(flights, Work())
        assert len(flights) == 0

    asyncio.run(begin())


async def turn() -> None:
    """Let everybody go as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


def several(join: Callable[[], Coroutine[Any, Any, int]], count: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(join()) for _ in range(count)]


def test_it_is_done_once() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        tasks = several(lambda: flights.join("key", work), 5)
        await turn()
        work.end.set_result(7)
        assert await asyncio.gather(*tasks) == [7] * 5
        assert work.begun == 1

    play(scenario)


def test_other_keys_have_their_own() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        tasks = [asyncio.create_task(flights.join(key, work)) for key in ("a", "b", ("a", 1))]
        await turn()
        assert (work.begun, len(flights)) == (3, 3)
        work.end.set_result(7)
        await asyncio.gather(*tasks)

    play(scenario)


def test_a_failure_reaches_all_and_is_forgotten() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        tasks = several(lambda: flights.join("key", work), 3)
        await turn()
        work.end.set_exception(OSError("gone"))
        assert [str(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == ["gone"] * 3
        again = Work()
        again.end.set_result(1)
        assert await flights.join("key", again) == 1

    play(scenario)


def test_who_is_cancelled_leaves_alone() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        first, second = several(lambda: flights.join("key", work), 2)
        await turn()
        first.cancel()
        await turn()
        assert first.cancelled()
        work.end.set_result(7)
        assert await second == 7
        assert (work.begun, work.cancelled) == (1, 0)

    play(scenario)


def test_the_last_to_leave_ends_it() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        tasks = several(lambda: flights.join("key", work), 2)
        await turn()
        for task in tasks:
            task.cancel()
        await turn()
        assert all(task.cancelled() for task in tasks)
        assert (work.begun, work.cancelled) == (1, 1)

    play(scenario)


def test_who_comes_while_it_is_being_ended_begins_anew() -> None:
    async def scenario(flights: Flights[int], work: Work) -> None:
        (alone,) = several(lambda: flights.join("key", work), 1)
        await turn()
        alone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await alone
        again = Work()
        (other,) = several(lambda: flights.join("key", again), 1)
        await turn()
        again.end.set_result(8)
        assert await other == 8
        assert (work.cancelled, again.begun, again.cancelled) == (1, 1, 0)

    play(scenario)
