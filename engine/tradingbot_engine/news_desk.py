"""News at work: where it comes from, what judges it, and what is taken down of it. Only a bot whose spec names news has one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tradingbot_contract.budget import estimate_memory
from tradingbot_contract.document import EngineDocument
from tradingbot_contract.report import Dependency
from tradingbot_contract.resources import MemoryMode
from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.cache.results import Results
from tradingbot_engine.database.history import History
from tradingbot_engine.http_client.client import HttpClient
from tradingbot_engine.news.file_feed import FileNews
from tradingbot_engine.news.http_feed import HttpNews
from tradingbot_engine.news.http_json import NewsClient
from tradingbot_engine.news.open import open_news
from tradingbot_engine.news.recorder import RecordedNews
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.mode import parse_memory_mode
from tradingbot_engine.prediction.sentiment import Sentiment
from tradingbot_engine.prediction.service import PredictionService
from tradingbot_engine.surroundings import Surroundings
from tradingbot_engine.tuning import Part, Target

DEPENDENCY: Final = "news"


class Position(NamedTuple):
    """Where the bot stands in its feed, and so in its news. Times are of the market, in milliseconds since the epoch."""

    first_ms: int
    """Of the feed's first step."""
    after_ms: int | None
    """Of the last step of this lap that was taken; None: none was."""
    seen: str
    """What the checkpoint has kept."""


class ModelTerms(NamedTuple):
    """On which terms models are used."""

    mode: MemoryMode
    budget_bytes: int | None
    """What they may take in mode Auto; None: all there is."""


class NewsDesk:
    """See the module."""

    def __init__(
        self,
        predictions: PredictionService,
        feed: FileNews | HttpNews,
        recorded: RecordedNews,
        history: History,
        terms: Callable[[EngineDocument], ModelTerms],
    ) -> None:
        """`terms` says on which terms models are used under a document."""
        self._terms = terms
        self.predictions = predictions
        self.feed = feed
        self.recorded = recorded
        self.history = history
        self._up: bool | None = None
        self._since = time.time()

    def mode_target(self, running: EngineDocument) -> Target:
        """Return what follows the document's memory mode, and what it leaves for models."""
        return Part(running, self._terms, lambda terms: self.predictions.set_mode(*terms))

    @property
    def delivered(self) -> Counter[str]:
        """News that the strategy was told, by source."""
        return self.feed.delivered

    def start(self) -> None:
        """Load models and read news, in the background."""
        self.predictions.start()
        if isinstance(self.feed, FileNews):
            self.feed.start()

    def dependency(self) -> Dependency:
        """How the source of news does."""
        trouble = self.feed.trouble
        polled = isinstance(self.feed, FileNews) or self.feed.polls > 0
        up = None if not polled else not trouble
        if up is not self._up:
            self._up, self._since = up, time.time()
        return Dependency(name=DEPENDENCY, up=up, since=self._since, message=trouble)

    async def close(self) -> None:
        if isinstance(self.feed, FileNews):
            await self.feed.close()
        await self.predictions.close()


def model_budget_bytes(document: EngineDocument, limit_bytes: int | None) -> int | None:
    """Return what models may take in mode Auto: what the rest leaves of the limit; None: all there is."""
    return None if limit_bytes is None else max(0, limit_bytes - estimate_memory(document).total)


async def open_news_desk(
    document: EngineDocument,
    around: Surroundings,
    position: Position,
    *,
    cache: Cache[str, Sentiment],
    client: HttpClient,
    open_history: Callable[[], History],
) -> NewsDesk | None:
    """Return the desk of the spec, None if it names no news.

    Raises:
        SpecError: the news, or the memory mode, can't be used.
        UnavailableError: something is missing now.
    """
    if document.market.news is None:
        return None
    environment: Mapping[str, str] = around.environment

    def terms(now: EngineDocument) -> ModelTerms:
        mode = parse_memory_mode(now.memory_mode, environment)
        return ModelTerms(mode, model_budget_bytes(now, around.memory.read_limit_bytes()))

    mode, budget_bytes = terms(document)
    predictions = PredictionService(
        document.prediction,
        mode,
        hub=ModelHub(around.data, environment),
        cache=Results(cache),
        budget_bytes=budget_bytes,
        record=around.telemetry.record,
    )
    try:
        feed = await open_news(
            document.market,
            predictions,
            NewsClient(client),
            first_ms=position.first_ms,
            after_ms=position.after_ms,
            seen=position.seen,
        )
        assert feed is not None  # there is a section of it
        history = await asyncio.to_thread(open_history)
    except BaseException:
        await predictions.close()
        raise
    return NewsDesk(predictions, feed, RecordedNews(feed, history), history, terms)
