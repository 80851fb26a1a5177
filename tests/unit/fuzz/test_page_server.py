"""The server of pages, over sockets: whatever is sent, in whatever pieces, the next client is served, and every answer is one of HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st
from mutation import mutated_bytes

from tradingbot_contract.serving import TEXT, Answer, PageServer

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD / HTTP/1.1\r\n\r\n",
    b"GET /question?hours=6&points=10 HTTP/1.1\r\nAccept: */*\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    b"GET /?" + b"a=b&" * 300 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 9000 + b"\r\n\r\n",
]
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z -]+\r\n")
PATIENCE_SECONDS = 0.3


async def _hello() -> Answer:
    return Answer(200, TEXT, b"hello")


async def _question(query: Mapping[str, str]) -> Answer:
    return Answer(200, TEXT, repr(sorted(query.items())).encode())


def serve() -> PageServer:
    return PageServer(
        {"/": _hello},
        queries={"/question": _question},
        max_connections=8,
        head_timeout_seconds=PATIENCE_SECONDS,
        idle_timeout_seconds=PATIENCE_SECONDS,
    )


async def converse(port: int, pieces: Sequence[bytes]) -> bytes:
    """Send pieces one after another, and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with contextlib.suppress(OSError):  # the server may have closed already
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            received = await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return received


def read_statuses(received: bytes) -> list[int]:
    """Return the status of each answer; what is no answer fails."""
    statuses = []
    while received:
        found = STATUS.match(received)
        assert found, received[:200]
        statuses.append(int(found[1]))
        head, end, received = received.partition(b"\r\n\r\n")
        assert end
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length
        # An answer to HEAD has no body: the next answer begins at once.
        if not received.startswith(b"HTTP/1.1 "):
            received = received[int(length[1]) :]
    return statuses


@st.composite
def sent(draw: st.DrawFn) -> list[bytes]:
    """Return requests in a row, damaged or not, cut into pieces anywhere."""
    whole = b"".join(draw(st.lists(st.sampled_from(REQUESTS) | mutated_bytes(REQUESTS), min_size=1, max_size=5)))
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(sent())
def test_whatever_is_sent_in_a_row_each_answer_is_one_and_the_next_client_is_served(pieces: list[bytes]) -> None:
    async def conversation() -> tuple[bytes, bytes]:
        server = serve()
        port = await server.start("127.0.0.1", 0)
        try:
            return await converse(port, pieces), await converse(port, REQUESTS[:1])
        finally:
            await server.stop()

    odd, right = asyncio.run(conversation())
    statuses = read_statuses(odd)
    assert set(statuses) <= {200, 400, 404, 405, 408, 431}
    assert not [status for status in statuses[:-1] if status in {400, 408, 431}], "a request that can't be read ends the connection"
    assert right.endswith(b"hello")


def test_clients_that_send_by_drops_keep_nobody_else_out_for_long() -> None:
    async def drip(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 10_000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(PATIENCE_SECONDS / 50)
                if reader.at_eof():
                    break
        except ConnectionError:
            pass  # the server has had enough
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def conversation() -> bytes:
        server = serve()
        port = await server.start("127.0.0.1", 0)
        slow = [asyncio.create_task(drip(port)) for _ in range(20)]
        try:
            async with asyncio.timeout(60):
                while not (answer := await converse(port, REQUESTS[:1])).endswith(b"hello"):
                    pass  # turned away, which takes the server a moment
            return answer
        finally:
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            await server.stop()

    assert read_statuses(asyncio.run(conversation())) == [200]


@given(st.lists(st.sampled_from(REQUESTS[:3]), min_size=1, max_size=12))
def test_requests_in_a_row_are_all_answered_in_their_order(requests: list[bytes]) -> None:
    async def conversation() -> bytes:
        server = serve()
        port = await server.start("127.0.0.1", 0)
        try:
            return await converse(port, [b"".join(requests)])
        finally:
            await server.stop()

    received = asyncio.run(conversation())
    assert read_statuses(received) == [200] * len(requests)
    assert received.count(b"hello") == requests.count(REQUESTS[0])
