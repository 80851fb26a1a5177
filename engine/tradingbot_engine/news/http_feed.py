"""News from an address that is asked again and again. What can't be reached or read leaves trading alone.

An answer is a JSON list. News is delivered at the first step that is taken once it is judged and whose time it has reached; the market
never waits for it. What has been delivered is remembered in the checkpoint, in one transaction with what followed from it, so a restart
delivers none twice; what waited comes again with the next answer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from tradingbot_engine.news.item import News, NewsError, NewsItem, parse_news, with_sentiment
from tradingbot_engine.news.port import NEVER_MS, Scorer
from tradingbot_engine.news.queue import NewsQueue
from tradingbot_engine.news.remembered import Remembered
from tradingbot_engine.unavailable import UnavailableError

MAX_ANSWER_BYTES: Final = 4 * 2**20
_MAX_ITEMS: Final = 512
"""Of one answer, the newest. So many may wait; others are taken when they are listed again."""
_REMEMBERED: Final = 2 * _MAX_ITEMS
_NOT_MODIFIED: Final = 304
_OK: Final = 200
_logger = logging.getLogger(__name__)


class Answer(Protocol):
    """What an address has answered. The names of headers are in lower case; `body` is None without one."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> Any: ...


class JsonClient(Protocol):
    """Asks for JSON."""

    async def get_json(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            UnavailableError: there is none, it is no JSON, or it has more than `limit` bytes.
        """


class HttpNews:
    """See the module; a :class:`tradingbot_engine.news.port.NewsSource`. Call `poll` at intervals."""

    known_ms = NEVER_MS
    """The market waits for nothing."""

    def __init__(self, url: str, symbols: frozenset[str], scorer: Scorer, client: JsonClient, *, seen: str = "") -> None:
        """`seen` is what a checkpoint has kept of `seen()`."""
        self.delivered: Counter[str] = Counter()
        """By source."""
        self.trouble = ""
        """Why the last poll failed; empty when it didn't."""
        self.polls = 0
        self.failures = 0
        """Polls that failed."""
        self.malformed = 0
        """Items that are no news; they are left out."""
        self.next_ms = NEVER_MS
        self._url = url
        self._symbols = symbols
        self._scorer = scorer
        self._client = client
        self._validators: dict[str, str] = {}
        self._queue = NewsQueue()
        self._waiting: set[str] = set()
        self._remembered = Remembered(_REMEMBERED, seen)

    @property
    def pending(self) -> int:
        """How much is judged and not yet delivered."""
        return len(self._queue)

    async def poll(self) -> None:
        """Ask for news, and judge what is new."""
        self.polls += 1
        try:
            items = await self._ask()
        except UnavailableError as error:
            self.failures += 1
            if not self.trouble:
                _logger.warning("no news for now", extra={"fields": {"reason": str(error)}})
            self.trouble = str(error)
            return
        if self.trouble:
            _logger.info("news is back")
        self.trouble = ""
        fresh = [item for item in items if item.id not in self._waiting and item.id not in self._remembered]
        room = _MAX_ITEMS - len(self._queue)
        if len(fresh) > room:
            self._validators = {}  # what there is no room for now is taken from the next answer, which must not be "as before"
        fresh = fresh[:room]
        for item, sentiment in zip(fresh, await self._scorer.score([item.passage for item in fresh]), strict=True):
            self._waiting.add(item.id)
            self._queue.add(with_sentiment(item, sentiment))
        self.next_ms = self._queue.next_ms

    def take(self, until_ms: int) -> list[News]:
        taken = self._queue.take(until_ms)
        self.next_ms = self._queue.next_ms
        for news in taken:
            self.delivered[news.source.value] += 1
            self._waiting.discard(news.id)
            self._remembered.add(news.id)
        return taken

    def begin_lap(self) -> None:
        """An address lists what it lists, whatever lap the market is in."""

    def seen(self) -> str:
        return self._remembered.text()

    def hurry(self) -> None:
        """The market waits for nothing."""

    async def _ask(self) -> list[NewsItem]:
        """Return what the address lists for these symbols, nothing if it is as before."""
        answer = await self._client.get_json(self._url, self._validators, MAX_ANSWER_BYTES)
        if answer.status == _NOT_MODIFIED:
            return []
        if answer.status != _OK:
            raise UnavailableError(f"{self._url} answers {answer.status}")
        if not isinstance(answer.body, list):
            raise UnavailableError(f"{self._url} answers with {type(answer.body).__name__}, not with a list of news")
        items = self._parse(answer.body)
        # Only now: an answer that could not be used is asked for again.
        headers = {"if-none-match": answer.headers.get("etag"), "if-modified-since": answer.headers.get("last-modified")}
        self._validators = {name: value for name, value in headers.items() if value}
        self._remembered.still_listed(item.id for item in items)
        return items

    def _parse(self, listed: list[Any]) -> list[NewsItem]:
        items: dict[str, NewsItem] = {}
        for raw in listed:
            try:
                item = parse_news(raw).narrowed(self._symbols)
            except NewsError as error:
                if not self.malformed:
                    _logger.warning("news left out", extra={"fields": {"reason": str(error)}})
                self.malformed += 1
                continue
            if item is not None:
                items.setdefault(item.id, item)
        return sorted(items.values(), key=lambda item: item.time_ms)[-_MAX_ITEMS:]
