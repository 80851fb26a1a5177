"""The server of probes and metrics, over real sockets: right answers to right requests, and no harm from any other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradingbot_contract.serving import TEXT, Answer, PageServer

Exchange = Callable[[bytes], Awaitable[bytes]]


async def _hello() -> Answer:
    return Answer(200, TEXT, b"hello")


async def _broken() -> Answer:
    raise RuntimeError("a page with a mistake")


PAGES = {"/": _hello, "/broken": _broken}


@contextlib.asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[int]:
    server = PageServer(PAGES, **settings)
    port = await server.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.stop()


async def exchange(port: int, sent: bytes, *, half_close: bool = True) -> bytes:
    """Send all, read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with contextlib.suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
        if half_close:
            writer.write_eof()
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            received = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return received


def ask(sent: bytes, **settings: Any) -> bytes:
    async def conversation() -> bytes:
        async with serving(**settings) as port:
            return await exchange(port, sent)

    return asyncio.run(conversation())


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_page() -> None:
    answer = ask(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 5" in head
    assert b"Connection: close" in head
    assert body == b"hello"


def test_a_query_is_ignored() -> None:
    assert status_of(ask(b"GET /?a=b HTTP/1.1\r\n\r\n")) == 200


def test_head_has_the_length_and_no_body() -> None:
    head, _, body = ask(b"HEAD / HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Content-Length: 5" in head
    assert body == b""


def test_a_connection_is_kept_for_the_next_request() -> None:
    answer = ask(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.count(b"hello") == 3
    assert answer.count(b"Connection: keep-alive") == 2


def test_http_1_0_closes() -> None:
    assert ask(b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n").count(b"hello") == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /nowhere HTTP/1.1\r\n\r\n", 404),
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
    ],
)
def test_errors_have_their_status(sent: bytes, status: int) -> None:
    assert status_of(ask(sent)) == status


def test_405_says_what_is_allowed() -> None:
    assert b"Allow: GET, HEAD" in ask(b"DELETE / HTTP/1.1\r\n\r\n")


def test_a_page_that_fails_does_not_end_the_server() -> None:
    assert ask(b"GET /broken HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").endswith(b"hello")


def test_a_slow_request_is_not_waited_for() -> None:
    async def conversation() -> bytes:
        async with serving(head_timeout_seconds=0.05) as port:
            return await exchange(port, b"GET / HT", half_close=False)

    assert status_of(asyncio.run(conversation())) == 408


def test_a_silent_connection_is_closed() -> None:
    async def conversation() -> bytes:
        async with serving(idle_timeout_seconds=0.05) as port:
            return await exchange(port, b"", half_close=False)

    assert asyncio.run(conversation()) == b""


def test_too_many_connections_are_turned_away() -> None:
    async def conversation() -> tuple[bytes, bytes]:
        async with serving(max_connections=1) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            first = await reader.readuntil(b"hello")
            second = await exchange(port, b"GET / HTTP/1.1\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            return first, second

    first, second = asyncio.run(conversation())
    assert status_of(first) == 200
    assert status_of(second) == 503


@pytest.mark.parametrize("turns", range(5))
def test_stop_leaves_no_connection_that_was_taken_at_that_moment(turns: int) -> None:
    async def scenario() -> None:
        server = PageServer(PAGES)
        port = await server.start("127.0.0.1", 0)
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as client:
            client.settimeout(60.0)
            # The loop has taken the connection after so many turns, or not yet.
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.stop()
            with contextlib.suppress(ConnectionError):
                assert await asyncio.to_thread(client.recv, 1) == b""

    asyncio.run(scenario())
    gc.collect()  # a transport that was left open tells of itself


def test_stop_closes_open_connections() -> None:
    async def conversation() -> bytes:
        server = PageServer(PAGES)
        port = await server.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"hello")
        async with asyncio.timeout(60):
            await server.stop()
            rest = await reader.read()
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        return rest

    assert asyncio.run(conversation()) == b""


PIECES = st.sampled_from(
    [b"GET ", b"HEAD ", b"/ ", b"/", b"HTTP/1.1", b"\r\n", b"\r\n\r\n", b"\n", b"\x00", b":", b"Content-Length: 99999999999", b" ", b"\xff"]
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=20).map(b"".join)))
@example(b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")
def test_whatever_is_sent_the_next_client_is_served(sent: bytes) -> None:
    async def conversation() -> tuple[bytes, bytes]:
        async with serving(head_timeout_seconds=0.2, idle_timeout_seconds=0.2) as port:
            return await exchange(port, sent), await exchange(port, b"GET / HTTP/1.1\r\n\r\n")

    odd, right = asyncio.run(conversation())
    assert right.endswith(b"hello")
    assert odd == b"" or odd.startswith(b"HTTP/1.1 ")
