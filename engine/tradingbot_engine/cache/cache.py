"""One named cache: what is in memory, what others have computed, and the computation, in this order.

Loads of one key and version that overlap are one load. A failed load is not kept.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Awaitable, Callable
from typing import Generic

from tradingbot_contract.metrics import CACHE_LOAD_DURATION
from tradingbot_engine.cache.flights import Flights
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.sharing import Found, Sharing
from tradingbot_engine.cache.stats import CacheStats, EvictionCause
from tradingbot_engine.cache.store import Key, Store, Value, Version
from tradingbot_engine.telemetry.record import Record, ignore_measurement


class _Nothing(enum.Enum):
    """Stands for a miss where None may be a value."""

    NOTHING = enum.auto()


class Cache(Store[Key, Value], Generic[Key, Value]):
    """See the module, and :class:`Store` for what it keeps."""

    def __init__(
        self,
        name: CacheName,
        *,
        max_entries: int,
        max_bytes: int,
        ttl_seconds: float,
        record: Record = ignore_measurement,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(max_entries=max_entries, max_bytes=max_bytes, ttl_seconds=ttl_seconds, timer=timer)
        self.name = name
        self.sharing: Sharing[Key, Value] | None = None
        """The second level; None: there is none. May be set at any time."""
        self._record = record
        self._attributes = {"cache": name.value}
        self._flights: Flights[Value] = Flights()
        self._loads = 0
        self._load_errors = 0
        self._load_seconds = 0.0

    async def get_or_load(
        self, key: Key, load: Callable[[], Awaitable[Value]], *, version: Version = None, ttl_seconds: float | None = None
    ) -> Value:
        """Return the key's value of this version; `load` computes it if nobody has.

        Raises whatever `load` raises. When all who wait for a load are cancelled, it is cancelled, too.
        """
        found = self.get(key, version, _Nothing.NOTHING)
        if found is not _Nothing.NOTHING:
            return found
        return await self._flights.join((key, version), lambda: self._load(key, load, version, ttl_seconds))

    async def fetch(self, key: Key, version: Version = None) -> Value | None:
        """Return the value from the second level, and put it here; None if it isn't there."""
        found = await self._fetch(key, version, None)
        return None if found is None else found.value

    def keep(self, key: Key, value: Value, version: Version = None, ttl_seconds: float | None = None) -> None:
        """Put the value here, and begin to store it in the second level."""
        self.put(key, value, version, ttl_seconds)
        if self.sharing is not None:
            self.sharing.offer(self.name, key, version, value, self.ttl_seconds if ttl_seconds is None else ttl_seconds)

    def stats(self) -> CacheStats:
        sharing = self.sharing
        return CacheStats(
            name=self.name,
            hits=self.hits,
            misses=self.misses,
            entries=len(self),
            max_entries=self.max_entries,
            size_bytes=self.size_bytes,
            max_bytes=self.max_bytes,
            evictions={cause: self._evictions[cause.value] for cause in EvictionCause},
            loads=self._loads,
            load_errors=self._load_errors,
            load_seconds=self._load_seconds,
            second_level_hits=sharing.hits if sharing else 0,
            second_level_misses=sharing.misses if sharing else 0,
            second_level_errors=sharing.errors if sharing else 0,
        )

    async def _load(self, key: Key, load: Callable[[], Awaitable[Value]], version: Version, ttl_seconds: float | None) -> Value:
        found = await self._fetch(key, version, ttl_seconds)
        if found is not None:
            return found.value
        value = await self._compute(load)
        self.keep(key, value, version, ttl_seconds)
        return value

    async def _fetch(self, key: Key, version: Version, ttl_seconds: float | None) -> Found[Value] | None:
        if self.sharing is None:
            return None
        found = await self.sharing.find(self.name, key, version)
        if found is not None:
            self.put(key, found.value, version, min(self.ttl_seconds if ttl_seconds is None else ttl_seconds, found.seconds_left))
        return found

    async def _compute(self, load: Callable[[], Awaitable[Value]]) -> Value:
        began = self._timer()
        try:
            value = await load()
        except Exception:
            self._load_errors += 1
            raise
        else:
            self._loads += 1
            return value
        finally:
            seconds = self._timer() - began
            self._load_seconds += seconds
            self._record(CACHE_LOAD_DURATION, seconds, self._attributes)
