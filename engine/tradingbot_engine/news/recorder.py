"""Takes down which news a strategy was told, and how it was judged, so that people can look back.

Nothing waits for it: what can't be written stays here, the oldest goes when there is too much, and trading knows nothing of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from tradingbot_engine.database.rows import PredictionRow
from tradingbot_engine.news.item import News
from tradingbot_engine.news.port import NewsSource

INTERVAL_SECONDS: Final = 5.0
_KEPT: Final = 4096
_AT_ONCE: Final = 500


class History(Protocol):
    """Where it is taken down; both methods block."""

    def record(self, rows: Sequence[PredictionRow]) -> None: ...


class RecordedNews:
    """A :class:`tradingbot_engine.news.port.NewsSource` that passes everything on and remembers what it has passed on."""

    def __init__(self, source: NewsSource, history: History) -> None:
        self._source = source
        self._history = history
        self._rows: deque[PredictionRow] = deque(maxlen=_KEPT)

    @property
    def next_ms(self) -> int:
        return self._source.next_ms

    @property
    def known_ms(self) -> int:
        return self._source.known_ms

    def take(self, until_ms: int) -> Sequence[News]:
        taken = self._source.take(until_ms)
        judged_at_ms = int(time.time() * 1000)
        self._rows.extend(_row(news, judged_at_ms) for news in taken)
        return taken

    def begin_lap(self) -> None:
        self._source.begin_lap()

    def seen(self) -> str:
        return self._source.seen()

    def hurry(self) -> None:
        self._source.hurry()

    async def flush(self) -> None:
        """Take down what there is. For a background job.

        Raises:
            UnavailableError: the history can't be written now; what there is stays here.
        """
        while self._rows:
            rows = [self._rows[index] for index in range(min(_AT_ONCE, len(self._rows)))]
            await asyncio.to_thread(self._history.record, rows)
            for row in rows:
                if self._rows and self._rows[0] is row:
                    self._rows.popleft()


def _row(news: News, judged_at_ms: int) -> PredictionRow:
    sentiment = news.sentiment
    return PredictionRow(
        digest=hashlib.sha256(f"{news.source.value}\n{news.text}".encode()).hexdigest()[:32],
        news_id=news.id,
        symbols=news.symbols,
        source=news.source.value,
        model=sentiment.model,
        positive=sentiment.positive,
        negative=sentiment.negative,
        neutral=sentiment.neutral,
        score=sentiment.score,
        news_time_ms=news.time_ms,
        judged_at_ms=judged_at_ms,
    )
