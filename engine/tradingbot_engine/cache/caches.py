"""The engine's caches under one roof: one memory limit for all of them, one scale for memory pressure, one clean-up.

New limits hold at once for what comes. What is already there and too much leaves in slices between which the event loop turns, so that
nobody waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from tradingbot_contract.resources import Cache as Settings
from tradingbot_contract.resources import PredictionsCache, ViewsCache
from tradingbot_engine.cache.budget import split_memory
from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.stats import CacheStats
from tradingbot_engine.telemetry.record import Record, ignore_measurement


class CacheManager:
    """See the module. Used on the event loop only."""

    def __init__(self, settings: Settings, record: Record = ignore_measurement, timer: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._scale = 1.0
        self._caches: dict[CacheName, Cache[Any, Any]] = {
            name: Cache(
                name,
                max_entries=_max_entries(settings, name),
                max_bytes=0,
                ttl_seconds=_overrides(settings, name).ttl_seconds,
                record=record,
                timer=timer,
            )
            for name in CacheName
        }
        self._limit()

    def cache(self, name: CacheName) -> Cache[Any, Any]:
        """Return the cache of this name: the same one always."""
        return self._caches[name]

    def reconfigure(self, settings: Settings) -> None:
        """Use these settings from now on, at the scale of the moment. What the limits don't allow any more leaves with `settle`."""
        self._settings = settings
        for name, cache in self._caches.items():
            cache.ttl_seconds = _overrides(settings, name).ttl_seconds
        self._limit()

    async def scale(self, factor: float) -> None:
        """Take this share, more than 0 and at most 1, of the size that the spec says; what is too much is gone on return."""
        pressed = factor < self._scale
        self._scale = factor
        self._limit(pressed=pressed)
        await self.settle()

    async def settle(self) -> None:
        """Let what is above the limits leave."""
        await _in_slices(chain.from_iterable(cache.trim() for cache in self._caches.values()))

    async def clean(self) -> None:
        """Let what is too old leave, and divide the memory anew by what the caches hold. For a background job."""
        await _in_slices(chain.from_iterable(cache.sweep() for cache in self._caches.values()))
        self._limit()
        await self.settle()

    def stats(self) -> list[CacheStats]:
        return [cache.stats() for cache in self._caches.values()]

    def _limit(self, *, pressed: bool = False) -> None:
        caches = self._caches.values()
        limit_bytes = int(self._settings.memory_limit_bytes * self._scale)
        for cache, max_bytes in zip(caches, split_memory(limit_bytes, [cache.size_bytes for cache in caches]), strict=True):
            cache.limit(max(1, int(_max_entries(self._settings, cache.name) * self._scale)), max_bytes, pressed=pressed)


def _overrides(settings: Settings, name: CacheName) -> ViewsCache | PredictionsCache:
    match name:
        case CacheName.VIEWS:
            return settings.views
        case CacheName.PREDICTIONS:
            return settings.predictions


def _max_entries(settings: Settings, name: CacheName) -> int:
    own = _overrides(settings, name).max_entries
    return settings.max_entries if own is None else own


async def _in_slices(work: Iterator[None]) -> None:
    for _ in work:
        await asyncio.sleep(0)
