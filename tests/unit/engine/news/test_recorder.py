"""What a strategy was told stands in the history, once, and waits where the history can't be written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.history import History
from tradingbot_engine.database.rows import PredictionRow
from tradingbot_engine.news.item import News
from tradingbot_engine.news.port import NEVER_MS, NoNews
from tradingbot_engine.news.recorder import RecordedNews
from tradingbot_engine.prediction.sentiment import Sentiment, Source
from tradingbot_engine.unavailable import UnavailableError

GOOD = Sentiment(positive=0.75, negative=0.25, neutral=0.0, score=0.5, model="lexicon")


class Wire(NoNews):
    """Has two pieces of news, once."""

    next_ms = 1000

    def __init__(self) -> None:
        self.news = [News(str(number), 1000 * number, ("AAPL",), Source.NEWS, f"text {number}", GOOD) for number in (1, 2)]

    def take(self, until_ms: int) -> Sequence[News]:
        taken = [news for news in self.news if news.time_ms <= until_ms]
        self.news = self.news[len(taken) :]
        return taken

    def seen(self) -> str:
        return "what it says"


class FullVolume:
    """A history that can't be written."""

    def record(self, rows: Sequence[PredictionRow]) -> None:
        raise UnavailableError(f"no room for {len(rows)}")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    address = parse_database_address(None, tmp_path, "history.sqlite", BotIdentity(namespace="a", name="b", uid="c"))
    database = Database(address, Pool(size=1, max_overflow=0), durable=False, name="history")
    history = History(database)
    history.open()
    yield history
    database.close()


def read(history: History) -> list[PredictionRow]:
    return history.recent(60.0, int(time.time() * 1000), most=5000)


def test_what_is_delivered_is_taken_down_once(history: History) -> None:
    recorded = RecordedNews(Wire(), history)
    assert (recorded.next_ms, recorded.known_ms, recorded.seen()) == (1000, NEVER_MS, "what it says")
    assert [news.id for news in recorded.take(1500)] == ["1"]
    asyncio.run(recorded.flush())
    asyncio.run(recorded.flush())
    (row,) = read(history)
    assert (row.news_id, row.symbols, row.source, row.model, row.score, row.news_time_ms) == ("1", ("AAPL",), "news", "lexicon", 0.5, 1000)
    recorded.take(5000)
    asyncio.run(recorded.flush())
    assert [row.news_id for row in read(history)] == ["1", "2"]


def test_what_can_not_be_written_waits(history: History) -> None:
    recorded = RecordedNews(Wire(), FullVolume())
    recorded.take(5000)
    with pytest.raises(UnavailableError, match="no room for 2"):
        asyncio.run(recorded.flush())
    recorded._history = history
    asyncio.run(recorded.flush())
    assert [row.news_id for row in read(history)] == ["1", "2"]
