from __future__ import annotations

import asyncio
import time

from tradingbot_operator.token_bucket import TokenBucket


def test_what_goes_beyond_the_burst_waits() -> None:
    async def scenario() -> float:
        bucket = TokenBucket(per_second=100.0, burst=5)
        started = time.monotonic()
        for _ in range(15):
            await bucket.take()
        return time.monotonic() - started

    # A lower bound holds on every machine: ten of them had to wait for a token each.
    assert asyncio.run(scenario()) >= 0.09


def test_those_who_wait_are_served_in_order() -> None:
    async def scenario() -> list[int]:
        bucket = TokenBucket(per_second=1000.0, burst=1)
        served: list[int] = []

        async def take(number: int) -> None:
            await bucket.take()
            served.append(number)

        await asyncio.gather(*(take(number) for number in range(10)))
        return served

    assert asyncio.run(scenario()) == list(range(10))
