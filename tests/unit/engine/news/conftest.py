"""A bot with news: a session whose strategy notes what it hears, in which order."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.resources import MemoryMode, Prediction
from tradingbot_engine.feed.prices import Bar, Prices
from tradingbot_engine.news.file_feed import FileNews
from tradingbot_engine.news.item import News
from tradingbot_engine.prediction.hub import ModelHub
from tradingbot_engine.prediction.sentiment import Passage, Sentiment
from tradingbot_engine.prediction.service import PredictionService
from tradingbot_engine.recovery import recover
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.interface import Parameters, Strategy
from tradingbot_engine.strategy.registry import Recipe
from tradingbot_engine.telemetry.counts import Counts

HOUR_MS = 3_600_000


class Listener(Strategy):
    """Notes what it hears; buys on good news, sells on bad. What it has heard is its state."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__(Parameters())
        self.heard = heard

    def on_news(self, news: News) -> None:
        self.heard.append(f"news {news.id}")
        if news.sentiment.score > 0:
            for symbol in news.symbols:
                self.desk.buy(symbol, 10.0)

    def on_bar(self, bar: Bar) -> None:
        self.heard.append(f"bar {bar.symbol} {bar.time_ms}")

    def on_save(self) -> dict[str, Any]:
        return {"heard": self.heard}

    def on_load(self, state: dict[str, Any]) -> None:
        self.heard[:] = state["heard"]


class Lexical:
    """The real service without models. `gate` holds every judgement back; `asked` counts texts."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        hub = ModelHub(Path("/nonexistent"), {})
        self._service = PredictionService(Prediction(), MemoryMode.MINIMAL, hub=hub, cache=NoCache())

    async def score(self, passages: Sequence[Passage]) -> list[Sentiment]:
        self.asked += len(passages)
        await self.gate.wait()
        return await self._service.score(passages)

    async def close(self) -> None:
        await self._service.close()


class NoCache:
    """Keeps nothing."""

    async def get(self, key: str) -> Sentiment | None:  # noqa: ARG002 - the interface's
        return None

    async def put(self, key: str, value: Sentiment) -> None:
        """Forget it."""


class Newsroom:
    """Builds the pieces."""

    hour_ms = HOUR_MS
    scorer = Lexical

    def __init__(self, folder: Path, workshop: Any) -> None:
        self.path = folder / "news.csv"
        self._workshop = workshop

    def write(self, *rows: tuple[float, str], text: str = "profits surge") -> None:
        """Write news at these days (1 is the first bar's), about these symbols; the ids are 1, 2, 3..."""
        with self.path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "timestamp", "symbols", "source", "text"])
            for number, (day, symbols) in enumerate(rows, start=1):
                time_ms = round((self.first_day + day) * self._workshop.day_ms)
                writer.writerow([number, time_ms, symbols, "news", f"{text} {number}"])

    first_day = 10_000
    """Days from the epoch to the market's day 0: a timestamp in milliseconds must be a plausible one."""

    def prices(self, **closes: list[float | None]) -> Prices:
        prices: Prices = self._workshop.prices(closes)
        for index in range(len(prices._columns.times_ms)):
            prices._columns.times_ms[index] += self.first_day * self._workshop.day_ms
        return prices

    def session(self, prices: Prices, heard: list[str], restored: Any = None, strategy: Strategy | None = None) -> TradingSession:
        market = self._workshop.document().market
        document = self._workshop.document(market=type(market)(symbols=list(prices.symbols)))
        recipe = Recipe(build=lambda: strategy or Listener(heard), fingerprint="listener")
        return recover(document, prices, recipe, restored, Counts()).session

    def feed(self, session: TradingSession, prices: Prices, scorer: Any) -> FileNews:
        """Give the session its news, as it goes on from where the session stands."""
        feed = FileNews(
            self.path,
            frozenset(prices.symbols),
            scorer,
            lap_starts_ms=prices.time_ms(0) - self._workshop.day_ms,
            after_ms=session.time_ms if session.step else None,
        )
        session.news = feed
        feed.start()
        return feed

    async def run(self, session: TradingSession, steps: int = 10**9) -> None:
        """Take so many steps, as the trading loop does."""
        taken = 0
        while taken < steps and not session.at_end():
            count = session.advance(min(3, steps - taken))
            taken += count
            if not count:
                assert session.waits_for_news()
                await asyncio.sleep(0.001)

    def short(self, heard: list[str]) -> list[str]:
        """Return what was heard with days for times."""
        days = []
        for line in heard:
            *head, last = line.split()
            days.append(" ".join([*head, str(int(last) // self._workshop.day_ms - self.first_day)]) if head[0] == "bar" else line)
        return days


@pytest.fixture
def newsroom(tmp_path: Path, workshop: Any) -> Newsroom:
    return Newsroom(tmp_path, workshop)


@pytest.fixture
def play() -> Callable[..., Any]:
    """Run a scenario on an event loop, with a deadline."""

    def run(scenario: Any) -> Any:
        return asyncio.run(asyncio.wait_for(scenario, 20))

    return run
