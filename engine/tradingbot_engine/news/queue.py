"""Judged news that waits for its time, the earliest first; of one time in the order of arrival. Pure."""

from __future__ import annotations

import heapq

from tradingbot_engine.news.item import News
from tradingbot_engine.news.port import NEVER_MS


class NewsQueue:
    """See the module."""

    __slots__ = ("_arrivals", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, News]] = []
        self._arrivals = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_ms(self) -> int:
        """Time of the earliest; NEVER_MS when there is none."""
        return self._waiting[0][0] if self._waiting else NEVER_MS

    def add(self, news: News) -> None:
        """Let it wait."""
        self._arrivals += 1
        heapq.heappush(self._waiting, (news.time_ms, self._arrivals, news))

    def take(self, until_ms: int) -> list[News]:
        """Remove and return what waits up to and with `until_ms`."""
        taken = []
        while self._waiting and self._waiting[0][0] <= until_ms:
            taken.append(heapq.heappop(self._waiting)[2])
        return taken

    def clear(self) -> None:
        """Forget all."""
        self._waiting.clear()
