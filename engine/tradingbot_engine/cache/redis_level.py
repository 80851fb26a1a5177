"""The second level of the caches in Redis: what one process has computed, another one, or this one after a restart, finds there.

Names are made so that people and other tools can read them: ``tradingbot:1:views:bot:<uid>:0:performance`` is the last such view of
shard 0. A value is a MessagePack list of two, the version of the data and the bytes. Within one shard of one bot data only goes forward, so
a value of newer data takes the place of an older one. Bots that share a cache may stand at different versions for ever, so there the
version is part of the name.

Invariant: a value of another version, of another shard, or that isn't ours is a miss; a Redis that is gone, slow or full costs at most the
patience below, and never more than one request's while it is known to be down.
"""

from __future__ import annotations

import hashlib
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tradingbot_engine.cache.second_level import Absence, SharedKey
from tradingbot_engine.redis_client.client import RedisClient
from tradingbot_engine.unavailable import UnavailableError

LOOKUP_PATIENCE_SECONDS: Final = 1.0
"""Whatever is looked up can be computed; waiting longer than that takes would be the slower way."""
STORE_PATIENCE_SECONDS: Final = 5.0
LARGEST_VALUE_BYTES: Final = 8 * 2**20
"""Redis serves nobody else while it takes in a value."""
_PREFIX: Final = "tradingbot:1"
"""With the version of this layout: an engine of another one finds nothing instead of nonsense."""
_LONGEST_KEY: Final = 200


class _Stored(Struct, frozen=True, array_like=True):
    version: str
    value: bytes


class RedisLevel:
    """A :class:`~tradingbot_engine.cache.second_level.SecondLevel` over the engine's Redis, for one shard of a bot."""

    def __init__(self, client: RedisClient, shard: int) -> None:
        self._client = client
        self._shard = shard
        self._decoder = msgspec.msgpack.Decoder(_Stored)
        self._encoder = msgspec.msgpack.Encoder()

    async def get(self, key: SharedKey) -> bytes | Absence:
        """Return what was last stored for the key and isn't older than its time to live."""
        try:
            found = await self._client.get(build_name(key, self._shard), LOOKUP_PATIENCE_SECONDS)
        except UnavailableError:  # the client has logged and counted it
            return Absence.UNREACHABLE
        if found is None:
            return Absence.MISSING
        try:
            stored = self._decoder.decode(found)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # of something else that writes there
            return Absence.MISSING
        return stored.value if stored.version == key.version else Absence.MISSING

    async def put(self, key: SharedKey, value: bytes, ttl_seconds: float) -> None:
        """Store the value for this time; an older one of the same key is replaced."""
        if len(value) > LARGEST_VALUE_BYTES:
            return
        stored = self._encoder.encode(_Stored(key.version, value))
        try:
            await self._client.put(build_name(key, self._shard), stored, ttl_seconds, STORE_PATIENCE_SECONDS)
        except UnavailableError:  # the client has logged and counted it
            return


def build_name(key: SharedKey, shard: int) -> str:
    """Return the name of a value in Redis; keys that may not be mixed up have different ones."""
    name = _quote(key.key)
    if len(name) > _LONGEST_KEY:
        name = f"sha256={hashlib.sha256(name.encode()).hexdigest()}"  # no quoted text has an equals sign
    owner = f"bot:{_quote(key.scope)}:{shard}" if key.scope else f"all:{_quote(key.version)}"
    return f"{_PREFIX}:{_quote(key.cache)}:{owner}:{name}"


def _quote(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
