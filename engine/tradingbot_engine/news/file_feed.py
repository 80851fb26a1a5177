"""News from a file, judged ahead of the market, so that no step waits for a model and every step has all its news.

Where it stands follows from where the market stands: what is later than the last step has not been delivered, all else has. So the
journal's position in the prices is the position in the news, in one transaction with the orders that followed from it, and a restart
delivers none twice and loses none. Memory holds what is judged ahead: some hundred items, more only if one step has more.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_engine.news.file import read_news
from tradingbot_engine.news.item import News, NewsItem, with_sentiment
from tradingbot_engine.news.port import NEVER_MS, Scorer
from tradingbot_engine.news.queue import NewsQueue

_READ_AT_ONCE: Final = 64
_AHEAD: Final = 512
_logger = logging.getLogger(__name__)


class FileNews:
    """See the module; a :class:`tradingbot_engine.news.port.NewsSource`."""

    def __init__(self, path: Path, symbols: frozenset[str], scorer: Scorer, *, lap_starts_ms: int, after_ms: int | None) -> None:
        """Deliver what is later than `after_ms`, and in a new lap what is later than `lap_starts_ms`.

        News that is older than the first bar is the past of before the market, and nobody's business.
        """
        self.delivered: Counter[str] = Counter()
        """By source."""
        self.trouble = ""
        """Why no more news comes although there is some; empty when all is well."""
        self._path = path
        self._symbols = symbols
        self._scorer = scorer
        self._lap_starts_ms = lap_starts_ms
        self._queue = NewsQueue()
        self.next_ms = NEVER_MS
        self.known_ms = self._after_ms = lap_starts_ms if after_ms is None else after_ms
        self._wanted = asyncio.Event()
        self._starving = False
        """Whether the market stands still until more is known."""
        self._reading: asyncio.Task[None] | None = None

    @property
    def pending(self) -> int:
        """How much is judged and not yet delivered."""
        return len(self._queue)

    def start(self) -> None:
        """Read and judge in the background."""
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None

    def take(self, until_ms: int) -> list[News]:
        taken = self._queue.take(until_ms)
        self.next_ms = self._queue.next_ms
        for news in taken:
            self.delivered[news.source.value] += 1
        if len(self._queue) < _AHEAD:
            self._wanted.set()
        return taken

    def begin_lap(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._queue.clear()
        self.next_ms = NEVER_MS
        self.known_ms = self._after_ms = self._lap_starts_ms
        self.start()

    def hurry(self) -> None:
        self._starving = True
        self._wanted.set()

    def seen(self) -> str:
        return ""  # the market's time says it all

    # --- In the background -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        rows = read_news(self._path)
        while items := await asyncio.to_thread(self._read_some, rows):
            sentiments = await self._scorer.score([item.passage for item in items])
            for item, sentiment in zip(items, sentiments, strict=True):
                self._queue.add(with_sentiment(item, sentiment))
            self.next_ms = self._queue.next_ms
            self._know(items[-1].time_ms - 1)  # more of this time may follow
            while len(self._queue) >= _AHEAD and not self._starving:  # a step may have more than is kept ahead
                self._wanted.clear()
                await self._wanted.wait()

    def _read_some(self, rows: Iterator[NewsItem]) -> list[NewsItem]:
        later = (row.narrowed(self._symbols) for row in rows if row.time_ms > self._after_ms)
        return list(itertools.islice((item for item in later if item is not None), _READ_AT_ONCE))

    def _ended(self, reading: asyncio.Task[None]) -> None:
        """Let the market go on: at the end of the file, and when news can't be read any more."""
        if reading.cancelled():
            return
        error = reading.exception()
        if error is not None:  # the file was whole when the engine started, so it has changed since, or this is a bug
            self.trouble = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"
            _logger.error("no more news", exc_info=error, extra={"fields": {"file": str(self._path)}})
        self._know(NEVER_MS)

    def _know(self, until_ms: int) -> None:
        if until_ms > self.known_ms:
            self.known_ms = until_ms
            self._starving = False
