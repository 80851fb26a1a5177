from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from tradingbot_engine.loop_lag import BUSY_FROM_SECONDS, LoopLag

DEADLINE_SECONDS = 60.0


def measured(load: Callable[[LoopLag], Awaitable[None]]) -> LoopLag:
    """Return what was measured while `load` ran."""

    async def run() -> LoopLag:
        lag = LoopLag()
        task = asyncio.create_task(lag.run())
        await asyncio.wait_for(load(lag), DEADLINE_SECONDS)
        task.cancel()
        return lag

    return asyncio.run(run())


def test_before_the_first_look_nothing_is_known() -> None:
    lag = LoopLag()
    assert lag.worst_seconds is None
    assert not lag.busy()


def test_a_loop_at_rest_is_not_busy() -> None:
    async def rest(lag: LoopLag) -> None:
        while lag.worst_seconds is None:  # noqa: ASYNC110 - it is what is under test, and sets no event
            await asyncio.sleep(0.01)

    assert not measured(rest).busy()


def test_a_loop_that_is_held_up_again_and_again_is_busy() -> None:
    async def hold_up(lag: LoopLag) -> None:
        while not lag.busy():
            time.sleep(4 * BUSY_FROM_SECONDS)  # noqa: ASYNC251 - what is to be measured
            await asyncio.sleep(0)

    lag = measured(hold_up)
    assert lag.busy()
    assert lag.worst_seconds is not None
    assert lag.worst_seconds > BUSY_FROM_SECONDS


def test_one_stall_is_no_load() -> None:
    async def stall(lag: LoopLag) -> None:
        await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251 - as above
        while (lag.worst_seconds or 0.0) < BUSY_FROM_SECONDS:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)

    assert not measured(stall).busy()
