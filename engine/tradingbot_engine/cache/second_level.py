"""The second level of a cache: values that another process has computed, or this one before it was restarted.

It makes a bot faster and must never make it wrong or slow it down without bound. So an adapter never raises for a level that is broken,
gone or too slow: a look-up then ends with `Absence.UNREACHABLE` within a time of the adapter's own, and a value that can't be stored is
dropped. What is stored is bytes: the cache knows its values, the level doesn't.
"""

from __future__ import annotations

import enum
from typing import Protocol

from msgspec import Struct


class Absence(enum.Enum):
    """Why a look-up brought nothing. The values are those of `result` in `tradingbot.cache.second.level.lookups`."""

    MISSING = "miss"
    """The level answered and has no such value, or has it no more."""
    UNREACHABLE = "error"
    """The level did not answer in time, or with an error. The adapter says so in its own log and figures."""


class SharedKey(Struct, frozen=True):
    """Under what a value is stored. The adapter makes the level's own key of it, and only there are the parts glued together.

    Entries that differ in any part have nothing to do with each other, so a value of other data or of another bot is never found.
    """

    cache: str
    """Name of the cache."""
    scope: str
    """Who may share it: empty for all bots, else the bot's own uid."""
    key: str
    """The key within the cache. Any text, of any length: an adapter with limits hashes it."""
    version: str
    """Of the data that the value was computed from; empty for what doesn't depend on data."""


class SecondLevel(Protocol):
    """Where the bytes are. Neither method raises anything but `asyncio.CancelledError`, and both end in bounded time."""

    async def get(self, key: SharedKey) -> bytes | Absence:
        """Return what was last stored for the key and isn't older than its time to live."""
        ...

    async def put(self, key: SharedKey, value: bytes, ttl_seconds: float) -> None:
        """Store the value for this time (more than 0); an older one of the same key is replaced."""
        ...
