"""redis-py's blocking pool, measured, with every step bounded in time and nothing tried again behind our back.

redis-py tries a command ten times by default, gives a server that accepts and stays silent the time of an answer instead of that of a
connection, and counts nothing. Here a command has three steps: wait for a free place, open or test the connection in it, use it. Who
waits in vain for a place learns that it was our own pool, not Redis.

Invariant: a place is always given back, whatever ends the command; what leaves this module is an error of
:mod:`~tradingbot_engine.redis_client.failure`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection, BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_REDIS_URL
from tradingbot_contract.metrics import POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME
from tradingbot_contract.resources import RedisPool
from tradingbot_engine.redis_client.address import Address
from tradingbot_engine.redis_client.failure import BrokenError, LateError, NoFreeConnectionError, RefusedError, StaleError
from tradingbot_engine.telemetry.record import Record

POOL_NAME: Final = "redis"
Argument = bytes | str | int
Answer = object
"""bytes, int, None or a list of them, as the command has it."""

_logger = logging.getLogger(__name__)
_ATTRIBUTES: Final = {"db.client.connection.pool.name": POOL_NAME}
_PROTOCOL: Final = 2
"""The third version of the protocol brings nothing to commands with one answer, and some proxies don't speak it."""

# What a server can do to us: errors of the library and of the socket, and of numbers in an answer that are none.
_FAILURES: Final = (RedisError, OSError, ValueError)


class PoolCounts:
    """Sums that go on when a pool is replaced by another."""

    __slots__ = ("created", "errors", "peak_used", "timeouts")

    def __init__(self) -> None:
        self.created = 0
        self.errors = 0
        self.peak_used = 0
        self.timeouts = 0


class MeasuredPool(BlockingConnectionPool):
    """The connections of one set of settings."""

    def __init__(self, address: Address, settings: RedisPool, counts: PoolCounts, record: Record) -> None:
        """Make an empty pool.

        Raises:
            SpecError: the address has an option that redis-py doesn't know.
        """
        ours: dict[str, Any] = {
            "max_connections": settings.max_connections,
            "timeout": None,  # the wait for a place is bounded in `_take`
            "socket_connect_timeout": settings.connect_timeout_seconds,
            # Bounded in `execute`: the library's own bound swallows a cancellation now and then (asyncio.wait_for before Python 3.12).
            "socket_timeout": None,
            "health_check_interval": settings.health_check_interval_seconds,
            "retry": Retry(NoBackoff(), 0),
            "retry_on_timeout": False,  # the client does it, once, and only where an answer is late
            "retry_on_error": [],
            "protocol": _PROTOCOL,
            "driver_info": None,  # two more commands for each connection
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),  # one more, that only one vendor's servers know
            "decode_responses": False,
        }
        super().__init__(**(address.options | ours))
        try:
            self.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves some of its methods without types
        except TypeError:
            raise SpecError(f"the address in {ENV_REDIS_URL} has an option after the question mark that is none of redis-py's") from None
        self.settings = settings
        self.pending = 0
        """Commands that wait for a connection."""
        self.is_retired = False
        self._counts = counts
        self._record = record

    @property
    def used(self) -> int:
        return len(self._in_use_connections)

    @property
    def idle(self) -> int:
        return sum(connection.is_connected for connection in self._available_connections)

    async def execute(self, command: tuple[Argument, ...], deadline: float) -> Answer:
        """Send a command once and return its answer. `deadline` is a time of the event loop.

        Raises:
            NoFreeConnectionError: none got free until then.
            RefusedError: Redis answered with an error.
            BrokenError: no answer, or none of Redis'. The connection is closed.
        """
        async with self._borrowed(deadline) as (connection, is_fresh):
            longest = asyncio.get_running_loop().time() + self.settings.socket_timeout_seconds
            try:
                async with asyncio.timeout_at(min(deadline, longest)):
                    await connection.send_command(*command)
                    return await connection.read_response()
            except ResponseError as error:
                raise RefusedError(str(error)) from error
            except _FAILURES as error:
                self._counts.errors += 1
                await connection.disconnect(nowait=True)
                if isinstance(error, TimeoutError):
                    # When it is the caller's time that is over there is none to try again.
                    raise (BrokenError if deadline <= longest else LateError)("no answer in time") from error
                raise (BrokenError if is_fresh else StaleError)(_text(error)) from error

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Do nothing: the library's part is to hand out a place, what is in it is opened by `_open`."""

    async def release(self, connection: AbstractConnection) -> None:
        """Take it back; in a pool that is being drained it is closed."""
        if self.is_retired:
            connection.mark_for_reconnect()  # type: ignore[no-untyped-call]  # as above
        await super().release(connection)

    async def retire(self) -> None:
        """Close what nobody uses, now and whenever something is given back. Commands go on, and who waits still gets a connection."""
        self.is_retired = True
        for connection in tuple(self._available_connections):
            await connection.disconnect(nowait=True)

    async def end(self) -> None:
        """Close all connections, used ones too."""
        self.is_retired = True
        try:
            await self.aclose()
        except _FAILURES as error:  # of a server that doesn't let go in time; the connections are gone from here all the same
            _logger.debug("redis connection did not close in order", extra={"fields": {"reason": _text(error)}})

    @contextlib.asynccontextmanager
    async def _borrowed(self, deadline: float) -> AsyncIterator[tuple[AbstractConnection, bool]]:
        """Lend an open connection; the flag says whether it was opened for this loan."""
        asked_at = time.perf_counter()
        self.pending += 1
        try:
            connection = await self._take(deadline)
            try:
                is_fresh = await self._open(connection, deadline)
            except BaseException:
                await self._give_back(connection)
                raise
        finally:
            self.pending -= 1
        borrowed_at = time.perf_counter()
        self._record(POOL_WAIT_TIME, borrowed_at - asked_at, _ATTRIBUTES)
        try:
            yield connection, is_fresh
        finally:
            await self._give_back(connection)
            self._record(POOL_USE_TIME, time.perf_counter() - borrowed_at, _ATTRIBUTES)

    async def _take(self, deadline: float) -> AbstractConnection:
        longest = asyncio.get_running_loop().time() + self.settings.socket_timeout_seconds
        try:
            async with asyncio.timeout_at(min(deadline, longest)):
                connection: AbstractConnection = await self.get_connection()  # type: ignore[no-untyped-call]  # as above
        except BaseException as error:
            # Before Python 3.13 a notice that reaches a waiter in the moment in which he gives up is lost: pass it on.
            await asyncio.shield(asyncio.ensure_future(self._wake_next()))
            if isinstance(error, TimeoutError):
                self._counts.timeouts += 1
                raise NoFreeConnectionError from None
            raise
        self._counts.peak_used = max(self._counts.peak_used, self.used)
        return connection

    async def _open(self, connection: AbstractConnection, deadline: float) -> bool:
        """Return whether it had to be opened."""
        if connection.is_connected:
            if not await _is_stale(connection):
                return False
            await connection.disconnect(nowait=True)
        started_at = time.perf_counter()
        longest = asyncio.get_running_loop().time() + self.settings.connect_timeout_seconds
        try:
            # With the handshake: the library allows each of its answers the time of a command.
            async with asyncio.timeout_at(min(deadline, longest)):
                await connection.connect()  # type: ignore[no-untyped-call]  # as above
        except _FAILURES as error:
            self._counts.errors += 1
            await connection.disconnect(nowait=True)
            raise BrokenError("no connection in time" if isinstance(error, TimeoutError) else _text(error)) from error
        self._counts.created += 1
        self._record(POOL_CREATE_TIME, time.perf_counter() - started_at, _ATTRIBUTES)
        return True

    async def _wake_next(self) -> None:
        async with self._condition:
            self._condition.notify()

    async def _give_back(self, connection: AbstractConnection) -> None:
        # A second cancellation on the way would cost the pool this place for ever.
        await asyncio.shield(asyncio.ensure_future(self.release(connection)))


async def _is_stale(connection: AbstractConnection) -> bool:
    """Whether the other side has closed it, or it holds the rest of an answer that nobody waited for."""
    try:
        return bool(await connection.can_read())
    except _FAILURES:
        return True


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
