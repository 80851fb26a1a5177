"""A named cache: memory first, then what others have computed, then the computation, which is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from tradingbot_contract.metrics import CACHE_LOAD_DURATION, Instrument
from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.second_level import Absence, SharedKey
from tradingbot_engine.cache.sharing import Sharing
from tradingbot_engine.cache.stats import EvictionCause
from tradingbot_engine.cache.store import Version

Measurement = tuple[Instrument, float, dict[str, str]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Level:
    """A second level in memory, that may be out of reach."""

    def __init__(self) -> None:
        self.stored: dict[SharedKey, tuple[bytes, float]] = {}
        self.reachable = True

    async def get(self, key: SharedKey) -> bytes | Absence:
        await asyncio.sleep(0)
        if not self.reachable:
            return Absence.UNREACHABLE
        return self.stored[key][0] if key in self.stored else Absence.MISSING

    async def put(self, key: SharedKey, value: bytes, ttl_seconds: float) -> None:
        await asyncio.sleep(0)
        if self.reachable:
            self.stored[key] = (value, ttl_seconds)


class Bench:
    """A cache with what it was made of."""

    def __init__(self, level: Level | None = None) -> None:
        self.clock = Clock()
        self.measured: list[Measurement] = []
        self.cache = self.build()
        self.level = level
        if level is not None:
            self.cache.sharing = self.share(level)
        self.computed = 0

    def build(self) -> Cache[str, int]:
        return Cache(CacheName.VIEWS, max_entries=10, max_bytes=10**6, ttl_seconds=100.0, record=self.record, timer=self.clock)

    def share(self, level: Level) -> Sharing[str, int]:
        return Sharing(level, int, scope="bot-1", wall_clock=self.clock)

    def record(self, instrument: Instrument, value: float, attributes: Mapping[str, str] = {}) -> None:
        self.measured.append((instrument, value, dict(attributes)))

    async def compute(self) -> int:
        """Takes two seconds."""
        self.computed += 1
        number = self.computed
        await asyncio.sleep(0)
        self.clock.now += 2.0
        return number

    async def fail(self) -> int:
        self.clock.now += 3.0
        raise OSError("gone")

    async def load(self, key: str = "a", version: Version = None, ttl_seconds: float | None = None) -> int:
        return await self.cache.get_or_load(key, self.compute, version=version, ttl_seconds=ttl_seconds)


def play(scenario: Callable[[Bench], Awaitable[None]], level: Level | None = None) -> None:
    async def begin() -> None:
        await scenario(Bench(level))

    asyncio.run(begin())


class TestLoading:
    def test_what_is_there_is_not_computed_again(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert [await bench.load(), await bench.load(), bench.cache.get("a")] == [1, 1, 1]
            stats = bench.cache.stats()
            assert (stats.hits, stats.misses, stats.loads, stats.load_errors, stats.load_seconds) == (2, 1, 1, 0, 2.0)
            assert bench.measured == [(CACHE_LOAD_DURATION, 2.0, {"cache": "views"})]

        play(scenario)

    def test_loads_of_one_key_and_version_that_overlap_are_one(self) -> None:
        async def scenario(bench: Bench) -> None:
            values = await asyncio.gather(*(bench.load("a", version) for version in (1, 1, 2, 1)), bench.load("b", 1))
            assert values[0] == values[1] == values[3]
            assert len({values[0], values[2], values[4]}) == bench.computed == 3

        play(scenario)

    def test_newer_data_is_computed_anew(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert [await bench.load(version=1), await bench.load(version=2), await bench.load(version=2)] == [1, 2, 2]
            assert bench.cache.stats().evictions[EvictionCause.VERSION] == 1

        play(scenario)

    def test_a_value_may_have_a_time_of_its_own(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert await bench.load(ttl_seconds=5.0) == 1
            bench.clock.now += 4.9
            assert await bench.load(ttl_seconds=5.0) == 1
            bench.clock.now += 0.2
            assert await bench.load(ttl_seconds=5.0) == 2

        play(scenario)

    def test_a_failure_reaches_all_who_wait_and_is_not_kept(self) -> None:
        async def scenario(bench: Bench) -> None:
            loads = (bench.cache.get_or_load("a", bench.fail) for _ in range(3))
            assert [str(error) for error in await asyncio.gather(*loads, return_exceptions=True)] == ["gone"] * 3
            stats = bench.cache.stats()
            assert (stats.loads, stats.load_errors, stats.load_seconds, stats.entries) == (0, 1, 3.0, 0)
            assert await bench.load() == 1

        play(scenario)

    def test_nothing_can_be_a_value(self) -> None:
        async def scenario(bench: Bench) -> None:
            async def find_nothing() -> None:
                bench.computed += 1

            cache: Cache[str, None] = Cache(CacheName.VIEWS, max_entries=1, max_bytes=10**6, ttl_seconds=1.0, timer=bench.clock)
            for _ in range(2):
                assert await cache.get_or_load("a", find_nothing) is None
            assert bench.computed == 1

        play(scenario)

    def test_one_of_two_who_wait_is_cancelled(self) -> None:
        async def scenario(bench: Bench) -> None:
            first, second = (asyncio.create_task(bench.load()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            assert await second == 1
            assert first.cancelled()
            assert bench.cache.get("a") == 1

        play(scenario)


class TestSecondLevel:
    def test_another_process_finds_what_was_computed(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert await bench.load(version=5) == 1
            assert bench.cache.sharing is not None
            await bench.cache.sharing.drain()
            other = bench.build()
            other.sharing = bench.share(bench.level or Level())
            assert await other.get_or_load("a", bench.compute, version=5) == 1
            assert other.get("a", 5) == 1
            assert bench.computed == 1
            stats = other.stats()
            assert (stats.second_level_hits, stats.second_level_misses, stats.loads) == (1, 0, 0)
            assert await other.get_or_load("a", bench.compute, version=6) == 2

        play(scenario, Level())

    def test_what_others_computed_does_not_get_older_than_here(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert await bench.load() == 1
            assert bench.cache.sharing is not None
            await bench.cache.sharing.drain()
            bench.clock.now += 90.0
            other = bench.build()
            other.sharing = bench.share(bench.level or Level())
            assert await other.fetch("a") == 1
            bench.clock.now += 9.9
            assert other.get("a") == 1
            bench.clock.now += 0.2
            assert other.get("a") is None

        play(scenario, Level())

    def test_a_level_out_of_reach_changes_nothing_else(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert bench.level is not None
            bench.level.reachable = False
            assert [await bench.load(), await bench.load()] == [1, 1]
            stats = bench.cache.stats()
            assert (stats.second_level_hits, stats.second_level_misses, stats.second_level_errors) == (0, 0, 1)

        play(scenario, Level())

    def test_none_at_all_finds_nothing(self) -> None:
        async def scenario(bench: Bench) -> None:
            assert await bench.cache.fetch("a") is None

        play(scenario)


@pytest.mark.parametrize("name", CacheName)
def test_figures_of_an_empty_cache(name: CacheName) -> None:
    stats = Cache[str, int](name, max_entries=3, max_bytes=500, ttl_seconds=1.0).stats()
    assert (stats.name, stats.max_entries, stats.max_bytes) == (name, 3, 500)
    assert stats.hits == stats.misses == stats.entries == stats.size_bytes == stats.loads == 0
    assert stats.evictions == dict.fromkeys(EvictionCause, 0)
