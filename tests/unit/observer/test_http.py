from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tradingbot_observer.sources.http import EngineAddress, NoAnswer, PageAnswer, ProbeResult, read_page

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def ask(answer: bytes, *, hold: bool = False, timeout_seconds: float = 5.0, limit_bytes: int = 100) -> PageAnswer:
    """Ask a real server that says exactly this and closes, or holds the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if hold:
            await reader.read()
        writer.close()

    async def both() -> PageAnswer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await read_page(EngineAddress("127.0.0.1", port), "/status", timeout_seconds=timeout_seconds, limit_bytes=limit_bytes)

    return asyncio.run(both())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more than was announced",
        b"HTTP/1.0 200 OK\r\ncontent-length:4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200\r\n\r\nbody",
    ],
)
def test_a_page(answer: bytes) -> None:
    page = ask(answer)
    assert page.body == b"body"
    assert page.seconds > 0


def test_a_page_of_known_length_is_not_waited_for_beyond_its_end() -> None:
    assert ask(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", hold=True).body == b"body"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000,
    ],
)
def test_what_is_no_page_or_too_long_is_malformed(answer: bytes) -> None:
    with pytest.raises(NoAnswer) as caught:
        ask(answer)
    assert caught.value.result is ProbeResult.MALFORMED


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbo"])
def test_an_answer_that_is_held_back_times_out_above_the_limit(answer: bytes) -> None:
    with pytest.raises(NoAnswer) as caught:
        ask(answer, hold=True, timeout_seconds=0.05)
    assert caught.value.result is ProbeResult.TIMEOUT
    assert caught.value.seconds > 0.05


def test_nobody_listens() -> None:
    async def nobody() -> None:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await read_page(EngineAddress("127.0.0.1", port), "/status", timeout_seconds=5, limit_bytes=100)

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(nobody())
    assert caught.value.result is ProbeResult.REFUSED


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", EngineAddress("127.0.0.1", 8080)),
        ("http://localhost", EngineAddress("localhost", 80)),
        ("http://[::1]:9/base/", EngineAddress("::1", 9, "/base")),
    ],
)
def test_addresses(url: str, address: EngineAddress) -> None:
    assert EngineAddress.parse(url) == address


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "https://127.0.0.1", "http://", "http://host:port"])
def test_no_address(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - one of the messages is the standard library's
        EngineAddress.parse(url)
