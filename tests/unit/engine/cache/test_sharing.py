"""How values of a cache get into the second level and back."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import Struct

from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.second_level import Absence, SharedKey
from tradingbot_engine.cache.sharing import Sharing


class Judgement(Struct, frozen=True):
    score: float
    model: str


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Level:
    """Holds one value, and lets those who store wait until it is told to go on."""

    def __init__(self, answer: bytes | Absence = Absence.MISSING) -> None:
        self.answer = answer
        self.asked: list[SharedKey] = []
        self.stored: list[tuple[SharedKey, bytes, float]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def get(self, key: SharedKey) -> bytes | Absence:
        self.asked.append(key)
        return self.answer

    async def put(self, key: SharedKey, value: bytes, ttl_seconds: float) -> None:
        await self.go_on.wait()
        self.stored.append((key, value, ttl_seconds))


def share(level: Level, clock: Clock) -> Sharing[int, Judgement]:
    return Sharing(level, Judgement, scope="", write_key=lambda key: f"number {key}", wall_clock=clock)


async def read(level: Level, clock: Clock) -> tuple[object, tuple[int, int, int]]:
    sharing = share(level, clock)
    found = await sharing.find(CacheName.PREDICTIONS, 7, None)
    return found, (sharing.hits, sharing.misses, sharing.errors)


def test_what_was_stored_is_found_with_the_time_it_has_left() -> None:
    async def scenario() -> None:
        level, clock = Level(), Clock()
        sharing = share(level, clock)
        sharing.offer(CacheName.PREDICTIONS, 7, 3, Judgement(0.5, "finbert"), 1800.0)
        await sharing.drain()
        ((key, level.answer, ttl_seconds),) = level.stored
        assert (key, ttl_seconds) == (SharedKey("predictions", "", "number 7", "3"), 1800.0)
        clock.now += 1000.0
        assert await read(level, clock) == ((Judgement(0.5, "finbert"), 800.0), (1, 0, 0))
        clock.now += 800.0
        assert await read(level, clock) == (None, (0, 1, 0))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "counted"),
    [
        (Absence.MISSING, (0, 1, 0)),
        (Absence.UNREACHABLE, (0, 0, 1)),
        (b"", (0, 0, 1)),
        (b"short", (0, 0, 1)),
        (b"\x41\xda\xd2\x74\x80\x00\x00\x00" + b"\xc1", (0, 0, 1)),
        (b"\x41\xda\xd2\x74\x80\x00\x00\x00" + b"\x81\xa5score\xa1x", (0, 0, 1)),
        (b"\x41\xda\xd2\x74\x80\x00\x00\x00" + b"\x81\xa5model\xa1\xff", (0, 0, 1)),  # a text that is none
        (b"\x41\xda\xd2\x74\x80\x00\x00\x00" + b"\x81\xa4deep" + b"\x91" * 100_000, (0, 0, 1)),
    ],
)
def test_what_is_not_there_or_not_ours_is_a_miss(answer: bytes | Absence, counted: tuple[int, int, int]) -> None:
    async def scenario() -> None:
        assert await read(Level(answer), Clock()) == (None, counted)

    asyncio.run(scenario())


def test_no_version_is_an_empty_one() -> None:
    async def scenario() -> None:
        level = Level()
        await read(level, Clock())
        assert level.asked == [SharedKey("predictions", "", "number 7", "")]

    asyncio.run(scenario())


def test_a_slow_level_does_not_collect_work_without_bound() -> None:
    async def scenario() -> None:
        level, clock = Level(), Clock()
        sharing = share(level, clock)
        level.go_on.clear()
        for number in range(100):
            sharing.offer(CacheName.PREDICTIONS, number, None, Judgement(0.0, "lexicon"), 10.0)
        level.go_on.set()
        await sharing.drain()
        assert len(level.stored) == 64
        await sharing.drain()

    asyncio.run(scenario())
