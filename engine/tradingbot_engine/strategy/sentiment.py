"""Trades on the mood of news: holds a symbol while what was lately published of it is good. Long only.

The mood is the mean of the scores of all news in the window, where news loses half its weight in each half-life, and where the weight that
is missing to one whole piece of news counts as neutral: one good headline makes a good mood that fades, not one that stays until the next.

    mood = sum(weight * score) / max(1, sum(weight)),  weight = 0.5 ** (age / halfLife)

On the bar where the mood reaches `entryThreshold` it buys for `orderNotional`, once until the mood has been at or below `exitThreshold`,
where it sells all. News without symbols is about the whole market and counts for every symbol. Time is the market's.
"""

from __future__ import annotations

import bisect
from collections import deque
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from tradingbot_contract.section import Money
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.news.item import News
from tradingbot_engine.strategy.interface import Parameters, Strategy

Hours = Annotated[float, Meta(gt=0, le=8760)]
Score = Annotated[float, Meta(ge=-1, le=1)]

_HOUR_MS: Final = 3_600_000
_REMEMBERED: Final = 500
"""News of one symbol within the window; beyond it the oldest goes early."""


class SentimentParameters(Parameters, frozen=True):
    """See the module; scores are from -1 to 1, money is in quote currency."""

    window_hours: Hours = 168.0
    half_life_hours: Hours = 24.0
    entry_threshold: Score = 0.3
    exit_threshold: Score = 0.0
    minimum_news: Annotated[int, Meta(ge=1, le=1000)] = 1
    """News in the window without which nothing is bought."""
    order_notional: Money = 10_000.0

    def __post_init__(self) -> None:
        if not self.exit_threshold < self.entry_threshold:
            raise ValueError(f"exitThreshold ({self.exit_threshold:g}) must be below entryThreshold ({self.entry_threshold:g})")


class Mood:
    """The news of one symbol, each by its time and score, and their weighted sums as of `_at_ms`."""

    __slots__ = ("_at_ms", "_half_life_ms", "_news", "_weight", "_weighted", "_window_ms", "is_good")

    def __init__(self, window_ms: float, half_life_ms: float) -> None:
        self.is_good = False
        """Whether it has reached the entry's threshold, and not the exit's since."""
        self._window_ms = window_ms
        self._half_life_ms = half_life_ms
        self._news: deque[tuple[int, float]] = deque()
        self._at_ms = 0
        self._weight = 0.0
        self._weighted = 0.0

    def __len__(self) -> int:
        return len(self._news)

    def add(self, time_ms: int, score: float) -> None:
        """Take a piece of news; it may be older than others."""
        if not self._news:
            self._at_ms = time_ms
        if time_ms <= self._at_ms - self._window_ms:
            return
        self._go_to(max(time_ms, self._at_ms))
        self._count(time_ms, score, 1.0)
        if self._news and time_ms < self._news[-1][0]:
            self._news.insert(bisect.bisect_right(self._news, time_ms, key=lambda each: each[0]), (time_ms, score))
        else:
            self._news.append((time_ms, score))
        if len(self._news) > _REMEMBERED:
            self._forget_oldest()

    def at(self, time_ms: int) -> float:
        """Return the mood at this time, which is not before the one asked for last: -1 to 1, 0 without news."""
        if not self._news:
            return 0.0
        self._go_to(max(time_ms, self._at_ms))
        return self._weighted / max(1.0, self._weight)

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"news": list(self._news), "at": self._at_ms, "weight": self._weight, "weighted": self._weighted, "good": self.is_good}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same window and half-life."""
        self._news = deque((time_ms, score) for time_ms, score in state["news"])
        self._at_ms, self._weight, self._weighted, self.is_good = state["at"], state["weight"], state["weighted"], state["good"]

    def _go_to(self, time_ms: int) -> None:
        """Let time pass, and forget what leaves the window."""
        if time_ms != self._at_ms:
            decay: float = 0.5 ** ((time_ms - self._at_ms) / self._half_life_ms)
            self._weight *= decay
            self._weighted *= decay
            self._at_ms = time_ms
        while self._news and self._news[0][0] <= time_ms - self._window_ms:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        time_ms, score = self._news.popleft()
        self._count(time_ms, score, -1.0)
        if not self._news:
            self._weight = self._weighted = 0.0  # whatever rounding has left

    def _count(self, time_ms: int, score: float, times: float) -> None:
        weight = times * 0.5 ** ((self._at_ms - time_ms) / self._half_life_ms)
        self._weight += weight
        self._weighted += weight * score


class SentimentStrategy(Strategy):
    """See the module."""

    parameters_type: ClassVar[type[Parameters]] = SentimentParameters
    parameters: SentimentParameters

    def __init__(self, parameters: SentimentParameters) -> None:
        super().__init__(parameters)
        self._market = self._new_mood()
        """Of news without symbols; part of every symbol's mood from the first bar or news of the symbol on."""
        self._moods: dict[str, Mood] = {}

    def on_news(self, news: News) -> None:
        score = news.sentiment.score
        if not news.symbols:
            self._market.add(news.time_ms, score)
            for mood in self._moods.values():
                mood.add(news.time_ms, score)
        for symbol in news.symbols:
            self._mood(symbol).add(news.time_ms, score)

    def on_bar(self, bar: Bar) -> None:
        mood = self._mood(bar.symbol)
        value = mood.at(bar.time_ms)
        parameters = self.parameters
        if value >= parameters.entry_threshold:
            if not mood.is_good and len(mood) >= parameters.minimum_news:
                mood.is_good = True
                if not self.desk.position(bar.symbol):
                    self.desk.buy(bar.symbol, parameters.order_notional)
        elif value <= parameters.exit_threshold:
            mood.is_good = False
            self.desk.sell(bar.symbol)

    def on_save(self) -> dict[str, Any]:
        return {"market": self._market.save(), "symbols": {symbol: mood.save() for symbol, mood in self._moods.items()}}

    def on_load(self, state: dict[str, Any]) -> None:
        self._market.load(state["market"])
        for symbol, saved in state["symbols"].items():
            mood = self._moods[symbol] = self._new_mood()
            mood.load(saved)

    def _new_mood(self) -> Mood:
        return Mood(self.parameters.window_hours * _HOUR_MS, self.parameters.half_life_hours * _HOUR_MS)

    def _mood(self, symbol: str) -> Mood:
        mood = self._moods.get(symbol)
        if mood is None:
            mood = self._moods[symbol] = self._new_mood()
            mood.load(self._market.save())
        return mood
