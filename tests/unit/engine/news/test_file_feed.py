"""News and bars in one market: in which order, none early, none twice, none lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.news.item import News
from tradingbot_engine.strategy.interface import Parameters, Strategy


def test_news_comes_before_the_bars_of_the_first_step_that_is_not_earlier(newsroom: Any, play: Any) -> None:
    newsroom.write((0.5, "A"), (1.0, "B"), (1.001, "A"), (2.9, "A B"), (3.0, ""), (3.5, "X"), (9.0, "A"))
    prices = newsroom.prices(A=[1.0, 1.0, 1.0, 1.0], B=[1.0, 1.0, None, 1.0])
    heard: list[str] = []

    async def scenario() -> None:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session)
        assert dict(feed.delivered) == {"news": 5}
        assert feed.pending == 1  # of a day that the market has not seen
        await feed.close()
        await scorer.close()

    play(scenario())
    assert newsroom.short(heard) == [
        "news 1", "news 2", "bar A 1", "bar B 1",
        "news 3", "bar A 2", "bar B 2",
        "news 4", "news 5", "bar A 3",
        "bar A 4", "bar B 4",
    ]  # fmt: skip


def test_what_is_older_than_the_first_bar_is_the_past(newsroom: Any, play: Any) -> None:
    newsroom.write((-300.0, "A"), (0.0, "A"), (0.001, "A"))
    prices = newsroom.prices(A=[1.0, 1.0])
    heard: list[str] = []

    async def scenario() -> None:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session)
        await feed.close()
        await scorer.close()

    play(scenario())
    assert newsroom.short(heard) == ["news 3", "bar A 1", "bar A 2"]


def test_an_order_on_news_fills_at_the_opening_after_it(newsroom: Any, play: Any) -> None:
    newsroom.write((1.5, "A"))
    prices = newsroom.prices(A=[10.0, 20.0, 40.0])  # each opens at the close before

    async def scenario() -> list[dict[str, Any]]:
        session = newsroom.session(prices, [])
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session)
        await feed.close()
        await scorer.close()
        group = session.take_group()
        return [*group.orders, *group.fills]

    order, fill = play(scenario())
    assert (order["step"], order["reference_price"]) == (1, 20.0)
    assert (fill["step"], fill["price"]) == (2, 20.0)


def test_a_step_waits_for_its_news_and_no_longer(newsroom: Any, play: Any) -> None:
    newsroom.write((3.5, "A"))
    prices = newsroom.prices(A=[1.0] * 6)
    heard: list[str] = []

    async def scenario() -> None:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        scorer.gate.clear()
        feed = newsroom.feed(session, prices, scorer)
        while not scorer.asked:  # noqa: ASYNC110 - the feed tells nobody
            await asyncio.sleep(0.001)
        assert session.advance(100) == 0  # what the file holds isn't known yet
        assert session.waits_for_news()
        scorer.gate.set()
        await newsroom.run(session)
        await feed.close()
        await scorer.close()

    play(scenario())
    assert newsroom.short(heard)[3:5] == ["news 1", "bar A 4"]


@pytest.mark.parametrize("cut", range(7))
def test_a_restart_delivers_none_twice_and_loses_none(newsroom: Any, play: Any, cut: int) -> None:
    newsroom.write(*((0.25 * number, "A" if number % 3 else "B A") for number in range(26)))
    prices = newsroom.prices(A=[1.0, 1.0, None, 1.0, 1.0, 1.0], B=[1.0, None, None, 1.0, 2.0, 2.0])

    async def part(heard: list[str], restored: Restored | None, steps: int) -> Restored:
        session = newsroom.session(prices, heard, restored)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session, steps)
        await feed.close()
        await scorer.close()
        group = session.take_group()
        open_orders = list(session._broker.open_orders)
        return Restored(decode_checkpoint(encode_checkpoint(group.checkpoint)), open_orders)

    async def scenario() -> tuple[list[str], list[str], Any, Any]:
        whole: list[str] = []
        expected = await part(whole, None, 100)
        heard: list[str] = []
        first = await part(heard, None, cut) if cut else None
        final = await part(heard, first, 100)
        return whole, heard, expected.checkpoint, final.checkpoint

    whole, heard, expected, final = play(scenario())
    assert heard == whole
    assert sum(line.startswith("news") for line in whole) == 24
    assert final.totals == expected.totals
    assert final.cash == expected.cash


def test_a_new_lap_has_all_news_again(newsroom: Any, play: Any) -> None:
    newsroom.write((0.5, "A"), (1.5, "A"))
    prices = newsroom.prices(A=[1.0, 1.0])
    heard: list[str] = []

    async def scenario() -> None:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        for _ in range(3):
            await newsroom.run(session)
            session.begin_lap()
        await feed.close()
        await scorer.close()

    play(scenario())
    assert newsroom.short(heard) == ["news 1", "bar A 1", "news 2", "bar A 2"] * 3


@pytest.mark.parametrize("within_one_step", [False, True])
def test_memory_holds_little_more_than_what_is_ahead(newsroom: Any, play: Any, within_one_step: bool) -> None:
    days = 3000
    newsroom.write(*((2.5 if within_one_step else 0.5 + number / 2, "A") for number in range(days)))
    prices = newsroom.prices(A=[1.0] * (days // 2 + 2))
    heard: list[str] = []

    async def scenario() -> int:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        most = 0
        while not session.at_end():
            if not session.advance(5):
                await asyncio.sleep(0.001)
            most = max(most, feed.pending)
            await asyncio.sleep(0)
        await feed.close()
        await scorer.close()
        return most

    most = play(scenario())
    assert sum(line.startswith("news") for line in heard) == days
    assert most == days if within_one_step else most < 700


def test_a_file_that_changes_under_the_engine_ends_news_not_trading(newsroom: Any, play: Any, caplog: pytest.LogCaptureFixture) -> None:
    newsroom.write((0.5, "A"))
    with newsroom.path.open("a") as file:
        file.write("2,never,A,news,text\n")
    prices = newsroom.prices(A=[1.0] * 3)
    heard: list[str] = []

    async def scenario() -> str:
        session = newsroom.session(prices, heard)
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session)
        await feed.close()
        await scorer.close()
        return str(feed.trouble)

    assert "line 3: timestamp 'never'" in play(scenario())
    assert newsroom.short(heard)[-1] == "bar A 3"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["no more news"]


class Grumpy(Strategy):
    """Fails on every piece of news, after it has ordered."""

    def on_news(self, news: News) -> None:
        self.desk.buy("A", 10.0)
        raise LookupError(news.id)

    def on_bar(self, bar: Bar) -> None:
        """Has no opinion."""


def test_a_strategy_that_fails_on_news_loses_those_orders_and_is_halted_in_the_end(newsroom: Any, play: Any) -> None:
    newsroom.write(*((0.5 + number / 1000, "A") for number in range(3)), *((2.5 + number / 1000, "A") for number in range(20)))
    prices = newsroom.prices(A=[1.0] * 6)

    async def scenario() -> tuple[str, str, int]:
        session = newsroom.session(prices, [], strategy=Grumpy(Parameters()))
        scorer = newsroom.scorer()
        feed = newsroom.feed(session, prices, scorer)
        await newsroom.run(session, 2)
        before = session.runner.halted_by
        await newsroom.run(session)
        await feed.close()
        await scorer.close()
        return before, session.runner.halted_by, session.totals.orders

    before, after, orders = play(scenario())
    assert before == ""
    assert after == "Grumpy.on_news failed 10 times in a row: LookupError: 13"
    assert orders == 0


def test_a_session_without_news_keeps_nothing_of_it(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [1.0, 1.0]}), workshop.script({}))
    bench.run()
    assert bench.session.take_group().checkpoint.news_seen == ""
    assert not bench.session.waits_for_news()


def test_a_checkpoint_of_before_there_was_news_is_understood(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [1.0, 1.0]}), workshop.script({}))
    text = encode_checkpoint(bench.session.take_group().checkpoint)
    older = text.replace(',"news_seen":""', "")
    assert older != text
    assert decode_checkpoint(older) == decode_checkpoint(text)
