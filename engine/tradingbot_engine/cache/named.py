"""A cache as its first users know it, who say the version before the value."""

from __future__ import annotations

from typing import Generic, TypeVar

from tradingbot_contract.resources import Cache as Settings
from tradingbot_engine.cache.manager import CacheManager
from tradingbot_engine.cache.name import CacheName

Value = TypeVar("Value")


class NamedCache(Generic[Value]):
    """The cache of views."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._cache = CacheManager(settings).cache(CacheName(name))

    def __len__(self) -> int:
        return len(self._cache)

    @property
    def hits(self) -> int:
        return self._cache.hits

    @property
    def misses(self) -> int:
        return self._cache.misses

    def get(self, key: str, version: int) -> Value | None:
        """Return what was computed for `key` from this version of the data, None if nothing."""
        found: Value | None = self._cache.get(key, version)
        return found

    def put(self, key: str, version: int, value: Value) -> None:
        self._cache.put(key, value, version)
