"""A queue of keys that need a pass: each at most once, never two passes over one key at a time, the sick ones ever more slowly.

A key that is added while its pass runs gets another one after it, because that pass may have missed what woke it. A key may be due at
a time; the earliest counts. One that fails waits twice as long each time, with chance in it, so that many that fail together do not
come back together.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_RETRY_SECONDS: Final = 60.0

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys to work on."""

    def __init__(self, *, on_take: Callable[[float], None] | None = None, on_retry: Callable[[], None] | None = None) -> None:
        """Make an empty queue.

        Args:
            on_take: told the seconds that a key has waited, when its pass begins.
            on_retry: called when a pass has failed.
        """
        self._on_take = on_take
        self._on_retry = on_retry
        self._waiting: deque[K] = deque()
        self._queued: set[K] = set()
        """In `_waiting`, or to be put there when the pass that runs is over."""
        self._running: dict[K, float] = {}
        """Since when, by the loop's clock."""
        self._added: dict[K, float] = {}
        """Since when a key waits, by the loop's clock."""
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._news = asyncio.Event()
        self._begun: float | None = None
        """When somebody first came to work; nobody is late before."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, key: K) -> None:
        """Let a key have a pass as soon as possible."""
        if key in self._queued:
            return
        self._queued.add(key)
        self._added[key] = asyncio.get_running_loop().time()
        if key not in self._running:
            self._waiting.append(key)
            self._news.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Let a key have a pass after some time, unless it has one before."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._timers.get(key)
        if timer is not None and timer.when() <= due:
            return
        self._cancel(key)
        self._timers[key] = loop.call_at(due, self._fire, key)

    def add_failed(self, key: K) -> float:
        """Let a key whose pass failed have another one; return the seconds until then."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures, 16))
        seconds = random.uniform(longest / 2, longest)  # noqa: S311 - it spreads load, it hides nothing
        if self._on_retry is not None:
            self._on_retry()
        self.add_after(key, seconds)
        return seconds

    def forget_failures(self, key: K) -> None:
        """Let the next failure of a key be its first."""
        self._failures.pop(key, None)

    def drop(self, key: K) -> None:
        """Forget what is known of a key that is gone."""
        self.forget_failures(key)
        self._cancel(key)

    async def take(self) -> K:
        """Return the next key; :meth:`done` must follow."""
        clock = asyncio.get_running_loop().time
        if self._begun is None:
            self._begun = clock()
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        key = self._waiting.popleft()
        self._queued.discard(key)
        now = self._running[key] = clock()
        waited = now - max(self._added.pop(key), self._begun)
        if self._on_take is not None:
            self._on_take(waited)
        self._cancel(key)
        return key

    def done(self, key: K) -> None:
        """Say that the pass over a key is over."""
        self._running.pop(key, None)
        if key in self._queued:
            self._waiting.append(key)
            self._news.set()

    def longest_pass(self) -> tuple[K, float] | None:
        """Return the key whose pass has been going on for longest, and for how many seconds; None while there is no pass."""
        if not self._running:
            return None
        key = min(self._running, key=self._running.__getitem__)
        return key, asyncio.get_running_loop().time() - self._running[key]

    def close(self) -> None:
        """Forget everything that is due later."""
        for key in tuple(self._timers):
            self._cancel(key)

    def _fire(self, key: K) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _cancel(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
