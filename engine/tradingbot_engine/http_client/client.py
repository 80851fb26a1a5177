"""The engine's one way to speak HTTP: every request has a time and a size that it must not pass, and every failure one kind of error.

Addresses may carry keys in their query, so messages name scheme, host and path only.

Invariant: what is under way when the settings change ends as it would have. Used on the event loop only.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from tradingbot_contract.document import SpecError
from tradingbot_contract.metrics import HTTP_DURATION
from tradingbot_contract.resources import Http
from tradingbot_engine.http_client.counts import POOL_NAME, HttpCounts, Progress
from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.telemetry.record import Record, ignore_measurement
from tradingbot_engine.unavailable import UnavailableError

if TYPE_CHECKING:
    import aiohttp

    from tradingbot_engine.http_client.session import MeasuredSession

DEFAULT_TIMEOUT_SECONDS: Final = 30.0
DEFAULT_LIMIT_BYTES: Final = 16 * 2**20
_CONNECT_TIMEOUT_SECONDS: Final = 10.0
_PIECE_BYTES: Final = 65536
_NO_STATUS: Final = 0
_MOST_REDIRECTS: Final = 5
_PUBLIC_HEADERS: Final = frozenset({"accept", "accept-language", "if-modified-since", "if-none-match"})
T = TypeVar("T")


class Reply(NamedTuple):
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Found by any spelling of their names."""
    body: bytes


class HttpClient:
    """One session, however often its settings change. It connects to nothing before the first request."""

    def __init__(self, settings: Http, record: Record = ignore_measurement) -> None:
        self._settings = settings
        self._record = record
        self._counts = HttpCounts()
        self._session: MeasuredSession | None = None
        self._draining: list[MeasuredSession] = []

    async def get_bytes(
        self,
        url: str,
        *,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return what is at an address.

        Raises:
            UnavailableError: no whole answer in time, one that is too large, or another status than 200.
            SpecError: `url` is no address.
        """
        reply = await self.request("GET", url, limit_bytes=limit_bytes, timeout_seconds=timeout_seconds, headers=headers)
        if reply.status != HTTPStatus.OK:
            raise UnavailableError(f"{describe(url)} answers with status {reply.status}")
        return reply.body

    async def get_json(
        self,
        url: str,
        kind: type[T],
        *,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Return the JSON at an address as a value of this type.

        Raises:
            UnavailableError: as of `get_bytes`, or the answer isn't JSON of that type.
            SpecError: `url` is no address.
        """
        body = await self.get_bytes(url, limit_bytes=limit_bytes, timeout_seconds=timeout_seconds, headers=headers)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnavailableError(f"{describe(url)} answers with something else than was expected: {error}") from error

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limit_bytes: int = DEFAULT_LIMIT_BYTES,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> Reply:
        """Send a request and return its answer, of whatever status.

        A GET follows redirects, unless it has headers that may be secret: they would be handed to others. Nothing else does, because it
        could do something twice.

        Raises:
            UnavailableError: no whole answer in time, or one that is larger than the limit.
            SpecError: `url` is no address.
        """
        import aiohttp  # noqa: PLC0415 - with the first request, not with the engine

        started_at = time.perf_counter()
        progress = Progress()
        status = _NO_STATUS
        try:
            async with (
                self._used_session() as session,
                session.client.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=method == "GET" and _PUBLIC_HEADERS.issuperset(name.lower() for name in headers or ()),
                    max_redirects=_MOST_REDIRECTS,
                    timeout=aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(_CONNECT_TIMEOUT_SECONDS, timeout_seconds)),
                    trace_request_ctx=progress,
                ) as response,
            ):
                status = response.status
                return Reply(status, response.headers, await _read_body(response, url, limit_bytes))
        except TimeoutError:
            if progress.is_queued:
                self._counts.timeouts += 1
                raise UnavailableError(f"{describe(url)}: no connection of the pool was free within {timeout_seconds:g} s") from None
            self._counts.errors += 1
            raise UnavailableError(f"{describe(url)}: no answer within {timeout_seconds:g} s") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            if isinstance(error, aiohttp.RedirectClientError):
                raise UnavailableError(f"{describe(url)} redirects to something that is no address") from None
            raise SpecError(f"{describe(url)} is no address of a server: it must look like https://host/path") from None
        except aiohttp.ClientError as error:
            self._counts.errors += 1
            raise UnavailableError(f"{describe(url)}: {_reason(error)}") from None  # its own text may hold the whole address
        finally:
            attributes = {"http.request.method": method, "http.response.status_code": str(status)}
            self._record(HTTP_DURATION, time.perf_counter() - started_at, attributes)

    async def reconfigure(self, settings: Http) -> None:
        """Use a session of these settings from now on; the old one is closed when its last request has ended."""
        if settings == self._settings:
            return
        self._settings = settings
        old, self._session = self._session, None
        if old is not None:
            self._draining = [session for session in self._draining if session.requests]
            self._draining.append(old)
            await old.retire()

    async def close(self) -> None:
        """Close all connections, used ones too."""
        sessions, self._draining = [*self._draining, self._session], []
        self._session = None
        for session in sessions:
            if session is not None:
                await session.client.close()

    def stats(self) -> PoolStats:
        connectors = [session.connector for session in (self._session, *self._draining) if session is not None]
        return PoolStats(
            name=POOL_NAME,
            used=sum(connector.used for connector in connectors),
            idle=sum(connector.idle for connector in connectors),
            max_connections=self._settings.limit,
            peak_used=self._counts.peak_used,
            pending=sum(connector.pending for connector in connectors),
            timeouts=self._counts.timeouts,
            errors=self._counts.errors,
            created=self._counts.created,
        )

    @contextlib.asynccontextmanager
    async def _used_session(self) -> AsyncIterator[MeasuredSession]:
        from tradingbot_engine.http_client.session import MeasuredSession  # noqa: PLC0415 - as above

        session = self._session
        if session is None:
            session = self._session = MeasuredSession(self._settings, self._counts, self._record)
        session.requests += 1
        try:
            yield session
        finally:
            session.requests -= 1
            await session.close_if_done()


def describe(url: str) -> str:
    """Return what may be told of an address: not its query, nor a password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "the address"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


async def _read_body(response: aiohttp.ClientResponse, url: str, limit_bytes: int) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(_PIECE_BYTES):
        body += piece
        if len(body) > limit_bytes:
            raise UnavailableError(f"{describe(url)} answers with more than {limit_bytes} bytes")
    return bytes(body)


def _reason(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text and "://" not in text else type(error).__name__
