"""Both levels of a cache for who computes many values at once."""

from __future__ import annotations

import asyncio

from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.results import Results
from tradingbot_engine.cache.second_level import Absence, SharedKey
from tradingbot_engine.cache.sharing import Sharing


class Level:
    def __init__(self) -> None:
        self.stored: dict[SharedKey, bytes] = {}

    async def get(self, key: SharedKey) -> bytes | Absence:
        return self.stored.get(key, Absence.MISSING)

    async def put(self, key: SharedKey, value: bytes, ttl_seconds: float) -> None:
        assert ttl_seconds == 1800.0
        self.stored[key] = value


def build() -> Cache[str, float]:
    return Cache(CacheName.PREDICTIONS, max_entries=10, max_bytes=10**6, ttl_seconds=1800.0)


def test_what_was_put_is_found_here() -> None:
    async def scenario() -> None:
        cache = build()
        results = Results(cache)
        assert await results.get("a") is None
        await results.put("a", 0.5)
        assert await results.get("a") == 0.5
        assert (cache.hits, cache.misses) == (1, 1)

    asyncio.run(scenario())


def test_and_in_the_second_level() -> None:
    async def scenario() -> None:
        level = Level()
        first, second = build(), build()
        for cache in (first, second):
            cache.sharing = Sharing(level, float, scope="")
        await Results(first).put("a", 0.5)
        assert first.sharing is not None
        await first.sharing.drain()
        assert await Results(second).get("a") == 0.5
        assert second.get("a") == 0.5

    asyncio.run(scenario())
