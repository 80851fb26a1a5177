"""The caches together: their limits from the spec, under pressure, and changed while they are full."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from tradingbot_contract.resources import Cache as Settings
from tradingbot_contract.resources import PredictionsCache, ViewsCache
from tradingbot_engine.cache.caches import CacheManager
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.stats import CacheStats, EvictionCause

VIEWS, PREDICTIONS = CacheName.VIEWS, CacheName.PREDICTIONS
MIB = 2**20


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def stats(manager: CacheManager) -> dict[CacheName, CacheStats]:
    return {one.name: one for one in manager.stats()}


def entries(manager: CacheManager) -> list[int]:
    return [stats(manager)[name].entries for name in (VIEWS, PREDICTIONS)]


def most_entries(manager: CacheManager) -> list[int]:
    return [stats(manager)[name].max_entries for name in (VIEWS, PREDICTIONS)]


def fill(manager: CacheManager, name: CacheName, keys: Iterable[int], *, size: int = 10) -> None:
    for key in keys:
        manager.cache(name).put(key, bytes(size))


def test_limits_are_those_of_the_spec() -> None:
    manager = CacheManager(Settings(max_entries=50, memory_limit="10Mi", predictions=PredictionsCache(max_entries=70)))
    assert most_entries(manager) == [50, 70]
    assert [one.max_bytes for one in manager.stats()] == [5 * MIB, 5 * MIB]


def test_a_name_is_one_cache() -> None:
    manager = CacheManager(Settings())
    assert manager.cache(VIEWS) is manager.cache(VIEWS)
    assert manager.cache(VIEWS) is not manager.cache(PREDICTIONS)


def test_each_has_its_own_time_to_live() -> None:
    clock = Clock()
    manager = CacheManager(Settings(views=ViewsCache(ttl_seconds=10.0), predictions=PredictionsCache(ttl_seconds=20.0)), timer=clock)
    for name in CacheName:
        fill(manager, name, [1])
    clock.now = 15.0
    assert [manager.cache(name).get(1) for name in (VIEWS, PREDICTIONS)] == [None, bytes(10)]


class TestReconfigure:
    def test_caches_stay_and_keep_what_they_have(self) -> None:
        manager = CacheManager(Settings(max_entries=100))
        cache = manager.cache(VIEWS)
        fill(manager, VIEWS, range(100))
        manager.reconfigure(Settings(max_entries=200))
        assert manager.cache(VIEWS) is cache
        assert (entries(manager), most_entries(manager)) == ([100, 0], [200, 200])

    def test_what_is_too_much_is_gone_when_it_has_settled(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=10_000))
            for name in CacheName:
                fill(manager, name, range(10_000))
            manager.reconfigure(Settings(max_entries=3000, views=ViewsCache(max_entries=1000)))
            assert entries(manager) == [10_000, 10_000]
            await manager.settle()
            assert entries(manager) == [1000, 3000]
            assert [one.evictions[EvictionCause.SIZE] for one in manager.stats()] == [9000, 7000]

        asyncio.run(scenario())

    def test_the_loop_turns_meanwhile(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=10_000))
            fill(manager, VIEWS, range(10_000))
            manager.reconfigure(Settings(max_entries=1000))
            settling = asyncio.create_task(manager.settle())
            seen = []
            while not settling.done():
                seen.append(entries(manager)[0])
                await asyncio.sleep(0)
            assert len(set(seen)) > 10

        asyncio.run(scenario())

    def test_a_shorter_time_to_live_is_for_what_is_there(self) -> None:
        clock = Clock()
        manager = CacheManager(Settings(), timer=clock)
        fill(manager, VIEWS, [1])
        clock.now = 50.0
        manager.reconfigure(Settings(views=ViewsCache(ttl_seconds=40.0)))
        assert manager.cache(VIEWS).get(1) is None

    def test_pressure_goes_on(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=100))
            await manager.scale(0.5)
            manager.reconfigure(Settings(max_entries=200))
            assert most_entries(manager) == [100, 100]

        asyncio.run(scenario())


class TestPressure:
    def test_caches_give_back_and_grow_again(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=1000, memory_limit="10Mi"))
            fill(manager, PREDICTIONS, range(1000))
            await manager.scale(0.7)
            assert (entries(manager), most_entries(manager)) == ([0, 700], [700, 700])
            assert sum(one.max_bytes for one in manager.stats()) <= 7 * MIB
            await manager.scale(0.49)
            assert (entries(manager), most_entries(manager)) == ([0, 490], [490, 490])
            await manager.scale(1.0)
            assert (entries(manager), most_entries(manager)) == ([0, 490], [1000, 1000])
            assert stats(manager)[PREDICTIONS].evictions[EvictionCause.PRESSURE] == 510
            fill(manager, PREDICTIONS, range(2000, 3000))
            assert stats(manager)[PREDICTIONS].evictions[EvictionCause.PRESSURE] == 510

        asyncio.run(scenario())

    def test_one_entry_is_always_left(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=3))
            await manager.scale(0.1)
            assert most_entries(manager) == [1, 1]

        asyncio.run(scenario())


class TestMemory:
    def test_all_together_stay_below_the_limit(self) -> None:
        manager = CacheManager(Settings(max_entries=100_000, memory_limit="1Mi"))
        for name in CacheName:
            fill(manager, name, range(2000), size=1000)
        sizes = [one.size_bytes for one in manager.stats()]
        assert 0.9 * MIB < sum(sizes) <= MIB
        assert all(one.evictions[EvictionCause.BYTES] for one in manager.stats())

    def test_what_one_does_not_need_the_other_gets(self) -> None:
        async def scenario() -> None:
            manager = CacheManager(Settings(max_entries=100_000, memory_limit="1Mi"))
            for _ in range(10):
                fill(manager, PREDICTIONS, range(2000), size=1000)
                await manager.clean()
            held = stats(manager)[PREDICTIONS].size_bytes
            assert 0.8 * MIB < held <= 0.875 * MIB
            fill(manager, VIEWS, range(2000), size=1000)
            assert sum(one.size_bytes for one in manager.stats()) <= MIB
            assert stats(manager)[VIEWS].size_bytes > 0.12 * MIB

        asyncio.run(scenario())

    def test_no_memory_keeps_nothing(self) -> None:
        manager = CacheManager(Settings(memory_limit="0"))
        fill(manager, VIEWS, [1])
        assert entries(manager) == [0, 0]


@pytest.mark.parametrize("name", CacheName)
def test_what_is_too_old_is_removed(name: CacheName) -> None:
    async def scenario() -> None:
        clock = Clock()
        manager = CacheManager(Settings(), timer=clock)
        fill(manager, name, range(700))
        clock.now = 1801.0
        fill(manager, name, range(1000, 1100))
        await manager.clean()
        assert stats(manager)[name].entries == 100
        assert stats(manager)[name].evictions[EvictionCause.EXPIRED] == 700

    asyncio.run(scenario())
