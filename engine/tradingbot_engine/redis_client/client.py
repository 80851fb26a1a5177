"""The engine's one way to Redis: commands with a bound on their time, a breaker, and facts about how Redis is.

Only commands that may arrive twice belong here: one whose answer is late is sent again, once, if the spec says so, and so is one that
met a connection which had broken while it was idle. Nothing else is tried again.

Invariant: a caller gets an answer or an `UnavailableError`, and nobody waits while Redis is known to be down. Used on the event loop only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from tradingbot_contract.metrics import OPERATION_DURATION
from tradingbot_contract.report import Dependency
from tradingbot_contract.resources import RedisPool
from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.redis_client.breaker import Breaker
from tradingbot_engine.redis_client.failure import BrokenError, LateError, NoFreeConnectionError, RefusedError, StaleError
from tradingbot_engine.telemetry.record import Record, ignore_measurement
from tradingbot_engine.unavailable import UnavailableError

if TYPE_CHECKING:
    from tradingbot_engine.redis_client.pool import Answer, Argument, MeasuredPool

DEPENDENCY_NAME: Final = "redis"
_CHECK_PATIENCE_SECONDS: Final = 5.0
_logger = logging.getLogger(__name__)


class RedisClient:
    """One Redis, however often the settings of its pool change."""

    def __init__(self, url: str, settings: RedisPool, record: Record = ignore_measurement) -> None:
        """Take the address; nothing is connected yet.

        Raises:
            SpecError: `url` is no address of a Redis.
        """
        # The library takes 23 MiB: only a bot with a Redis loads it.
        from tradingbot_engine.redis_client.address import Address  # noqa: PLC0415
        from tradingbot_engine.redis_client.pool import POOL_NAME, MeasuredPool, PoolCounts  # noqa: PLC0415

        address = Address(url)
        self.address = str(address)
        """For people: without the password."""
        self._pool_name = POOL_NAME
        self._counts = counts = PoolCounts()

        def build(wanted: RedisPool) -> MeasuredPool:
            return MeasuredPool(address, wanted, counts, record)

        self._build = build
        self._pool = build(settings)
        self._draining: list[MeasuredPool] = []
        self._record = record
        self._breaker = Breaker()
        self._up: bool | None = None
        self._since = time.time()
        self._reason = ""
        self._latency_seconds: float | None = None
        self._last_refusal = ""

    async def get(self, key: str, patience_seconds: float) -> bytes | None:
        """Return the value of a key, None if there is none.

        Raises:
            UnavailableError: no answer within that time, or Redis is known to be down or refuses.
        """
        answer = await self.run("GET", key, patience_seconds=patience_seconds)
        if answer is None or isinstance(answer, bytes):
            return answer
        raise UnavailableError(f"redis at {self.address} answered GET with {type(answer).__name__}, not with bytes")

    async def put(self, key: str, value: bytes, ttl_seconds: float, patience_seconds: float) -> None:
        """Store a value for so long.

        Raises:
            UnavailableError: no answer within that time, or Redis is known to be down or refuses.
        """
        await self.run("SET", key, value, "PX", max(1, round(ttl_seconds * 1000)), patience_seconds=patience_seconds)

    async def run(self, *command: Argument, patience_seconds: float) -> Answer:
        """Return the answer to a command that may arrive twice.

        Raises:
            UnavailableError: no answer within that time, or Redis is known to be down or refuses.
        """
        now = time.monotonic()
        if not self._breaker.allows(now):
            wait = self._breaker.remaining_seconds(now)
            raise UnavailableError(f"redis at {self.address} is down and asked again in {wait:.1f} s: {self._reason}")
        return await self._ask(command, patience_seconds)

    async def check(self) -> None:
        """Find out how Redis is, also while it is known to be down; the result is in `dependency`."""
        try:
            await self._ask(("PING",), _CHECK_PATIENCE_SECONDS)
        except UnavailableError as error:
            _logger.debug("redis check failed", extra={"fields": {"reason": str(error)}})

    async def reconfigure(self, settings: RedisPool) -> None:
        """Use a pool of these settings from now on; what is under way ends on the old one, which is then closed."""
        if settings == self._pool.settings:
            return
        old, self._pool = self._pool, self._build(settings)
        self._draining = [pool for pool in (*self._draining, old) if pool.used or pool.pending]
        await old.retire()

    async def close(self) -> None:
        """Close all connections, used ones too."""
        for pool in (*self._draining, self._pool):
            await pool.end()

    def stats(self) -> PoolStats:
        pools = (self._pool, *self._draining)
        return PoolStats(
            name=self._pool_name,
            used=sum(pool.used for pool in pools),
            idle=sum(pool.idle for pool in pools),
            max_connections=self._pool.max_connections,
            peak_used=self._counts.peak_used,
            pending=sum(pool.pending for pool in pools),
            timeouts=self._counts.timeouts,
            errors=self._counts.errors,
            created=self._counts.created,
        )

    def dependency(self) -> Dependency:
        """How Redis was when it was last tried."""
        return Dependency(name=DEPENDENCY_NAME, up=self._up, since=self._since, message=self._reason, latency_seconds=self._latency_seconds)

    async def _ask(self, command: tuple[Argument, ...], patience_seconds: float) -> Answer:
        name = str(command[0])
        began_at = time.monotonic()
        deadline = asyncio.get_running_loop().time() + patience_seconds
        try:
            answer = await self._try_twice(command, deadline)
        except NoFreeConnectionError:
            raise UnavailableError(f"all {self._pool.max_connections} connections to redis were in use for too long") from None
        except RefusedError as error:
            self._answered(time.monotonic() - began_at)
            self._refused(name, str(error))
            raise UnavailableError(f"redis at {self.address} refused {name}: {error}") from error
        except BrokenError as error:
            self._failed(began_at, str(error))
            raise UnavailableError(f"redis at {self.address}: {error}") from error
        seconds = time.monotonic() - began_at
        self._answered(seconds)
        self._record(OPERATION_DURATION, seconds, {"db.system.name": "redis", "db.operation.name": name})
        return answer

    async def _try_twice(self, command: tuple[Argument, ...], deadline: float) -> Answer:
        pool = self._pool
        try:
            return await pool.execute(command, deadline)
        except LateError:
            if not pool.settings.retry_on_timeout:
                raise
        except StaleError as error:
            _logger.debug("redis connection had broken", extra={"fields": {"address": self.address, "reason": str(error)}})
        return await self._pool.execute(command, deadline)

    def _answered(self, seconds: float) -> None:
        self._breaker.succeeded()
        self._latency_seconds = seconds
        if self._up is not True:
            if self._up is False:
                _logger.info("redis is back", extra={"fields": {"address": self.address, "after_seconds": time.time() - self._since}})
            self._up, self._since, self._reason = True, time.time(), ""

    def _failed(self, began_at: float, reason: str) -> None:
        self._breaker.failed(began_at, time.monotonic())
        self._reason = reason
        if self._up is not False:
            _logger.warning("redis is down, the bot does without", extra={"fields": {"address": self.address, "reason": reason}})
            self._up, self._since = False, time.time()

    def _refused(self, command: str, reason: str) -> None:
        """Say it once, not with each command."""
        if reason != self._last_refusal:
            self._last_refusal = reason
            _logger.warning("redis refuses a command", extra={"fields": {"address": self.address, "command": command, "reason": reason}})
