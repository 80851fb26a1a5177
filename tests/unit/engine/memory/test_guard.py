"""The guard with the engine's own caches: what it does about a reading, and what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from tradingbot_contract.resources import Cache, Pressure
from tradingbot_engine.cache.caches import CacheManager
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.memory.guard import MemoryGuard
from tradingbot_engine.memory.limit import MemoryReading
from tradingbot_engine.memory.pressure import FLOOR, GROW_PAUSE_SECONDS, MODE_PAUSE_SECONDS, SHORT_SAMPLES

MIB = 2**20
LIMIT = 100 * MIB


class Steps:
    """Modes to go down, as many as there are."""

    def __init__(self, count: int) -> None:
        self.left = count

    async def lower_mode(self) -> int | None:
        if not self.left:
            return None
        self.left -= 1
        return self.left


class Rig:
    """A container whose memory is `other_bytes` and what the caches hold."""

    def __init__(self, modes: int | None = None) -> None:
        self.now = 1000.0
        self.other_bytes = 0
        self.limit_bytes: int | None = LIMIT
        self.caches = CacheManager(Cache(max_entries=100_000, memory_limit="50Mi"))
        self.modes = None if modes is None else Steps(modes)
        self.limits: list[int | None] = []
        self.guard = MemoryGuard(
            self.read, Pressure(), caches=self.caches, modes=self.modes, on_limit=self.limits.append, clock=lambda: self.now
        )

    @property
    def held_bytes(self) -> int:
        return sum(stats.size_bytes for stats in self.caches.stats())

    def read(self) -> MemoryReading:
        return MemoryReading(self.other_bytes + self.held_bytes, self.limit_bytes)

    def fill(self, count_bytes: int) -> None:
        cache = self.caches.cache(CacheName.VIEWS)
        for number in range(count_bytes // 10_000):
            cache.put(f"entry {number}", bytes(10_000))
            if not number % 100:  # what it holds is what it may go on with
                asyncio.run(self.caches.clean())

    def check(self, times: int = 1, seconds: float = 0.5) -> None:
        for _ in range(times):
            asyncio.run(self.guard.check())
            self.now += seconds


def test_enough_memory_is_left_alone() -> None:
    rig = Rig()
    rig.fill(30 * MIB)
    held_bytes = rig.held_bytes
    rig.check(5)
    assert rig.held_bytes == held_bytes
    assert rig.guard.sheds == {"caches": 0, "mode": 0}
    assert rig.guard.reading == MemoryReading(held_bytes, LIMIT)


def test_when_memory_gets_short_the_caches_give_back_what_they_must_and_no_more() -> None:
    rig = Rig()
    rig.fill(30 * MIB)
    rig.other_bytes = 58 * MIB
    rig.check()
    assert rig.guard.scale == pytest.approx(0.7)
    assert 0 < rig.held_bytes <= 0.7 * 50 * MIB
    assert rig.guard.sheds["caches"] == 1
    rig.check(5)
    assert rig.guard.sheds["caches"] <= 2


def test_near_the_limit_it_does_not_wait_for_the_next_sample() -> None:
    rig = Rig()
    rig.fill(30 * MIB)
    rig.limit_bytes = 32 * MIB
    rig.check()
    assert rig.held_bytes < 0.925 * 32 * MIB
    assert rig.guard.sheds["caches"] > 1


def test_it_grows_again_when_there_is_room_and_says_both_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    with caplog.at_level(logging.INFO):
        rig.other_bytes = 86 * MIB
        rig.check(2)
        rig.limit_bytes = 2 * LIMIT
        rig.check(20, GROW_PAUSE_SECONDS)
    assert rig.guard.scale == 1.0
    assert [record.getMessage() for record in caplog.records] == ["memory is short", "memory is no longer short"]
    assert rig.limits == [LIMIT, 2 * LIMIT]


def test_what_the_caches_can_not_give_the_mode_does() -> None:
    rig = Rig(modes=2)
    rig.other_bytes = 99 * MIB
    rig.check()
    assert rig.guard.scale == FLOOR
    rig.check(SHORT_SAMPLES)
    assert rig.guard.sheds["mode"] == 1
    rig.check(SHORT_SAMPLES)
    assert rig.guard.sheds["mode"] == 1
    rig.check(SHORT_SAMPLES, MODE_PAUSE_SECONDS)
    assert rig.guard.sheds["mode"] == 2


@pytest.mark.parametrize("modes", [None, 0])
def test_when_nothing_is_left_it_says_so_once(modes: int | None, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(modes)
    rig.other_bytes = 99 * MIB
    rig.check(100)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "raise the limit" in caplog.records[-1].getMessage()
    assert rig.guard.sheds["mode"] == 0


def test_it_removes_what_is_too_old_first() -> None:
    rig = Rig()
    cleaned: list[float] = []
    clean: Callable[[], object] = rig.caches.clean

    async def count() -> None:
        cleaned.append(rig.now)
        result = clean()
        assert asyncio.iscoroutine(result)
        await result

    rig.caches.clean = count  # type: ignore[method-assign]  # the real one, counted
    rig.check(3)
    assert cleaned == []
    rig.other_bytes = 86 * MIB
    rig.check(3)
    assert cleaned == [1001.5]


def test_an_unknown_limit_changes_nothing() -> None:
    rig = Rig(modes=1)
    rig.limit_bytes = None
    rig.other_bytes = 10 * LIMIT
    rig.check(10)
    assert rig.guard.scale == 1.0
    assert rig.guard.sheds == {"caches": 0, "mode": 0}


def test_other_settings_count_from_the_next_sample_on() -> None:
    rig = Rig()
    rig.other_bytes = 70 * MIB
    rig.check()
    assert rig.guard.scale == 1.0
    rig.guard.reconfigure(Pressure(shrink_above_percent=65.0, shrink_factor=0.5))
    rig.check()
    assert rig.guard.scale == 0.5
    rig.guard.reconfigure(Pressure(grow_below_percent=75.0, grow_factor=10.0))
    rig.check(2, GROW_PAUSE_SECONDS)
    assert rig.guard.scale == 1.0
