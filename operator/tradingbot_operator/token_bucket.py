"""Bounds how often something is done: so many at once, then so many a second."""

from __future__ import annotations

import asyncio
import time


class TokenBucket:
    """Who takes a token waits until there is one; those who wait are served in order."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = time.monotonic()
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Return when one more may be done."""
        async with self._lock:
            self._fill()
            if self._tokens < 1.0:
                await asyncio.sleep((1.0 - self._tokens) / self._per_second)
                self._fill()
            self._tokens -= 1.0

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
