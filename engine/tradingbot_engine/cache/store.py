"""A bounded set of entries that keeps what is asked for again: entries, bytes and age are limited, and each entry is of a version of data.

The policy is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023). A new entry comes into a small queue; at
its end it goes on to the main queue if somebody used it meanwhile, and leaves otherwise. An entry of the main queue is spared at the end
as often as it was used. A key that left the small queue and comes back soon goes to the main queue at once; its hash is remembered for
that in a table of fixed size, where a later one overwrites it. A hit therefore only counts, and a scan passes through the small queue.

Every operation takes constant time, but for the weigher's, and for a large entry that comes in the place of many small ones. Lowered limits
take effect step by step (`trim`). Used on the event loop only, so there is no lock.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar, overload

from tradingbot_engine.cache.queue import Entry, Queue
from tradingbot_engine.cache.stats import EvictionCause
from tradingbot_engine.cache.weight import ENTRY_BYTES, Weigher, weigh

Key = TypeVar("Key")
Value = TypeVar("Value")
Default = TypeVar("Default")
Version = int | str | None
"""Of the data that a value was computed from; None for what doesn't depend on data."""

_SIZE: Final = EvictionCause.SIZE.value
_BYTES: Final = EvictionCause.BYTES.value
_EXPIRED: Final = EvictionCause.EXPIRED.value
_VERSION: Final = EvictionCause.VERSION.value
_PRESSURE: Final = EvictionCause.PRESSURE.value
_SMALL_PART: Final = 14
"""The small queue has one entry in so many. The paper has 10; docs/design/0004-caches.md shows what each finds."""
_MOST_USES: Final = 7
"""The paper has 3."""
_MOST_SPARED: Final = 32
"""So many entries at most are spared before one leaves; without it the one that leaves could take as long to find as the queue is."""
_MOST_TRIMMED_BY_PUT: Final = 8
_SLICE_ENTRIES: Final = 100
"""Of a sweep or a trim: a slice takes about a tenth of a millisecond."""


class Store(Generic[Key, Value]):
    """See the module. All figures are since the start."""

    def __init__(
        self, *, max_entries: int, max_bytes: int, ttl_seconds: float, timer: Callable[[], float], weigher: Weigher = weigh
    ) -> None:
        self.ttl_seconds = ttl_seconds
        """For entries without one of their own. A change is for those that are there already, too."""
        self.size_bytes = 0
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.hits = 0
        self.misses = 0
        self._evictions = dict.fromkeys((cause.value for cause in EvictionCause), 0)
        """By the value of the cause: the hash of an enum's member takes longer than all the rest."""
        self._pressed = False
        self._timer = timer
        self._weigh = weigher
        self._entries: dict[Key, Entry] = {}
        self._small = Queue()
        self._main = Queue()
        self._departed = _build_table(max_entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def get(self, key: Key, version: Version = ...) -> Value | None: ...
    @overload
    def get(self, key: Key, version: Version, default: Default) -> Value | Default: ...
    def get(self, key: Key, version: Version = None, default: Default | None = None) -> Value | Default | None:
        """Return what was last put for the key, if that was with this version and isn't too old.

        What is of another version or too old leaves.
        """
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return default
        if entry.version != version:
            self._leave(entry, _VERSION)
            self.misses += 1
            return default
        ttl = entry.ttl_seconds
        if self._timer() - entry.put_at >= (self.ttl_seconds if ttl is None else ttl):
            self._leave(entry, _EXPIRED)
            self.misses += 1
            return default
        if entry.uses < _MOST_USES:
            entry.uses += 1
        self.hits += 1
        value: Value = entry.value
        return value

    def put(self, key: Key, value: Value, version: Version = None, ttl_seconds: float | None = None) -> None:
        """Keep the value in the place of the key's older one. A value that is larger than the whole cache may be isn't kept."""
        weight = ENTRY_BYTES + self._weigh(key, value)
        entry = self._entries.get(key)
        if entry is not None:
            size = self.size_bytes + weight - entry.weight_bytes
            if size <= self.max_bytes:
                self.size_bytes = size
                entry.value = value
                entry.version = version
                entry.put_at = self._timer()
                entry.ttl_seconds = ttl_seconds
                entry.weight_bytes = weight
                return
            self._forget(entry)
        if weight > self.max_bytes:
            self._evictions[_BYTES] += 1
            return
        trace = hash(key)
        departed = self._departed
        slot = trace % len(departed)
        queue = self._small
        if departed[slot] == trace:
            departed[slot] = 0
            queue = self._main
        if len(self._entries) >= self.max_entries or self.size_bytes + weight > self.max_bytes:
            self._make_room(weight)
        entry = Entry()
        entry.key = key
        entry.value = value
        entry.version = version
        entry.put_at = self._timer()
        entry.ttl_seconds = ttl_seconds
        entry.weight_bytes = weight
        entry.uses = 0
        self.size_bytes += weight
        self._entries[key] = entry
        queue.append(entry)

    def limit(self, max_entries: int, max_bytes: int, *, pressed: bool) -> None:
        """Set new limits. What is too much now leaves with the next `put` and `trim`, because memory is short if `pressed`."""
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self._pressed = (pressed or self._pressed) and self._is_over()
        if not max_entries <= len(self._departed) <= 16 * max_entries:
            self._departed = _build_table(max_entries)

    def trim(self) -> Iterator[None]:
        """Let entries leave until the limits hold, a slice with each step."""
        while self._is_over():
            for _ in range(_SLICE_ENTRIES):
                if not self._is_over():
                    break
                self._evict(_PRESSURE if self._pressed else _SIZE if len(self._entries) > self.max_entries else _BYTES)
            yield
        self._pressed = False

    def sweep(self) -> Iterator[None]:
        """Let what is too old leave, a slice with each step."""
        keys = list(self._entries)
        for start in range(0, len(keys), _SLICE_ENTRIES):
            now = self._timer()
            for key in keys[start : start + _SLICE_ENTRIES]:
                entry = self._entries.get(key)
                if entry is None:
                    continue
                ttl = self.ttl_seconds if entry.ttl_seconds is None else entry.ttl_seconds
                if now - entry.put_at >= ttl:
                    self._leave(entry, _EXPIRED)
            yield

    def _is_over(self) -> bool:
        return len(self._entries) > self.max_entries or self.size_bytes > self.max_bytes

    def _make_room(self, size_bytes: int) -> None:
        """Let entries leave for a new one. Where limits were lowered that is some more than the new one needs, but not all at once."""
        most_entries, most_bytes = self.max_entries - 1, self.max_bytes - size_bytes
        left = freed = 0
        while (entries := len(self._entries)) > most_entries or self.size_bytes > most_bytes:
            if left >= _MOST_TRIMMED_BY_PUT and freed >= size_bytes:
                return
            freed += self._evict(_PRESSURE if self._pressed else _SIZE if entries > most_entries else _BYTES)
            left += 1
        self._pressed = False

    def _evict(self, cause: str) -> int:
        """Let the entry leave that the policy says, or one in its way that is too old; return its bytes."""
        small, main, now = self._small, self._main, self._timer()
        queue = small if small.count * _SMALL_PART > len(self._entries) or not main.count else main
        entry = queue.oldest
        ttl = self.ttl_seconds if entry.ttl_seconds is None else entry.ttl_seconds
        spared = 0
        while entry.uses and now - entry.put_at < ttl and spared < _MOST_SPARED:
            spared += 1
            entry.uses = 0 if queue is small else entry.uses - 1
            queue.remove(entry)
            main.append(entry)
            if not queue.count:
                queue = main
            entry = queue.oldest
            ttl = self.ttl_seconds if entry.ttl_seconds is None else entry.ttl_seconds
        if now - entry.put_at >= ttl:
            cause = _EXPIRED
        elif queue is small:
            trace = hash(entry.key)
            self._departed[trace % len(self._departed)] = trace
        self._evictions[cause] += 1
        self._forget(entry)
        return entry.weight_bytes

    def _leave(self, entry: Entry, cause: str) -> None:
        self._evictions[cause] += 1
        self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.key]
        entry.queue.remove(entry)
        self.size_bytes -= entry.weight_bytes


def _build_table(max_entries: int) -> array[int]:
    """Return an empty table with an odd number of slots, so that keys whose hashes are multiples of a power of two spread over it."""
    return array("q", bytes(8 * (max_entries | 1)))
