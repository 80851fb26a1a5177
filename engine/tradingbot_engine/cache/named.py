"""A cache with a name, bounded in entries and age, whose entries belong to a version of the data they were computed from.

An entry of an older version is a miss, however young it is. Used on the event loop only, so there is no lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import TTLCache

from tradingbot_contract.resources import Cache

Value = TypeVar("Value")


class NamedCache(Generic[Value]):
    """See the module. `hits` and `misses` are since the start."""

    def __init__(self, name: str, settings: Cache, timer: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.hits = 0
        self.misses = 0
        self._entries: TTLCache[str, tuple[object, Value]] = TTLCache(settings.max_entries, settings.ttl_seconds, timer)

    def __len__(self) -> int:
        self._entries.expire()
        return len(self._entries)

    def get(self, key: str, version: object) -> Value | None:
        """Return what was computed for `key` from this version of the data, None if nothing."""
        entry = self._entries.get(key)
        if entry is None or entry[0] != version:
            self.misses += 1
            return None
        self.hits += 1
        return entry[1]

    def put(self, key: str, version: object, value: Value) -> None:
        """Keep `value`; the least recently used entry goes when there are too many."""
        self._entries[key] = (version, value)
