"""Both levels of a cache for somebody who computes many values at once, and so has to look up and to keep them by himself."""

from __future__ import annotations

from typing import Generic

from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.store import Key, Value


class Results(Generic[Key, Value]):
    """Values that depend on their key alone, as judgements of texts do."""

    def __init__(self, cache: Cache[Key, Value]) -> None:
        self._cache = cache

    async def get(self, key: Key) -> Value | None:
        """Return what was kept for the key, here or in the second level."""
        found = self._cache.get(key)
        return await self._cache.fetch(key) if found is None else found

    async def put(self, key: Key, value: Value) -> None:
        """Keep the value in both levels; nobody waits for the second one."""
        self._cache.keep(key, value)
