"""What can be known of a cache at one moment, and why an entry may leave it."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from msgspec import Struct

from tradingbot_engine.cache.name import CacheName


class EvictionCause(enum.Enum):
    """Why an entry left: the values of `cause` in `tradingbot.cache.evictions`. An entry that gets a new value hasn't left."""

    SIZE = "size"
    """There were too many."""
    BYTES = "bytes"
    """Together they were too large, or this one was larger than the whole cache may be."""
    EXPIRED = "expired"
    """It was too old."""
    VERSION = "version"
    """It was computed from other data than the one who asked for it has."""
    PRESSURE = "pressure"
    """The container's memory was short."""


class CacheStats(Struct, frozen=True, kw_only=True):
    """One cache. Sums count from the start of the process."""

    name: CacheName
    hits: int
    misses: int
    entries: int
    """With those that are too old and have not been noticed yet."""
    max_entries: int
    """Most that it may have now. It may have more for a moment after its limits were lowered, and then only ever fewer."""
    size_bytes: int
    max_bytes: int
    """As `max_entries`."""
    evictions: Mapping[EvictionCause, int]
    """With a figure for each cause."""
    loads: int
    """Values that were computed, without those whose computation failed or was given up."""
    load_errors: int
    load_seconds: float
    """What all of them took together, failed ones included."""
    second_level_hits: int
    second_level_misses: int
    second_level_errors: int
    """The level did not answer, or what it had can't be read."""
