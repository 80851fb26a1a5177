"""How late the event loop runs its timers: what every probe, page and background job has to wait for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final, NoReturn

PROBE_SECONDS: Final = 0.25
_KEPT: Final = 40
_RECENT: Final = 4
BUSY_FROM_SECONDS: Final = 0.05
"""A replay at full speed holds the loop for 10 ms at a time: that is not busy, it is meant so."""


class LoopLag:
    """See the module. Knows the last ten seconds."""

    def __init__(self) -> None:
        self._lags_seconds: deque[float] = deque(maxlen=_KEPT)

    @property
    def worst_seconds(self) -> float | None:
        """The largest of the last ten seconds; None before the first probe."""
        return max(self._lags_seconds, default=None)

    def busy(self) -> bool:
        """Return whether the loop was late in most probes of the last second."""
        recent = list(self._lags_seconds)[-_RECENT:]
        return sum(lag > BUSY_FROM_SECONDS for lag in recent) > _RECENT / 2

    async def run(self) -> NoReturn:
        """Measure until cancelled."""
        while True:
            planned_at = time.monotonic() + PROBE_SECONDS
            await asyncio.sleep(PROBE_SECONDS)
            self._lags_seconds.append(max(0.0, time.monotonic() - planned_at))
