"""What waits, and what is remembered: against what they should do, said another way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.news.item import News
from tradingbot_engine.news.port import NEVER_MS
from tradingbot_engine.news.queue import NewsQueue
from tradingbot_engine.news.remembered import Remembered
from tradingbot_engine.prediction.sentiment import Sentiment, Source

NEUTRAL = Sentiment(0.0, 0.0, 1.0, 0.0, "lexicon")


@given(st.lists(st.one_of(st.tuples(st.just("add"), st.integers(0, 20)), st.tuples(st.just("take"), st.integers(0, 20)))))
def test_news_leaves_by_time_and_then_by_arrival(steps: list[tuple[str, int]]) -> None:
    queue = NewsQueue()
    waiting: list[tuple[int, int]] = []
    for number, (what, time_ms) in enumerate(steps):
        if what == "add":
            queue.add(News(str(number), time_ms, (), Source.NEWS, "", NEUTRAL))
            waiting.append((time_ms, number))
        else:
            due = sorted(each for each in waiting if each[0] <= time_ms)
            assert [int(news.id) for news in queue.take(time_ms)] == [number for _, number in due]
            waiting = [each for each in waiting if each not in due]
        assert len(queue) == len(waiting)
        assert queue.next_ms == min((time for time, _ in waiting), default=NEVER_MS)


@given(st.lists(st.lists(st.integers(0, 12), max_size=4, unique=True), max_size=20), st.data())
def test_what_an_endpoint_still_lists_is_never_forgotten(answers: list[list[int]], data: st.DataObject) -> None:
    """An endpoint that lists four at most, and a memory of twice that, saved and loaded at any moment."""
    remembered = Remembered(8)
    listed_before: set[int] = set()
    for answer in answers:
        remembered.still_listed(map(str, answer))
        for number in answer:
            if number in listed_before:
                assert str(number) in remembered
            remembered.add(str(number))
        assert len(remembered) <= 8
        listed_before = set(answer)
        if data.draw(st.booleans()):
            remembered = Remembered(8, remembered.text())
            assert all(str(number) in remembered for number in answer)


def test_its_text_is_short() -> None:
    remembered = Remembered(1000)
    for number in range(3000):
        remembered.add(f"https://news.example/article/{number}")
    assert len(remembered) == 1000
    assert len(remembered.text()) == 12_000
