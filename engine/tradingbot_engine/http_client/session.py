"""aiohttp's session and pool of connections for one set of settings, measured.

aiohttp tells when a connection is waited for and opened, but neither how many are borrowed nor when one comes back: both are seen here,
where they pass.

Invariant: a session that is retired ends with its last request, never before.
"""

from __future__ import annotations

import time
import weakref
from functools import partial
from types import SimpleNamespace
from typing import Final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from tradingbot_contract.metrics import POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME
from tradingbot_contract.resources import Http
from tradingbot_engine.http_client.counts import POOL_NAME, HttpCounts, Progress
from tradingbot_engine.telemetry.record import Record

_ATTRIBUTES: Final = {"db.client.connection.pool.name": POOL_NAME}
_USER_AGENT: Final = "tradingbot-engine"


class MeasuredConnector(aiohttp.TCPConnector):
    """Counts what is borrowed, and measures how long it is waited for and used."""

    def __init__(self, settings: Http, counts: HttpCounts, record: Record) -> None:
        super().__init__(
            limit=settings.limit,
            limit_per_host=settings.limit_per_host,
            ttl_dns_cache=settings.dns_ttl_seconds,
            keepalive_timeout=settings.keepalive_seconds,
        )
        self.used = 0
        self.pending = 0
        """Requests that wait for a connection."""
        self._counts = counts
        self._record = record
        self._opened: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    @property
    def idle(self) -> int:
        return max(0, sum(protocol.is_connected() for protocol in self._opened) - self.used)

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """Lend a connection; its own callback tells when it comes back."""
        asked_at = time.perf_counter()
        self.pending += 1
        try:
            connection = await super().connect(req, traces, timeout)
        finally:
            self.pending -= 1
        borrowed_at = time.perf_counter()
        self._record(POOL_WAIT_TIME, borrowed_at - asked_at, _ATTRIBUTES)
        self.used += 1
        self._counts.peak_used = max(self._counts.peak_used, self.used)
        if connection.protocol is not None:
            self._opened.add(connection.protocol)
        connection.add_callback(partial(self._came_back, borrowed_at))
        return connection

    def _came_back(self, borrowed_at: float) -> None:
        self.used -= 1
        self._record(POOL_USE_TIME, time.perf_counter() - borrowed_at, _ATTRIBUTES)


class MeasuredSession:
    """A session and how many requests are under way in it."""

    def __init__(self, settings: Http, counts: HttpCounts, record: Record) -> None:
        """Make it on the running event loop; nothing is connected yet."""
        self.connector = MeasuredConnector(settings, counts, record)
        self.requests = 0
        self.is_retired = False
        self.client = aiohttp.ClientSession(
            connector=self.connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # a session is replaced at any time, so it must not remember anything
            headers={"User-Agent": _USER_AGENT},
            trace_configs=[_build_trace(counts, record)],
        )

    async def retire(self) -> None:
        """Close it when nothing is under way any more, which may be now."""
        self.is_retired = True
        await self.close_if_done()

    async def close_if_done(self) -> None:
        if self.is_retired and not self.requests:
            await self.client.close()


def _build_trace(counts: HttpCounts, record: Record) -> aiohttp.TraceConfig:
    """What aiohttp tells of the way to a connection; the progress of a request travels with it as its context."""

    async def on_queued(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
        _progress(context).is_queued = True

    async def on_dequeued(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
        _progress(context).is_queued = False

    async def on_create_start(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
        _progress(context).create_started_at = time.perf_counter()

    async def on_create_end(_session: aiohttp.ClientSession, context: SimpleNamespace, _parameters: object) -> None:
        counts.created += 1
        record(POOL_CREATE_TIME, time.perf_counter() - _progress(context).create_started_at, _ATTRIBUTES)

    trace = aiohttp.TraceConfig()
    trace.on_connection_queued_start.append(on_queued)
    trace.on_connection_queued_end.append(on_dequeued)
    trace.on_connection_create_start.append(on_create_start)
    trace.on_connection_create_end.append(on_create_end)
    return trace


def _progress(context: SimpleNamespace) -> Progress:
    progress = context.trace_request_ctx
    assert isinstance(progress, Progress)
    return progress
