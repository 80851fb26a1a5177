"""What one cache keeps in the second level: how its values become bytes, who may share them, and until when they count.

The end of a value's time is stored with it, so a value that is found is not kept for longer than one that was computed here. A look-up
that brings nothing, for whatever reason, is a miss; so is a value that can't be read (of an earlier release, say), counted as an error.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from tradingbot_engine.cache.name import CacheName
from tradingbot_engine.cache.second_level import Absence, SecondLevel, SharedKey
from tradingbot_engine.cache.store import Version

Key = TypeVar("Key")
Value = TypeVar("Value")

_MOST_PENDING: Final = 64
"""Values on their way to the level. What comes when there are so many is not stored: the level is slower than this bot."""
_END: Final = struct.Struct(">d")


class Found(NamedTuple, Generic[Value]):
    """A value from the second level."""

    value: Value
    seconds_left: float


class Sharing(Generic[Key, Value]):
    """See the module. All figures are since it was made."""

    def __init__(
        self,
        level: SecondLevel,
        value_type: Any,
        *,
        scope: str,
        write_key: Callable[[Key], str] = str,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Values are of `value_type`, which is anything that msgspec can encode. For `scope` see `SharedKey`.

        `wall_clock` gives seconds since 1970; the clocks of those who share should agree to a few seconds.
        """
        self.hits = 0
        self.misses = 0
        self.errors = 0
        self._level = level
        self._scope = scope
        self._write_key = write_key
        self._wall_clock = wall_clock
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(value_type)
        self._pending: set[asyncio.Task[None]] = set()

    async def find(self, cache: CacheName, key: Key, version: Version) -> Found[Value] | None:
        """Return what somebody has stored and still counts, None if there is nothing or the level is of no use now."""
        answer = await self._level.get(self._name(cache, key, version))
        if answer is Absence.MISSING:
            self.misses += 1
            return None
        if answer is Absence.UNREACHABLE:
            self.errors += 1
            return None
        try:
            (end,) = _END.unpack_from(answer)
            value: Value = self._decoder.decode(memoryview(answer)[_END.size :])
        except (struct.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.errors += 1
            return None
        seconds_left = end - self._wall_clock()
        if seconds_left <= 0:
            self.misses += 1
            return None
        self.hits += 1
        return Found(value, seconds_left)

    def offer(self, cache: CacheName, key: Key, version: Version, value: Value, ttl_seconds: float) -> None:
        """Begin to store a value. Nobody waits for it."""
        if len(self._pending) >= _MOST_PENDING:
            return
        content = _END.pack(self._wall_clock() + ttl_seconds) + self._encoder.encode(value)
        task = asyncio.get_running_loop().create_task(self._level.put(self._name(cache, key, version), content, ttl_seconds))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def drain(self) -> None:
        """Return when all that was offered so far is stored or given up."""
        if self._pending:
            await asyncio.wait(tuple(self._pending))

    def _name(self, cache: CacheName, key: Key, version: Version) -> SharedKey:
        return SharedKey(cache.value, self._scope, self._write_key(key), "" if version is None else str(version))
