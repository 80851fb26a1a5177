"""The engine's way to Redis on a real server: killed, hanging, restarted, cut off, crowded, refusing."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from faulty_link import FaultyLink
from redis_server import RedisServer
from server_process import free_port
from tradingbot_contract.metrics import OPERATION_DURATION, POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import RedisPool
from tradingbot_engine.redis_client.breaker import FIRST_PAUSE_SECONDS
from tradingbot_engine.redis_client.client import RedisClient
from tradingbot_engine.telemetry.record import NO_ATTRIBUTES, Attributes
from tradingbot_engine.unavailable import UnavailableError

DEADLINE_SECONDS = 60.0
PATIENCE_SECONDS = 10.0
LITTLE_PATIENCE_SECONDS = 0.3
T = TypeVar("T")


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@asynccontextmanager
async def connected(url: str, settings: RedisPool | None = None) -> AsyncIterator[RedisClient]:
    client = RedisClient(url, settings or RedisPool())
    try:
        yield client
    finally:
        await client.close()


async def until(probe: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not probe():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS:g} s: {what}"
        await asyncio.sleep(0.005)


async def fails(client: RedisClient, key: str = "any", patience_seconds: float = PATIENCE_SECONDS) -> str:
    with pytest.raises(UnavailableError) as error:
        await client.get(key, patience_seconds)
    return str(error.value)


async def answers(client: RedisClient) -> bool:
    try:
        await client.get("any", PATIENCE_SECONDS)
    except UnavailableError:
        return False
    return True


def test_values_come_back_until_their_time_is_over(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url()) as client:
            assert client.dependency().up is None
            assert await client.get("absent", PATIENCE_SECONDS) is None
            await client.put("binary", bytes(range(256)), 60.0, PATIENCE_SECONDS)
            assert await client.get("binary", PATIENCE_SECONDS) == bytes(range(256))
            with server.connect() as other:
                assert 0 < other.pttl("binary") <= 60_000
            dependency = client.dependency()
            assert dependency.up is True
            assert dependency.message == ""
            assert dependency.latency_seconds is not None

    asyncio.run(scenario())


def test_many_share_few_connections_and_each_is_measured(server: RedisServer) -> None:
    measured: Counter[str] = Counter()

    def record(instrument: Instrument, value: float, attributes: Attributes = NO_ATTRIBUTES, /) -> None:
        assert value >= 0
        assert attributes.get("db.client.connection.pool.name", "redis") == "redis"
        measured[instrument.name] += 1

    async def scenario() -> None:
        client = RedisClient(server.url(), RedisPool(max_connections=5), record)
        await asyncio.gather(*(client.put(f"k{number}", b"%d" % number, 60.0, PATIENCE_SECONDS) for number in range(200)))
        found = await asyncio.gather(*(client.get(f"k{number}", PATIENCE_SECONDS) for number in range(200)))
        assert found == [b"%d" % number for number in range(200)]
        stats = client.stats()
        assert (stats.name, stats.max_connections, stats.peak_used, stats.created) == ("redis", 5, 5, 5)
        assert (stats.used, stats.idle, stats.pending, stats.timeouts, stats.errors) == (0, 5, 0, 0, 0)
        await client.close()
        assert client.stats().idle == 0

    asyncio.run(scenario())
    assert measured == {OPERATION_DURATION.name: 400, POOL_WAIT_TIME.name: 400, POOL_USE_TIME.name: 400, POOL_CREATE_TIME.name: 5}


def test_a_crowded_pool_is_our_own_fault_and_not_redis(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(max_connections=1)) as client:
            blocked = asyncio.create_task(client.run("BLPOP", "nothing-comes", 1, patience_seconds=PATIENCE_SECONDS))
            await until(lambda: client.stats().used == 1, "the connection is borrowed")
            message = await fails(client, patience_seconds=LITTLE_PATIENCE_SECONDS)
            assert "all 1 connections" in message
            assert client.stats().timeouts == 1
            assert await blocked is None
            assert client.dependency().up is True
            assert await client.get("absent", PATIENCE_SECONDS) is None

    asyncio.run(scenario())


def test_a_gone_redis_costs_one_attempt_and_is_found_again(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with connected(server.url()) as client:
            await asyncio.gather(*(client.get("any", PATIENCE_SECONDS) for _ in range(10)))
            server.kill()
            assert "down and asked again" not in await fails(client)
            errors = client.stats().errors
            for _ in range(1000):
                assert "down and asked again" in await fails(client)
            assert client.stats().errors == errors
            assert client.dependency().up is False
            assert client.dependency().latency_seconds is not None
            server.start()
            await client.check()
            assert client.dependency().up is True
            # Connections of before the kill are found to be closed, and nobody notices.
            assert await asyncio.gather(*(client.get("any", PATIENCE_SECONDS) for _ in range(10))) == [None] * 10
            assert client.stats().used == 0

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    told = [record.getMessage() for record in caplog.records if "redis" in record.getMessage()]
    assert told == ["redis is down, the bot does without", "redis is back"]
    assert server.password is not None
    assert server.password not in caplog.text


def test_without_a_check_a_request_finds_it_again_after_the_pause(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url()) as client:
            server.kill()
            began_at = time.monotonic()
            await fails(client)
            server.start()
            deadline = began_at + DEADLINE_SECONDS
            while client.dependency().up is not True:
                assert time.monotonic() < deadline
                try:
                    await client.get("any", PATIENCE_SECONDS)
                except UnavailableError:
                    await asyncio.sleep(0.01)
            assert time.monotonic() - began_at >= FIRST_PAUSE_SECONDS

    asyncio.run(scenario())


def test_a_redis_that_hangs_holds_nobody_longer_than_his_patience(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(max_connections=4)) as client:
            await asyncio.gather(*(client.get("any", PATIENCE_SECONDS) for _ in range(4)))
            server.pause()
            try:
                answers = await asyncio.gather(*(client.get("any", LITTLE_PATIENCE_SECONDS) for _ in range(50)), return_exceptions=True)
                assert all(isinstance(answer, UnavailableError) for answer in answers)
                assert client.dependency().up is False
                assert client.stats().used == 0
                assert "down and asked again" in await fails(client)
            finally:
                server.resume()
            await client.check()
            # An answer that came too late belongs to nobody: it must not be taken for that of the next command.
            await client.put("mine", b"right", 60.0, PATIENCE_SECONDS)
            assert await asyncio.gather(*(client.get("mine", PATIENCE_SECONDS) for _ in range(20))) == [b"right"] * 20

    asyncio.run(scenario())


def test_a_late_answer_is_asked_for_once_more_if_the_spec_says_so(server: RedisServer) -> None:
    async def attempts(*, retry_on_timeout: bool) -> int:
        short = LITTLE_PATIENCE_SECONDS
        settings = RedisPool(socket_timeout_seconds=short, connect_timeout_seconds=short, retry_on_timeout=retry_on_timeout)
        with FaultyLink(server.port) as link:
            async with connected(server.url(port=link.port), settings) as client:
                while not await answers(client):  # a slow machine may need several tries within so short a time
                    await client.check()
                accepted = link.accepted
                link.stall()
                await fails(client)
                return link.accepted - accepted

    assert asyncio.run(attempts(retry_on_timeout=False)) == 0
    assert asyncio.run(attempts(retry_on_timeout=True)) == 1


def test_a_server_that_accepts_and_stays_silent_gets_the_time_of_a_connection(server: RedisServer) -> None:
    async def scenario() -> None:
        with FaultyLink(server.port) as link:
            settings = RedisPool(connect_timeout_seconds=LITTLE_PATIENCE_SECONDS)
            async with connected(server.url(port=link.port), settings) as client:
                link.stall()
                assert "no connection in time" in await fails(client, patience_seconds=DEADLINE_SECONDS * 10)
                assert link.accepted == 1
                link.heal()
                await client.check()
                assert client.dependency().up is True

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE_SECONDS))


def test_a_cut_link_is_noticed_and_a_healed_one_used(server: RedisServer) -> None:
    async def scenario() -> None:
        with FaultyLink(server.port) as link:
            async with connected(server.url(port=link.port)) as client:
                assert await client.get("any", PATIENCE_SECONDS) is None
                link.cut_once()
                assert await client.get("any", PATIENCE_SECONDS) is None  # by a new connection, and Redis never counted as down
                assert client.dependency().up is True
                link.cut()
                await fails(client)
                assert client.dependency().up is False
                link.heal()
                await client.check()
                assert await client.get("any", PATIENCE_SECONDS) is None

    asyncio.run(scenario())


def test_a_wrong_password_is_told_without_telling_it(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    password = secrets.token_hex(8)

    async def scenario() -> None:
        async with connected(server.url(password=password)) as client:
            message = await fails(client)
            assert "password" in message
            assert password not in message
            assert client.dependency().up is False
            assert password not in client.dependency().message
            assert client.stats().errors == 1  # tried once

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    assert password not in caplog.text


def test_a_refused_command_is_no_outage(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with connected(server.url()) as client:
            with server.connect() as other:
                other.delete("a-list")
                other.rpush("a-list", "x")
            for _ in range(3):
                assert "WRONGTYPE" in await fails(client, "a-list")
            assert client.dependency().up is True
            assert client.stats().errors == 0
            assert client.stats().created == 1  # the connection is as good as before

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert caplog.text.count("redis refuses a command") == 1


def test_a_full_redis_still_answers_and_is_no_outage() -> None:
    async def scenario(full: RedisServer) -> None:
        with full.connect() as other:
            other.config_set("maxmemory", "1")
        async with connected(full.url()) as client:
            with pytest.raises(UnavailableError, match="maxmemory"):
                await client.put("k", b"v", 60.0, PATIENCE_SECONDS)
            assert await client.get("k", PATIENCE_SECONDS) is None
            assert client.dependency().up is True

    with RedisServer() as full:
        asyncio.run(scenario(full))


def test_a_server_with_all_its_clients_refuses_and_is_found_again() -> None:
    async def scenario(small: RedisServer) -> None:
        async with connected(small.url()) as other, connected(small.url()) as client:
            await other.check()
            assert "max number of clients" in await fails(client)
            assert client.dependency().up is False
            await other.close()
            await until(lambda: len(small.log()) > 0, "a log")
            deadline = time.monotonic() + DEADLINE_SECONDS
            while client.dependency().up is not True:
                assert time.monotonic() < deadline
                await client.check()

    with RedisServer(max_clients=1) as small:
        asyncio.run(scenario(small))


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$x\r\n", b"*3\r\n:y\r\n", b"$-5\r\nabc", b"\r\n", b">2\r\n+a\r\n+b\r\n"]
)
@pytest.mark.parametrize("with_password", [False, True])
def test_something_that_is_no_redis_is_an_outage(garbage: bytes, *, with_password: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(garbage)
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with connected(f"redis://{':any@' if with_password else ''}127.0.0.1:{port}/0") as client:
            await fails(client)
            assert client.dependency().up is False
            assert client.stats().used == 0
        listener.close()
        await listener.wait_closed()

    asyncio.run(scenario())


def test_nobody_at_the_address_is_an_outage() -> None:
    async def scenario() -> None:
        async with connected(f"redis://127.0.0.1:{free_port()}/0") as client:
            await client.check()
            dependency = client.dependency()
            assert dependency.up is False
            assert "connect" in dependency.message.lower()
            assert dependency.latency_seconds is None

    asyncio.run(scenario())


def test_other_settings_are_used_at_once_and_nothing_under_way_is_lost(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(max_connections=3)) as client:
            waiting = [asyncio.create_task(client.run("BLPOP", f"list{n}", 0, patience_seconds=DEADLINE_SECONDS)) for n in range(3)]
            await until(lambda: client.stats().used == 3, "all are borrowed")
            queued = asyncio.create_task(client.get("absent", DEADLINE_SECONDS))
            await until(lambda: client.stats().pending == 1, "one waits")
            await client.reconfigure(RedisPool(max_connections=8))
            assert client.stats().max_connections == 8
            assert await client.get("absent", PATIENCE_SECONDS) is None  # the new pool has room
            assert client.stats().used == 3
            for number in range(3):
                await client.run("RPUSH", f"list{number}", number, patience_seconds=PATIENCE_SECONDS)
            assert [await task for task in waiting] == [[b"list%d" % n, b"%d" % n] for n in range(3)]
            assert await queued is None
            await until(lambda: client.stats().used == 0, "all came back")
            with server.connect() as other:
                # Of the old pool's connections none is left: one of the new one, and the one that asks.
                await until(lambda: len(other.client_list()) == client.stats().idle + 1, "the old ones are closed")
            stats = client.stats()
            assert (stats.idle, stats.errors, stats.timeouts) == (1, 0, 0)
            assert stats.peak_used >= 3

    asyncio.run(scenario())


def test_settings_changed_again_and_again_under_load_lose_nothing(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(max_connections=4)) as client:
            await client.put("k", b"v", 60.0, PATIENCE_SECONDS)
            done = False

            async def load() -> int:
                count = 0
                while not done:
                    assert await client.get("k", PATIENCE_SECONDS) == b"v"
                    count += 1
                return count

            tasks = [asyncio.create_task(load()) for _ in range(12)]
            for round_number in range(30):
                await client.reconfigure(RedisPool(max_connections=1 + round_number % 7))
                await asyncio.sleep(0.005)
            done = True
            assert sum(await asyncio.gather(*tasks)) > 100
            assert client.stats().errors == 0
            assert client.stats().used == 0

    asyncio.run(scenario())


def test_a_caller_who_gives_up_costs_the_pool_nothing(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(max_connections=2)) as client:
            for _ in range(20):
                tasks = [asyncio.create_task(client.run("BLPOP", "never", 0, patience_seconds=DEADLINE_SECONDS)) for _ in range(4)]
                await until(lambda: client.stats().used == 2, "all are borrowed")
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                assert client.stats().used == 0
                assert client.stats().pending == 0
            assert client.dependency().up is not False
            assert await asyncio.gather(*(client.get("absent", PATIENCE_SECONDS) for _ in range(10))) == [None] * 10

    asyncio.run(scenario())


def test_callers_who_give_up_do_not_keep_others_waiting(server: RedisServer) -> None:
    async def scenario() -> None:
        chance = random.Random(7)  # noqa: S311 - the same moments each time
        async with connected(server.url(), RedisPool(max_connections=2)) as client:
            for _ in range(100):
                patient = [asyncio.create_task(client.get("absent", PATIENCE_SECONDS)) for _ in range(6)]
                hasty = [asyncio.create_task(client.get("absent", PATIENCE_SECONDS)) for _ in range(6)]
                for task in hasty:
                    await asyncio.sleep(chance.random() / 5000)
                    task.cancel()
                assert await asyncio.gather(*patient) == [None] * 6
                await asyncio.gather(*hasty, return_exceptions=True)
            assert client.stats().used == 0
            assert client.stats().timeouts == 0

    asyncio.run(scenario())


def test_a_connection_that_was_idle_for_long_is_tested_before_it_is_used(server: RedisServer) -> None:
    async def scenario() -> None:
        async with connected(server.url(), RedisPool(health_check_interval_seconds=1.0)) as client:
            assert await client.get("absent", PATIENCE_SECONDS) is None
            with server.connect() as other:
                before = other.info("commandstats")["cmdstat_ping"]["calls"]
                await asyncio.sleep(1.1)  # the interval itself is what is tested
                assert await client.get("absent", PATIENCE_SECONDS) is None
                assert other.info("commandstats")["cmdstat_ping"]["calls"] == before + 1

    asyncio.run(scenario())
