"""Entries in the order in which they came, any of which can leave in constant time: a list that is linked through the entries.

A deque can't give up an entry from its middle, and a dict that loses its first key again and again has to look for the next one.
"""

from __future__ import annotations

from typing import Any


class Entry:
    """One key with its value, and its place in a queue."""

    __slots__ = ("after", "before", "key", "put_at", "queue", "ttl_seconds", "uses", "value", "version", "weight_bytes")

    before: Entry
    after: Entry
    queue: Queue
    key: Any
    value: Any
    version: int | str | None
    put_at: float
    ttl_seconds: float | None
    """None: the cache's own."""
    weight_bytes: int
    uses: int
    """Since it came or was last spared, counted up to a limit."""


class Queue:
    """Entries from the oldest to the newest."""

    __slots__ = ("_end", "count")

    def __init__(self) -> None:
        end = Entry()
        end.before = end.after = end
        self._end = end
        """Stands between the newest and the oldest."""
        self.count = 0

    @property
    def oldest(self) -> Entry:
        """Only for a queue that isn't empty."""
        return self._end.after

    def append(self, entry: Entry) -> None:
        """Put an entry that is in no queue behind all others."""
        end = self._end
        last = end.before
        entry.before = last
        entry.after = end
        last.after = entry
        end.before = entry
        entry.queue = self
        self.count += 1

    def remove(self, entry: Entry) -> None:
        """Take an entry of this queue out."""
        before, after = entry.before, entry.after
        before.after = after
        after.before = before
        self.count -= 1
