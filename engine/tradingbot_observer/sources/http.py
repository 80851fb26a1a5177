"""Asks the engine for one page over HTTP, within a time and a size, and measures how long the answer took.

Nothing that the engine sends or holds back may harm the observer: no answer is longer than a limit, none is waited for beyond the
time-out, and every way to fail is one of a few words. A new connection for each page: an answer proves that the engine accepts,
reads and writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

_HEAD_LIMIT_BYTES: Final = 16_384
_CHUNK_BYTES: Final = 65_536


class ProbeResult(enum.Enum):
    """How a question to the engine ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """Nobody listens, or the connection broke."""
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    """An answer that is no page, or is too long."""


class NoAnswer(Exception):  # noqa: N818 - a fact, not a fault: an engine may be away
    """The engine did not give the page."""

    def __init__(self, result: ProbeResult, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.result = result
        self.seconds = seconds
        """How long it took to learn this."""


class PageAnswer(NamedTuple):
    """A page, and how long it took from the first packet to its last byte."""

    body: bytes
    seconds: float


class EngineAddress(NamedTuple):
    """Where the engine's pages are."""

    host: str
    port: int
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address that an URL such as ``http://127.0.0.1:8080`` names.

        Raises:
            ValueError: it is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url!r} is no address of an engine: write it as http://127.0.0.1:8080")
        return cls(parts.hostname, parts.port or 80, parts.path.rstrip("/"))


async def read_page(address: EngineAddress, path: str, *, timeout_seconds: float, limit_bytes: int) -> PageAnswer:
    """Return a page of the engine.

    Raises:
        NoAnswer: there was none in time, or none that can be read.
    """
    started = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_seconds):
            body = await _fetch(address, path, limit_bytes)
    except TimeoutError as error:
        detail = f"no answer within {timeout_seconds:g} s"
        raise NoAnswer(ProbeResult.TIMEOUT, detail, time.perf_counter() - started) from error
    except OSError as error:
        raise NoAnswer(ProbeResult.REFUSED, str(error), time.perf_counter() - started) from error
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise NoAnswer(ProbeResult.MALFORMED, str(error), time.perf_counter() - started) from error
    return PageAnswer(body, time.perf_counter() - started)


async def _fetch(address: EngineAddress, path: str, limit_bytes: int) -> bytes:
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=_HEAD_LIMIT_BYTES)
    try:
        host = f"[{address.host}]" if ":" in address.host else address.host
        request = f"GET {address.prefix}{path} HTTP/1.1\r\nHost: {host}:{address.port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        await writer.drain()
        length = _parse_head(await reader.readuntil(b"\r\n\r\n"))
        if length is not None and length <= limit_bytes:
            return await reader.readexactly(length)
        if length is None:
            return await _read_to_end(reader, limit_bytes)
        raise ValueError(f"the answer has {length} bytes, more than {limit_bytes}")
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _parse_head(head: bytes) -> int | None:
    """Return the length of the body that follows, None if it ends with the connection."""
    status_line, *lines = head.decode("latin-1").split("\r\n")
    parts = status_line.split(" ", 2)
    if not parts[0].startswith("HTTP/1.") or len(parts) < 2 or parts[1] != "200":
        raise ValueError(f"the answer begins {status_line[:80]!r}, not with HTTP/1.1 200")
    fields = {name.strip().lower(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    if "transfer-encoding" in fields:
        raise ValueError("the answer has a transfer encoding, which no engine uses")
    length = fields.get("content-length")
    if length is None:
        return None
    if not length.isdecimal():
        raise ValueError(f"the answer's length is {length!r}")
    return int(length)


async def _read_to_end(reader: asyncio.StreamReader, limit_bytes: int) -> bytes:
    body = bytearray()
    while chunk := await reader.read(_CHUNK_BYTES):
        body += chunk
        if len(body) > limit_bytes:
            raise ValueError(f"the answer has more than {limit_bytes} bytes")
    return bytes(body)
