"""The second level of the caches on a real Redis: slower when it is gone, never wrong, never stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from faulty_link import FaultyLink
from redis_server import RedisServer
from tradingbot_contract.resources import RedisPool
from tradingbot_engine.cache.redis_level import LARGEST_VALUE_BYTES, RedisLevel, build_name
from tradingbot_engine.cache.second_level import Absence, SecondLevel, SharedKey
from tradingbot_engine.redis_client.client import RedisClient

DEADLINE_SECONDS = 60.0
VIEW = SharedKey(cache="views", scope="5d5ba1d0", key="performance", version="7")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: RedisServer) -> None:
    with server.connect() as client:
        client.flushall()


@asynccontextmanager
async def level(url: str, shard: int = 0) -> AsyncIterator[SecondLevel]:
    client = RedisClient(url, RedisPool())
    try:
        yield RedisLevel(client, shard)
    finally:
        await client.close()


def test_what_one_process_stores_another_finds(server: RedisServer) -> None:
    async def scenario() -> None:
        async with level(server.url()) as one, level(server.url()) as other:
            assert await other.get(VIEW) is Absence.MISSING
            await one.put(VIEW, b"\x00figures", 300.0)
            assert await other.get(VIEW) == b"\x00figures"

    asyncio.run(scenario())


def test_a_tool_reads_a_view_by_name(server: RedisServer) -> None:
    async def scenario() -> None:
        async with level(server.url()) as one:
            await one.put(VIEW, b"figures", 300.0)

    asyncio.run(scenario())
    with server.connect() as tool:
        stored = tool.get("tradingbot:1:views:bot:5d5ba1d0:0:performance")
        assert isinstance(stored, bytes)
        assert msgspec.msgpack.decode(stored) == ["7", b"figures"]
        assert 0 < tool.ttl("tradingbot:1:views:bot:5d5ba1d0:0:performance") <= 300


def test_a_value_of_other_data_is_a_miss(server: RedisServer) -> None:
    async def scenario() -> None:
        newer = msgspec.structs.replace(VIEW, version="8")
        async with level(server.url()) as one:
            await one.put(VIEW, b"old", 300.0)
            assert await one.get(newer) is Absence.MISSING
            await one.put(newer, b"new", 300.0)
            assert await one.get(newer) == b"new"
            assert await one.get(VIEW) is Absence.MISSING

    asyncio.run(scenario())
    with server.connect() as tool:
        assert tool.dbsize() == 1  # the newer took the older one's place


def test_shards_and_bots_do_not_see_each_others_values(server: RedisServer) -> None:
    async def scenario() -> None:
        async with level(server.url(), shard=0) as first, level(server.url(), shard=1) as second:
            await first.put(VIEW, b"first", 300.0)
            assert await second.get(VIEW) is Absence.MISSING
            assert await first.get(msgspec.structs.replace(VIEW, scope="another")) is Absence.MISSING

    asyncio.run(scenario())


def test_bots_of_different_models_share_one_cache_without_disturbing_each_other(server: RedisServer) -> None:
    async def scenario() -> None:
        mine = SharedKey(cache="predictions", scope="", key="Shares rise", version="model-1")
        theirs = msgspec.structs.replace(mine, version="model-2")
        async with level(server.url(), shard=0) as one, level(server.url(), shard=3) as other:
            await one.put(mine, b"+0.9", 300.0)
            await other.put(theirs, b"+0.7", 300.0)
            assert (await other.get(mine), await one.get(theirs)) == (b"+0.9", b"+0.7")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "foreign",
    [
        *(b"", b"text", msgspec.msgpack.encode(["7"]), msgspec.msgpack.encode([7, b"x"]), b"\x92\xa17\xc4\xff"),
        *(b"\x92\xa1\xff\xc4\x01x", b"\x93\xa17\xc4\x01x" + b"\x91" * 100_000),
    ],
)
def test_what_is_not_ours_is_a_miss(server: RedisServer, foreign: bytes) -> None:
    with server.connect() as tool:
        tool.set(build_name(VIEW, 0), foreign)

    async def scenario() -> None:
        async with level(server.url()) as one:
            assert await one.get(VIEW) is Absence.MISSING

    asyncio.run(scenario())


def test_a_key_of_another_type_is_unreachable_and_nothing_raises(server: RedisServer) -> None:
    with server.connect() as tool:
        tool.rpush(build_name(VIEW, 0), "x")

    async def scenario() -> None:
        async with level(server.url()) as one:
            assert await one.get(VIEW) is Absence.UNREACHABLE

    asyncio.run(scenario())


def test_a_value_ends_with_its_time(server: RedisServer) -> None:
    async def scenario() -> None:
        async with level(server.url()) as one:
            await one.put(VIEW, b"short", 0.05)
            deadline = time.monotonic() + DEADLINE_SECONDS
            while await one.get(VIEW) is not Absence.MISSING:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_value_that_would_hold_redis_up_is_not_stored(server: RedisServer) -> None:
    async def scenario() -> None:
        async with level(server.url()) as one:
            await one.put(VIEW, bytes(LARGEST_VALUE_BYTES + 1), 300.0)
            assert await one.get(VIEW) is Absence.MISSING
            await one.put(VIEW, bytes(LARGEST_VALUE_BYTES), 300.0)
            assert await one.get(VIEW) == bytes(LARGEST_VALUE_BYTES)

    asyncio.run(scenario())


def test_killed_or_hanging_it_is_unreachable_and_back_it_serves_again(server: RedisServer) -> None:
    async def scenario() -> None:
        client = RedisClient(server.url(), RedisPool())
        one = RedisLevel(client, 0)
        for take_away, give_back in ((server.kill, server.start), (server.pause, server.resume)):
            await one.put(VIEW, b"before", 300.0)
            assert await one.get(VIEW) == b"before"
            take_away()
            try:
                assert await one.get(VIEW) is Absence.UNREACHABLE
                await one.put(VIEW, b"lost", 300.0)
                assert await one.get(VIEW) is Absence.UNREACHABLE
            finally:
                give_back()
            await client.check()
            await one.put(VIEW, b"after", 300.0)
            assert await one.get(VIEW) == b"after"
        await client.close()

    asyncio.run(scenario())


def test_a_link_that_comes_and_goes_never_brings_a_wrong_value(server: RedisServer) -> None:
    """Each reader asks for a value that names its own key, while connections are cut, stalled and healed."""

    async def read(one: SecondLevel, number: int, stop: asyncio.Event, seen: list[int]) -> None:
        key = SharedKey(cache="views", scope="bot", key=f"k{number}", version="1")
        while not stop.is_set():
            await one.put(key, b"value of %d" % number, 300.0)
            found = await one.get(key)
            if isinstance(found, bytes):
                assert found == b"value of %d" % number
                seen.append(number)
            await asyncio.sleep(0.002)  # the link needs this processor, too

    async def scenario() -> None:
        with FaultyLink(server.port) as link:
            client = RedisClient(
                server.url(port=link.port), RedisPool(max_connections=3, socket_timeout_seconds=0.1, connect_timeout_seconds=0.1)
            )
            one = RedisLevel(client, 0)
            stop, seen = asyncio.Event(), list[int]()
            readers = [asyncio.create_task(read(one, number, stop, seen)) for number in range(8)]
            for disturb in (link.cut_once, link.stall, link.cut, link.cut_once, link.stall, link.cut):
                disturb()
                await asyncio.sleep(0.15)
                link.heal()
                await client.check()
                before = len(seen)
                deadline = time.monotonic() + DEADLINE_SECONDS
                while len(seen) < before + 20:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.01)
                    await client.check()
            stop.set()
            await asyncio.gather(*readers)
            assert client.stats().used == 0
            await client.close()

    asyncio.run(scenario())
