"""Those who wait for the report to say something: each gets an answer as soon as it does, or when its time is up.

There may be so many at once; who comes then is answered at once, so that no number of them can harm the observer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from tradingbot_contract.report import ObserverReport

MOST_WAITERS: Final = 16


class Waiters:
    """See the module."""

    def __init__(self, report: Callable[[], ObserverReport], most: int = MOST_WAITERS) -> None:
        self._report = report
        self._most = most
        self._waiting = 0
        self._news = asyncio.Event()

    def notice(self) -> None:
        """Something about the report may be new."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def wait(self, holds: Callable[[ObserverReport], bool], seconds: float) -> ObserverReport:
        """Return the report as soon as this holds of it, or as it is after so many seconds."""
        if self._waiting >= self._most:
            return self._report()
        self._waiting += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not holds(self._report()):
                        await self._news.wait()
        finally:
            self._waiting -= 1
        return self._report()
