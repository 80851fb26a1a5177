"""A small HTTP server for a process's own pages: probes, metrics, status.

It runs on the event loop that does the work, on purpose: an answer proves that the loop turns. So it must never hold the loop
up, whatever is sent to it: a request is a head of at most 8 KiB without a body, must arrive within seconds, and only so many
connections are open at once. It knows GET and HEAD, and exact paths. It keeps connections alive, and closes them when it stops.

Not for the open internet: it has no TLS and no authentication; a NetworkPolicy says who may reach it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

JSON: Final = "application/json; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

_HEAD_LIMIT_BYTES: Final = 8192
_TURNS_TO_A_TRANSPORT: Final = 3
"""Turns of the event loop between taking a connection and calling back with it: the task that makes its transport, and two callbacks."""
_TURN_AWAY_SECONDS: Final = 1.0
_logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What a page says."""

    status: int
    content_type: str
    body: bytes
    fields: tuple[tuple[str, str], ...] = ()
    """Further header fields; the server's own come with every answer."""


Page = Callable[[], Awaitable[Answer]]
QueryPage = Callable[[Mapping[str, str]], Awaitable[Answer]]
"""A page that takes the query of the address (``?hours=6``); of a name that is given twice, the last counts."""


class _BadRequest(Exception):  # noqa: N818 - it is the client's, not ours, and never leaves this module
    """The request can't be answered; the status and a sentence say why. The connection is closed after it."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Request(NamedTuple):
    method: str
    path: str
    query: str
    keep_alive: bool


def _parse_head(head: bytes) -> _Request:
    """Return the request that a head (request line and fields, with the empty line) asks for.

    Raises:
        _BadRequest: it is no HTTP/1.x request, or it announces a body.
    """
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[0].isalpha() or not parts[1].startswith("/") or parts[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise _BadRequest(HTTPStatus.BAD_REQUEST, "not an HTTP/1.1 request")
    fields: dict[str, str] = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _BadRequest(HTTPStatus.BAD_REQUEST, "malformed header field")
        fields[name.lower()] = value.strip()
    if "transfer-encoding" in fields or fields.get("content-length", "0") != "0":
        raise _BadRequest(HTTPStatus.BAD_REQUEST, "a request must not have a body")
    wish = fields.get("connection", "").lower()
    keep_alive = "close" not in wish if parts[2] == "HTTP/1.1" else "keep-alive" in wish
    path, _, query = parts[1].partition("?")
    return _Request(method=parts[0], path=path, query=query, keep_alive=keep_alive)


def _render_head(answer: Answer, *, keep_alive: bool, allow: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    lines += [f"{name}: {value}" for name, value in answer.fields]
    if allow:
        lines.append("Allow: GET, HEAD")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _plain(status: HTTPStatus, reason: str) -> Answer:
    return Answer(status.value, TEXT, f"{reason}\n".encode())


def _ignore_query(page: Page) -> QueryPage:
    async def answer(_query: Mapping[str, str]) -> Answer:
        return await page()

    return answer


class PageServer:
    """Serves `pages` and `queries`, a path each, until it is stopped; only a page of `queries` is told the query."""

    def __init__(
        self,
        pages: Mapping[str, Page],
        *,
        queries: Mapping[str, QueryPage] | None = None,
        max_connections: int = 64,
        head_timeout_seconds: float = 5.0,
        idle_timeout_seconds: float = 75.0,
        write_timeout_seconds: float = 10.0,
    ) -> None:
        self._pages = {path: _ignore_query(page) for path, page in pages.items()} | dict(queries or {})
        self._max_connections = max_connections
        self._head_timeout_seconds = head_timeout_seconds
        self._idle_timeout_seconds = idle_timeout_seconds
        self._write_timeout_seconds = write_timeout_seconds
        self._connections: set[asyncio.Task[None]] = set()
        self._is_stopping = False
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chooses when `port` is 0.

        Raises:
            OSError: the address is in use or not ours.
        """
        self._is_stopping = False
        self._server = await asyncio.start_server(self._connected, host, port, limit=_HEAD_LIMIT_BYTES, backlog=128)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port, then what is open: a page that is being made is not finished."""
        if self._server is None:
            return
        self._is_stopping = True
        # A connection that was taken in this turn of the loop has no transport yet, and could get none from a closed server: its socket
        # would stay open. So no more are taken first, and those get their transport, and lose it at once.
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(_TURNS_TO_A_TRANSPORT):
            await asyncio.sleep(0)
        self._server.close()
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve a connection; the loop calls this before anything else can happen, so that stop() knows of every one."""
        if self._is_stopping:
            writer.transport.abort()  # it was taken just before the port closed
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)

        def forget(done: asyncio.Task[None]) -> None:
            self._connections.discard(done)
            writer.close()  # also of a task that was cancelled before its first step

        task.add_done_callback(forget)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._connections) > self._max_connections:
                await self._turn_away(reader, writer)
            else:
                await self._converse(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the other side is gone, or too slow: there is nobody to tell
        except asyncio.CancelledError:
            pass  # stop(); a cancelled handler would be logged as an error by asyncio's own callback
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    async def _turn_away(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_TURN_AWAY_SECONDS):
            await reader.read(_HEAD_LIMIT_BYTES)  # closing with bytes unread would reset the connection before the answer is read
        await self._write(writer, _plain(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections"), keep_alive=False)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keep_alive = True
        while keep_alive:
            try:
                request = await self._read_request(reader)
            except _BadRequest as error:
                await self._write(writer, _plain(error.status, str(error)), keep_alive=False)
                return
            answer = await self._answer(request)
            keep_alive = request.keep_alive
            await self._write(writer, answer, keep_alive=keep_alive, with_body=request.method != "HEAD")

    async def _read_request(self, reader: asyncio.StreamReader) -> _Request:
        async with asyncio.timeout(self._idle_timeout_seconds):
            first = await reader.readexactly(1)
        try:
            async with asyncio.timeout(self._head_timeout_seconds):
                return _parse_head(first + await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            raise _BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "request head over 8 KiB") from None
        except TimeoutError:
            raise _BadRequest(HTTPStatus.REQUEST_TIMEOUT, "the request took too long") from None

    async def _answer(self, request: _Request) -> Answer:
        page = self._pages.get(request.path)
        if page is None:
            return _plain(HTTPStatus.NOT_FOUND, "there is: " + " ".join(self._pages))
        if request.method not in {"GET", "HEAD"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only")
        try:
            return await page(dict(parse_qsl(request.query, keep_blank_values=True)))
        except Exception:  # a page that fails must not end the server of the others
            _logger.exception("page failed", extra={"fields": {"path": request.path}})
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "this page failed; the log says why")

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer, *, keep_alive: bool, with_body: bool = True) -> None:
        head = _render_head(answer, keep_alive=keep_alive, allow=answer.status == HTTPStatus.METHOD_NOT_ALLOWED)
        writer.write(head + answer.body if with_body else head)
        async with asyncio.timeout(self._write_timeout_seconds):
            await writer.drain()
