"""News from an address: the real requests are the HTTP client's tests; here it is what is made of its answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.news.http_feed import HttpNews
from tradingbot_engine.unavailable import UnavailableError

URL = "http://news.example/latest"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Any


class Script:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer | Exception = Answer(200, {}, [])
        self.asked: list[dict[str, str]] = []

    def lists(self, *items: dict[str, Any], **headers: str) -> None:
        self.answer = Answer(200, headers, list(items))

    async def get_json(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        assert (url, limit) == (URL, 4 * 2**20)
        self.asked.append(dict(headers))
        if isinstance(self.answer, Exception):
            raise self.answer
        known = headers.get("if-none-match")
        return Answer(304, {}, None) if known and known == self.answer.headers.get("etag") else self.answer


@pytest.fixture
def script() -> Script:
    return Script()


class Rig:
    """A session with news from an address."""

    def __init__(self, newsroom: Any, script: Script, heard: list[str], restored: Restored | None = None) -> None:
        self.newsroom = newsroom
        self.prices = newsroom.prices(A=[1.0] * 6)
        self.session = newsroom.session(self.prices, heard, restored)
        self.scorer = newsroom.scorer()
        self.feed = HttpNews(URL, frozenset("A"), self.scorer, script, seen="" if restored is None else restored.checkpoint.news_seen)
        self.session.news = self.feed

    def item(self, number: int, day: float, symbols: str = "A") -> dict[str, Any]:
        time_ms = round((self.newsroom.first_day + day) * 24 * self.newsroom.hour_ms)
        return {"id": f"n{number}", "timestamp": time_ms, "symbols": [symbols], "text": f"profits surge {number}"}

    def restored(self) -> Restored:
        group = self.session.take_group()
        return Restored(decode_checkpoint(encode_checkpoint(group.checkpoint)), list(self.session._broker.open_orders))


def test_news_reaches_the_market_once_at_its_time_or_as_soon_as_it_is_known(newsroom: Any, script: Script, play: Any) -> None:
    heard: list[str] = []

    async def scenario() -> None:
        rig = Rig(newsroom, script, heard)
        script.lists(rig.item(1, 0.5), rig.item(2, 1.5), rig.item(9, 1.5, "X"))
        await rig.feed.poll()
        assert rig.feed.pending == 2
        rig.session.advance(2)
        script.lists(rig.item(1, 0.5), rig.item(2, 1.5), rig.item(3, 0.7), rig.item(4, 3.5))
        await rig.feed.poll()
        await rig.feed.poll()
        rig.session.advance(10)
        await rig.scorer.close()

    play(scenario())
    assert newsroom.short(heard) == [
        "news n1", "bar A 1", "news n2", "bar A 2", "news n3", "bar A 3", "news n4", "bar A 4", "bar A 5", "bar A 6"
    ]  # fmt: skip


def test_a_restart_delivers_none_twice_and_what_waited_comes_again(newsroom: Any, script: Script, play: Any) -> None:
    heard: list[str] = []

    async def scenario() -> None:
        before = Rig(newsroom, script, heard)
        script.lists(before.item(1, 0.5), before.item(2, 1.5), before.item(3, 3.5))
        await before.feed.poll()
        before.session.advance(2)
        after = Rig(newsroom, script, heard, before.restored())
        await after.feed.poll()
        assert after.feed.pending == 1
        after.session.advance(10)
        await before.scorer.close()
        await after.scorer.close()

    play(scenario())
    assert [line for line in heard if line.startswith("news")] == ["news n1", "news n2", "news n3"]


def test_what_has_not_changed_is_not_sent_again(newsroom: Any, script: Script, play: Any) -> None:
    async def scenario() -> None:
        rig = Rig(newsroom, script, [])
        script.lists(rig.item(1, 0.5), etag='"v1"', **{"last-modified": "Wed, 21 Oct 2015 07:28:00 GMT"})
        await rig.feed.poll()
        script.answer = Answer(304, {}, None)
        await rig.feed.poll()
        assert (rig.feed.pending, rig.feed.trouble, rig.feed.failures) == (1, "", 0)
        await rig.scorer.close()

    play(scenario())
    assert script.asked == [{}, {"if-none-match": '"v1"', "if-modified-since": "Wed, 21 Oct 2015 07:28:00 GMT"}]


@pytest.mark.parametrize(
    "failure",
    [
        (UnavailableError("no route"), "no route"),
        (Answer(500, {}, None), f"{URL} answers 500"),
        (Answer(200, {}, {"news": []}), f"{URL} answers with dict, not with a list of news"),
    ],
)
def test_an_address_that_fails_leaves_trading_alone(
    newsroom: Any, script: Script, play: Any, failure: tuple[Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    script.answer, trouble = failure
    heard: list[str] = []

    async def scenario() -> None:
        rig = Rig(newsroom, script, heard)
        for _ in range(3):
            await rig.feed.poll()
        assert (rig.feed.trouble, rig.feed.failures) == (trouble, 3)
        rig.session.advance(1)
        script.lists(rig.item(1, 1.5))
        await rig.feed.poll()
        assert rig.feed.trouble == ""
        rig.session.advance(10)
        await rig.scorer.close()

    play(scenario())
    assert newsroom.short(heard)[:3] == ["bar A 1", "news n1", "bar A 2"]
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == ["no news for now"]


def test_an_item_that_is_none_leaves_the_others(newsroom: Any, script: Script, play: Any) -> None:
    async def scenario() -> None:
        rig = Rig(newsroom, script, [])
        script.lists(rig.item(1, 0.5), {"timestamp": "never", "text": "x"}, rig.item(2, 0.5), "text")  # type: ignore[arg-type]  # that is the point
        await rig.feed.poll()
        assert (rig.feed.pending, rig.feed.malformed) == (2, 2)
        await rig.scorer.close()

    play(scenario())


def test_what_waits_is_bounded_and_none_of_it_is_lost(newsroom: Any, script: Script, play: Any) -> None:
    heard: list[str] = []

    async def scenario() -> None:
        rig = Rig(newsroom, script, heard)
        for first in (0, 400):
            script.lists(*(rig.item(number, 1.0 + number / 1000) for number in range(first, first + 400)), etag=f'"{first}"')
            await rig.feed.poll()
        assert rig.feed.pending == 512
        rig.session.advance(2)
        await rig.feed.poll()
        rig.session.advance(1)
        await rig.scorer.close()

    play(scenario())
    assert sorted(line for line in heard if line.startswith("news")) == sorted(f"news n{number}" for number in range(800))


def test_memory_is_bounded_however_much_an_address_lists(newsroom: Any, script: Script, play: Any) -> None:
    heard: list[str] = []

    async def scenario() -> None:
        rig = Rig(newsroom, script, heard)
        script.lists(*(rig.item(number, 0.5) for number in range(2000)))
        await rig.feed.poll()
        assert rig.feed.pending == 512
        rig.session.advance(1)
        await rig.feed.poll()
        assert rig.feed.pending == 0
        assert len(rig.feed.seen()) == 512 * 12
        await rig.scorer.close()

    play(scenario())
    assert [line for line in heard if line.startswith("news")] == [f"news n{number}" for number in range(1488, 2000)]
