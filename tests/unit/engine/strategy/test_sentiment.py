"""The sentiment strategy: its mood, and what it does about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Strategy as StrategySection
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.news.item import News
from tradingbot_engine.prediction.sentiment import Sentiment, Source
from tradingbot_engine.strategy.registry import parse_strategy
from tradingbot_engine.strategy.sentiment import Mood, SentimentParameters, SentimentStrategy

HOUR_MS = 3_600_000
PARAMETERS = SentimentParameters(window_hours=10.0, half_life_hours=2.0, entry_threshold=0.5, exit_threshold=0.1, order_notional=50.0)


class Desk:
    """Fills everything at once."""

    cash = equity = 0.0

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.log: list[str] = []

    def position(self, symbol: str) -> float:
        return self.held.get(symbol, 0.0)

    def buy(self, symbol: str, notional: float) -> None:
        self.held[symbol] = 1.0
        self.log.append(f"buy {symbol} for {notional:g}")

    def sell(self, symbol: str, quantity: float | None = None) -> None:
        assert quantity is None
        if self.held.pop(symbol, 0.0):
            self.log.append(f"sell {symbol}")


def start(desk: Desk, parameters: SentimentParameters = PARAMETERS) -> SentimentStrategy:
    strategy = SentimentStrategy(parameters)
    strategy.on_start(desk)
    return strategy


def play(strategy: SentimentStrategy, *events: tuple[float, str | None, float | None]) -> None:
    """Events are (hour, symbol, score of news, or None for a bar); news without a symbol is about all."""
    for hour, symbol, score in events:
        time_ms = round(hour * HOUR_MS)
        if score is None:
            strategy.on_bar(Bar(symbol or "A", time_ms, 1.0, 1.0, 1.0, 1.0, 1.0))
        else:
            sentiment = Sentiment(max(score, 0.0), max(-score, 0.0), 1.0 - abs(score), score, "lexicon")
            strategy.on_news(News("", time_ms, (symbol,) if symbol else (), Source.NEWS, "", sentiment))


@pytest.mark.parametrize(
    ("events", "log"),
    [
        ([(1, "A", 0.9), (1, "A", None)], ["buy A for 50"]),
        ([(1, "A", 0.4), (1, "A", None)], []),
        ([(1, "A", 0.9), (1, "A", None), (2, "A", None)], ["buy A for 50"]),  # once
        ([(1, "A", 0.9), (1, "A", None), (8, "A", None)], ["buy A for 50", "sell A"]),  # three half-lives later: 0.08
        ([(1, "A", 0.9), (1, "A", None), (2, "A", -0.9), (2, "A", None)], ["buy A for 50", "sell A"]),
        ([(1, "B", 0.9), (1, "A", None), (1, "B", None)], ["buy B for 50"]),
        ([(1, None, 0.9), (1, "A", None), (1, "B", None)], ["buy A for 50", "buy B for 50"]),
        ([(1, "A", None), (2, None, 0.9), (2, "A", None)], ["buy A for 50"]),
        ([(1, "A", -0.9), (1, "A", None)], []),  # nothing to sell
        ([(1, "A", 0.9), (5, "A", None)], []),  # stale: a quarter of its weight is left
    ],
)
def test_it_buys_on_a_good_mood_and_sells_when_it_is_gone(events: list[Any], log: list[str]) -> None:
    desk = Desk()
    play(start(desk), *events)
    assert desk.log == log


def test_one_headline_can_be_too_few() -> None:
    desk = Desk()
    parameters = SentimentParameters(entry_threshold=0.5, minimum_news=2)
    play(start(desk, parameters), (1, "A", 0.9), (1, "A", None), (2, "A", 0.9), (2, "A", None))
    assert desk.log == ["buy A for 10000"]


def test_a_position_from_before_is_sold_on_a_bad_mood() -> None:
    desk = Desk()
    desk.held["A"] = 1.0
    play(start(desk), (1, "A", None))
    assert desk.log == ["sell A"]


EVENTS = st.lists(
    st.tuples(st.floats(0.0, 3.0), st.sampled_from(["A", "B", None]), st.one_of(st.none(), st.floats(-1.0, 1.0))), max_size=40
).map(lambda steps: [(sum(gap for gap, *_ in steps[: index + 1]), symbol, score) for index, (_, symbol, score) in enumerate(steps)])


@given(EVENTS, st.data())
def test_saved_and_loaded_it_decides_the_same(events: list[Any], data: st.DataObject) -> None:
    whole, desk = Desk(), Desk()
    play(start(whole), *events)
    cut = data.draw(st.integers(0, len(events)))
    first = start(desk)
    play(first, *events[:cut])
    state = json.loads(json.dumps(first.on_save()))
    second = start(desk)
    second.on_load(state)
    assert second.on_save() == first.on_save()
    play(second, *events[cut:])
    assert desk.log == whole.log


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-10, 5), st.floats(-1.0, 1.0)), max_size=30))
def test_the_mood_is_the_formula(news: list[tuple[int, int, float]]) -> None:
    """Bars at every hour; news of that hour, or a little late or early."""
    mood = Mood(window_ms=10.0 * HOUR_MS, half_life_ms=2.0 * HOUR_MS)
    known: list[tuple[int, float]] = []
    now_ms = 0
    for hour, shift, score in sorted(news):
        time_ms = max(0, hour + shift) * HOUR_MS
        now_ms = max(now_ms, hour * HOUR_MS)
        if shift <= 0:
            mood.add(time_ms, score)
            known.append((time_ms, score))
        fresh = [(0.5 ** ((now_ms - at_ms) / (2.0 * HOUR_MS)), each) for at_ms, each in known if at_ms > now_ms - 10 * HOUR_MS]
        expected = sum(weight * each for weight, each in fresh) / max(1.0, sum(weight for weight, _ in fresh))
        assert mood.at(now_ms) == pytest.approx(expected, abs=1e-9)
        assert len(mood) == len(fresh)


def test_it_remembers_no_more_than_it_may() -> None:
    strategy = start(Desk())
    play(strategy, *((1 + number / 10_000, "A", 0.5) for number in range(2000)))
    assert len(strategy.on_save()["symbols"]["A"]["news"]) == 500


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"entryThreshold": 0.1, "exitThreshold": 0.2}, r"exitThreshold \(0.2\) must be below entryThreshold \(0.1\)"),
        ({"halfLifeHours": 0}, "halfLifeHours"),
        ({"window": 5}, "sentiment has no such parameter: it takes entryThreshold, exitThreshold, halfLifeHours, minimumNews"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_strategy(StrategySection(name="sentiment", parameters=parameters))
