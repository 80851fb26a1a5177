"""Keeps the engine below its container's memory limit: reads usage and limit, lets :mod:`.pressure` decide, and acts on it.

It acts before the kernel does: a limit that is lowered while the engine runs counts from the next sample on, and near the limit the caches
are cut again and again without waiting for the next sample. What Python frees goes back to the kernel only when the C library is
told so, therefore each cut ends with that.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from tradingbot_contract.resources import Pressure
from tradingbot_engine.memory.heap import trim_heap
from tradingbot_engine.memory.limit import MemoryReading
from tradingbot_engine.memory.pressure import Decision, MemoryState, forget_shortage, judge

INTERVAL_SECONDS: Final = 0.5
"""Between two samples; one costs a quarter of a millisecond."""
_logger = logging.getLogger(__name__)


class Caches(Protocol):
    """What can give memory back, and take it again."""

    async def scale(self, factor: float) -> None:
        """Take this share, 0 to 1, of the size that the spec says; what is too much is gone on return."""
        ...

    async def clean(self) -> None:
        """Remove what is too old."""
        ...


class Modes(Protocol):
    """What can do its work with less memory."""

    async def lower_mode(self) -> object | None:
        """Go one step down and give its memory back; return the new mode, None if there is no lower one."""
        ...


class MemoryGuard:
    """See the module. `sheds` counts by step: caches, mode."""

    def __init__(
        self,
        read: Callable[[], MemoryReading],
        settings: Pressure,
        *,
        caches: Caches,
        modes: Modes | None = None,
        on_limit: Callable[[int | None], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_limit` is told of each limit that is another than the one before."""
        self.sheds: Counter[str] = Counter({"caches": 0, "mode": 0})
        self.reading = MemoryReading(None, None)
        """The last look."""
        self._read = read
        self._settings = settings
        self._caches = caches
        self._modes = modes
        self._on_limit = on_limit
        self._clock = clock
        self._state = MemoryState()
        self._short = False
        self._exhausted = False

    @property
    def scale(self) -> float:
        """Share of their size in the spec that the caches have now."""
        return self._state.scale

    def reconfigure(self, settings: Pressure) -> None:
        """Go by these settings from the next sample on. The caches keep their scale: it grows again by the new ones."""
        if settings != self._settings:
            self._settings = settings
            self._state = forget_shortage(self._state)

    async def check(self) -> None:
        """Take one sample and do what follows from it."""
        while True:
            before, self.reading = self.reading, self._read()
            if self._on_limit is not None and self.reading.limit_bytes != before.limit_bytes:
                self._on_limit(self.reading.limit_bytes)
            self._state, decision = judge(self._state, self._settings, self.reading, self._clock())
            self._tell(decision)
            await self._act(decision)
            if not decision.again:
                return

    def _tell(self, decision: Decision) -> None:
        """Say when memory gets short and when it no longer is; not at each sample."""
        fields = {"used": self.reading.used_bytes, "limit": self.reading.limit_bytes, "caches": f"{self._state.scale:.0%}"}
        if decision.shed and not self._short:
            self._short = True
            _logger.warning("memory is short", extra={"fields": fields})
        elif self._short and self._state.scale >= 1.0:
            self._short = self._exhausted = False
            _logger.info("memory is no longer short", extra={"fields": fields})

    async def _act(self, decision: Decision) -> None:
        if decision.clean:
            await self._caches.clean()
        if decision.scale is not None:
            await self._caches.scale(decision.scale)
        if decision.shed:
            self.sheds["caches"] += 1
        if decision.lower_mode:
            await self._lower_mode()
        if decision.clean or decision.shed or decision.lower_mode:
            await asyncio.to_thread(trim_heap)

    async def _lower_mode(self) -> None:
        if self._modes is not None and await self._modes.lower_mode() is not None:
            self.sheds["mode"] += 1
        elif not self._exhausted:
            self._exhausted = True
            _logger.error("memory is short and there is nothing left to give back: raise the limit")
