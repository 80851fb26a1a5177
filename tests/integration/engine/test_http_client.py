"""The engine's HTTP session against real local servers: limits, kept connections, changes in mid-flight, bad answers."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from msgspec import Struct

from faulty_link import FaultyLink
from server_process import free_port
from tradingbot_contract.document import SpecError
from tradingbot_contract.metrics import HTTP_DURATION, POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import Http
from tradingbot_engine.http_client.client import HttpClient
from tradingbot_engine.telemetry.record import NO_ATTRIBUTES, Attributes
from tradingbot_engine.unavailable import UnavailableError

HOST = "127.0.0.1"
DEADLINE_SECONDS = 60.0
SHORT_SECONDS = 0.3
LIMIT_BYTES = 100_000


BODIES = {
    "/json": b'[{"id": 1}, {"id": 2}]',
    "/text": b"no JSON",
    "/latin": b'["\xff"]',
    "/huge": bytes(LIMIT_BYTES + 1),
    "/bomb": gzip.compress(bytes(50_000_000)),
}
REDIRECTS = {"/moved": "/json", "/nowhere": "ftp://nowhere/", "/round": "/round"}
PIECES = {"/endless": bytes(10_000), "/trickle": b"."}
GARBAGE = [
    b"",
    b"\x00\xff",
    b"NOT HTTP\r\n\r\n",
    b"HTTP/1.1 999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ncut",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


class Item(Struct):
    id: int


class Site:
    """A server that counts what it sees; requests to /hold wait until they are let go."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: Counter[str] = Counter()
        self.held = 0
        self.most_held = 0
        self.let_go = asyncio.Event()
        self.headers: dict[str, str] = {}

    def url(self, path: str, port: int | None = None) -> str:
        return f"http://{HOST}:{port or self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests[f"{request.method} {request.path}"] += 1
        self.headers = dict(request.headers)
        if request.path in REDIRECTS:
            raise web.HTTPFound(REDIRECTS[request.path])
        if request.path == "/hold":
            return await self._hold()
        if request.path in PIECES:
            await _send_for_ever(request, PIECES[request.path])
        if request.path not in BODIES:
            raise web.HTTPNotFound
        packed = {"Content-Encoding": "gzip"} if request.path == "/bomb" else {}
        return web.Response(body=BODIES[request.path], headers=packed)

    async def _hold(self) -> web.Response:
        self.held += 1
        self.most_held = max(self.most_held, self.held)
        await self.let_go.wait()
        self.held -= 1
        return web.Response(text="held")


async def _send_for_ever(request: web.Request, piece: bytes) -> None:
    stream = web.StreamResponse()
    await stream.prepare(request)
    while True:
        await stream.write(piece)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    site = Site()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        site.let_go.set()
        await runner.cleanup()


@asynccontextmanager
async def speaking(settings: Http | None = None) -> AsyncIterator[HttpClient]:
    client = HttpClient(settings or Http())
    try:
        yield client
    finally:
        await client.close()


async def until(probe: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not probe():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS:g} s: {what}"
        await asyncio.sleep(0.005)


def test_an_answer_is_decoded_and_checked() -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            assert await client.get_json(there.url("/json"), list[Item]) == [Item(1), Item(2)]
            assert there.headers["User-Agent"] == "tradingbot-engine"
            assert await client.get_bytes(there.url("/moved"), headers={"If-None-Match": "x"}) == b'[{"id": 1}, {"id": 2}]'
            assert (await client.request("GET", there.url("/json"))).headers["content-length"] == "22"
            for path in ("/text", "/latin"):
                with pytest.raises(UnavailableError, match="something else"):
                    await client.get_json(there.url(path), list[Item])
            with pytest.raises(UnavailableError, match="status 404"):
                await client.get_bytes(there.url("/missing"))

    asyncio.run(scenario())


def test_connections_are_kept_and_measured() -> None:
    measured: Counter[str] = Counter()

    def record(instrument: Instrument, value: float, attributes: Attributes = NO_ATTRIBUTES, /) -> None:
        assert value >= 0
        if instrument is HTTP_DURATION:
            assert attributes == {"http.request.method": "GET", "http.response.status_code": "200"}
        else:
            assert attributes == {"db.client.connection.pool.name": "http"}
        measured[instrument.name] += 1

    async def scenario() -> None:
        async with site() as there:
            client = HttpClient(Http(), record)
            assert client.stats().created == 0
            with FaultyLink(there.port) as link:
                for _ in range(20):
                    await client.get_bytes(there.url("/json", link.port))
                assert link.accepted == 1
                stats = client.stats()
                assert (stats.name, stats.used, stats.idle, stats.created, stats.peak_used) == ("http", 0, 1, 1, 1)
                await client.close()
                assert client.stats().idle == 0

    asyncio.run(scenario())
    assert measured == {HTTP_DURATION.name: 20, POOL_WAIT_TIME.name: 20, POOL_USE_TIME.name: 20, POOL_CREATE_TIME.name: 1}


def test_limits_hold_in_all_and_for_one_host() -> None:
    async def scenario() -> None:
        async with site() as one, site() as other, speaking(Http(limit=5, limit_per_host=3)) as client:
            tasks = [asyncio.create_task(client.get_bytes(one.url("/hold"))) for _ in range(6)]
            await until(lambda: one.held == 3, "three are held")
            tasks += [asyncio.create_task(client.get_bytes(other.url("/hold"))) for _ in range(6)]
            await until(lambda: other.held == 2, "two more are held")
            stats = client.stats()
            assert (stats.used, stats.pending, stats.max_connections) == (5, 7, 5)
            one.let_go.set()
            other.let_go.set()
            assert await asyncio.gather(*tasks) == [b"held"] * 12
            assert one.most_held <= 3
            assert other.most_held <= 3
            stats = client.stats()
            assert (stats.used, stats.pending, stats.peak_used, stats.timeouts, stats.errors) == (0, 0, 5, 0, 0)

    asyncio.run(scenario())


def test_who_waits_in_vain_for_a_connection_learns_that_it_was_the_pool() -> None:
    async def scenario() -> None:
        async with site() as there, speaking(Http(limit=1)) as client:
            held = asyncio.create_task(client.get_bytes(there.url("/hold")))
            await until(lambda: there.held == 1, "one is held")
            with pytest.raises(UnavailableError, match="no connection of the pool was free"):
                await client.get_bytes(there.url("/json"), timeout_seconds=SHORT_SECONDS)
            assert (client.stats().timeouts, client.stats().errors) == (1, 0)
            there.let_go.set()
            assert await held == b"held"

    asyncio.run(scenario())


def test_other_settings_are_used_at_once_and_nothing_under_way_is_lost() -> None:
    async def scenario() -> None:
        async with site() as there, speaking(Http(limit=2)) as client:
            await client.get_bytes(there.url("/json"))
            tasks = [asyncio.create_task(client.get_bytes(there.url("/hold"))) for _ in range(3)]
            await until(lambda: client.stats().pending == 1, "two are held, one waits")
            await client.reconfigure(Http(limit=9))
            assert client.stats().max_connections == 9
            assert await client.get_bytes(there.url("/json")) == b'[{"id": 1}, {"id": 2}]'  # the new one has room
            assert client.stats().used == 2
            there.let_go.set()
            assert await asyncio.gather(*tasks) == [b"held"] * 3
            stats = client.stats()
            assert (stats.used, stats.idle, stats.errors, stats.timeouts) == (0, 1, 0, 0)  # the old ones are closed

    asyncio.run(scenario())


def test_settings_changed_again_and_again_under_load_lose_nothing() -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            done = False

            async def load() -> int:
                count = 0
                while not done:
                    assert len(await client.get_json(there.url("/json"), list[Item])) == 2
                    count += 1
                return count

            tasks = [asyncio.create_task(load()) for _ in range(8)]
            for round_number in range(20):
                await client.reconfigure(Http(limit=1 + round_number % 5))
                await asyncio.sleep(0.01)
            done = True
            assert sum(await asyncio.gather(*tasks)) > 20
            stats = client.stats()
            assert (stats.used, stats.pending, stats.errors, stats.timeouts) == (0, 0, 0, 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/huge", "/bomb", "/endless"])
def test_what_is_too_large_is_given_up_early(path: str) -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            with pytest.raises(UnavailableError, match=f"more than {LIMIT_BYTES} bytes"):
                await client.get_bytes(there.url(path), limit_bytes=LIMIT_BYTES)
            assert client.stats().used == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/hold", "/trickle"])
def test_what_takes_too_long_is_given_up(path: str) -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            with pytest.raises(UnavailableError, match=r"no answer within 0\.3 s"):
                await client.get_bytes(there.url(f"{path}?token=s3cr3t"), timeout_seconds=SHORT_SECONDS)
            stats = client.stats()
            assert (stats.used, stats.errors) == (0, 1)

    asyncio.run(scenario())


def test_a_stalled_and_a_cut_link_are_unavailable_and_a_healed_one_works() -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            with FaultyLink(there.port) as link:
                url = there.url("/json", link.port)
                link.stall()
                with pytest.raises(UnavailableError, match="no answer"):
                    await client.get_bytes(url, timeout_seconds=SHORT_SECONDS)
                link.heal()
                assert await client.get_bytes(url)
                link.cut()
                with pytest.raises(UnavailableError):
                    await client.get_bytes(url)
                link.heal()
                assert await client.get_bytes(url)
            assert client.stats().errors == 2

    asyncio.run(scenario())


def test_nobody_there_is_unavailable() -> None:
    async def scenario() -> None:
        async with speaking() as client:
            with pytest.raises(UnavailableError, match="Cannot connect"):
                await client.get_bytes(f"http://{HOST}:{free_port()}/?token=s3cr3t")
            with pytest.raises(UnavailableError) as error:
                await client.get_bytes("http://no-such-host.invalid/?token=s3cr3t")
            assert "s3cr3t" not in str(error.value)
            assert client.stats().errors == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["", "news", "ftp://host/file", "http:///nohost"])
def test_what_is_no_address_is_the_users_to_change(url: str) -> None:
    async def scenario() -> None:
        async with speaking() as client:
            with pytest.raises(SpecError, match="no address"):
                await client.get_bytes(url)

    asyncio.run(scenario())


@pytest.mark.parametrize("path", ["/nowhere", "/round"])
def test_a_redirect_that_leads_nowhere_is_unavailable(path: str) -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            with pytest.raises(UnavailableError):
                await client.get_bytes(there.url(path))

    asyncio.run(scenario())


def test_a_request_with_a_key_or_that_changes_something_follows_no_redirect() -> None:
    async def scenario() -> None:
        async with site() as there, speaking() as client:
            assert (await client.request("GET", there.url("/moved"), headers={"X-Api-Key": "k"})).status == 302
            assert (await client.request("POST", there.url("/moved"), body=b"{}")).status == 302
            assert there.requests == {"GET /moved": 1, "POST /moved": 1}

    asyncio.run(scenario())


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_is_unavailable(garbage: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        listener = await asyncio.start_server(answer, HOST, 0)
        async with speaking() as client:
            with pytest.raises(UnavailableError):
                await client.get_bytes(f"http://{HOST}:{listener.sockets[0].getsockname()[1]}/?token=s3cr3t")
            assert client.stats().used == 0
        listener.close()
        await listener.wait_closed()

    asyncio.run(scenario())


@pytest.mark.parametrize(("method", "arrives"), [("GET", 2), ("POST", 1)])
def test_only_what_may_be_repeated_is_sent_again_on_a_kept_connection_that_breaks(method: str, arrives: int) -> None:
    """The server answers once and then, on the same connection, reads the next request and hangs up."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            seen.append(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def scenario() -> None:
        listener = await asyncio.start_server(answer, HOST, 0)
        url = f"http://{HOST}:{listener.sockets[0].getsockname()[1]}/"
        async with speaking() as client:
            assert await client.get_bytes(url) == b"ok"
            if method == "GET":
                assert await client.get_bytes(url) == b"ok"
            else:
                with pytest.raises(UnavailableError):
                    await client.request("POST", url, body=b"order")
            assert client.stats().created == arrives
        listener.close()
        await listener.wait_closed()

    asyncio.run(scenario())
    assert len(seen) == 1


def test_a_caller_who_gives_up_costs_the_pool_nothing() -> None:
    async def scenario() -> None:
        async with site() as there, speaking(Http(limit=2)) as client:
            for _ in range(10):
                tasks = [asyncio.create_task(client.get_bytes(there.url("/hold"))) for _ in range(4)]
                await until(lambda: client.stats().used == 2, "two are held")
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await until(lambda: client.stats().used == 0, "both came back")
            assert await client.get_bytes(there.url("/json"))
            assert client.stats().errors == 0

    asyncio.run(scenario())
