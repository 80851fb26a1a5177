"""Work that several ask for at the same time and that is done once.

It runs as a task of its own: whoever is cancelled leaves alone, and the last one to leave ends the work. A failure reaches all who wait and
is forgotten then, so the next one who asks starts anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class _Flight(Generic[Value]):
    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[Value]) -> None:
        self.task = task
        self.waiting = 0


class Flights(Generic[Value]):
    """Work under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Value]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return what the work that is under way for this key returns, or raise what it raises; begin it if there is none."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.get_running_loop().create_task(self._fly(key, work)))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight.task)
                flight.task.cancel()

    async def _fly(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        try:
            return await work()
        finally:
            self._land(key, asyncio.current_task())

    def _land(self, key: Hashable, task: asyncio.Task[Any] | None) -> None:
        """Forget the work, unless another has begun for the key since."""
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
