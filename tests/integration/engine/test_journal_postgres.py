"""The journal on a real Postgres keeps what it keeps on SQLite, and has the same rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from msgspec import structs

from bot_tables import BotTables
from postgres_server import PostgresServer
from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_contract.resources import Retention
from tradingbot_engine.database import retention as retention_module
from tradingbot_engine.database.fence import hold
from tradingbot_engine.database.history import History
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.retention import Pruner
from tradingbot_engine.database.rows import Group, PredictionRow
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.news.item import parse_news
from tradingbot_engine.recovery import recover
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.registry import parse_strategy
from tradingbot_engine.telemetry.counts import Counts


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def document(engines: Any) -> EngineDocument:
    found: EngineDocument = engines.document
    return found


@pytest.fixture
def places(server: PostgresServer, tmp_path: Path, document: EngineDocument) -> Iterator[tuple[BotTables, BotTables]]:
    """The same bot's tables on Postgres and on SQLite."""
    with (
        contextlib.closing(BotTables(tmp_path, server.url(server.new_database()), document.bot)) as there,
        contextlib.closing(BotTables(tmp_path, None, document.bot)) as here,
    ):
        yield there, here


def new_session(document: EngineDocument) -> TradingSession:
    return recover(document, load_prices(document.market), parse_strategy(document.strategy), None, Counts()).session


@pytest.mark.parametrize("steps", [97, 10_000])
def test_it_has_the_rows_that_sqlite_has(places: tuple[BotTables, BotTables], document: EngineDocument, steps: int) -> None:
    session = new_session(document)
    journals = [Journal(place.open()) for place in places]
    for journal in journals:
        assert journal.open(document.bot) is None
    while not session.at_end():
        session.advance(steps)
        group = session.take_group()
        for journal in journals:
            journal.commit(group)
    there, here = (place.rows() for place in places)
    assert len(there["fills"]) > 100
    assert there == here
    statistics = [journal.read_trade_statistics() for journal in journals]
    assert statistics[0] == [nearly(one) for one in statistics[1]]
    assert journals[0].open(document.bot) == journals[1].open(document.bot)


def nearly(one: Any) -> Any:
    """A sum may be added up in another order."""
    return one._replace(realised=pytest.approx(one.realised, rel=1e-12))


def test_written_twice_it_is_there_once_and_wrongly_not_at_all(places: tuple[BotTables, BotTables], document: EngineDocument) -> None:
    place, session = places[0], new_session(document)
    journal = Journal(place.open())
    journal.open(document.bot)
    session.advance(500)
    group = session.take_group()
    journal.commit(group)
    once = place.rows()
    journal.commit(group)
    assert place.rows() == once
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="foreign key"):
        journal.commit(Group([], [{**group.fills[0], "sequence": 9998, "order_sequence": 9998}], [], group.checkpoint, 0.0))
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="unique"):
        journal.commit(Group([], [{**group.fills[0], "sequence": 9999}], [], group.checkpoint, 0.0))
    assert place.rows() == once


def test_what_was_open_is_restored(places: tuple[BotTables, BotTables], document: EngineDocument) -> None:
    place, session = places[0], new_session(document)
    journal = Journal(place.open())
    journal.open(document.bot)
    while not session.open_orders:
        session.advance(1)
    group = session.take_group()
    journal.commit(group)
    restored = Journal(place.open()).open(document.bot)
    assert restored is not None
    assert restored.checkpoint == group.checkpoint
    assert [order.sequence for order in restored.open_orders] == [row["sequence"] for row in group.orders if row["status"] == "new"]


def test_a_bot_that_was_made_anew_does_not_take_the_former_s_journal(places: tuple[BotTables, BotTables], document: EngineDocument) -> None:
    Journal(places[0].open()).open(document.bot)
    with pytest.raises(SpecError, match=r"it belongs to .* uid 5d5ba1d0, this is .* rename or drop the schema tb_trading_first_0"):
        Journal(places[0].open()).open(structs.replace(document.bot, uid="other"))


def test_damaged_tables_are_refused_with_what_to_do(places: tuple[BotTables, BotTables], document: EngineDocument) -> None:
    journal = Journal(places[0].open())
    journal.open(document.bot)
    places[0].run("ALTER TABLE checkpoint RENAME COLUMN state TO other")
    with pytest.raises(SpecError, match=r"journal: the schema tb_trading_first_0 is damaged or no journal \(column .* does not exist\)"):
        journal.open(document.bot)


def test_what_is_too_old_goes(places: tuple[BotTables, BotTables], document: EngineDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "BATCH_ROWS", 50)
    place, session = places[0], new_session(document)
    database = place.open()
    journal = Journal(database)
    journal.open(document.bot)
    while session.totals.orders < 1500:
        session.advance(10_000)
        session.begin_lap()
    session.advance(300)
    journal.commit(session.take_group())
    history = History(database)
    history.open()
    history.record([PredictionRow(f"d{n}", str(n), ("A",), "news", "lexicon", 0.1, 0.2, 0.7, 0.0, n, n) for n in range(200)])
    before = place.rows()
    pruner = Pruner(Retention(orders=1000, equity_points=100, predictions=100), database, journal.epoch, database)
    asyncio.run(pruner.run())
    after = place.rows()
    assert after["checkpoint"] == before["checkpoint"]
    newest = before["orders"][-1][0]
    assert [row for row in before["orders"] if row[0] > newest - 1000] == after["orders"]
    kept = {row[0] for row in after["orders"]}
    assert [row for row in before["fills"] if row[1] in kept] == after["fills"]
    assert before["equity"][-100:] == after["equity"]
    assert [row.judged_at_ms for row in history.recent(1e9, 1000, most=5000)] == list(range(100, 200))
    assert pruner.removed == {
        **{table: len(before[table]) - len(after[table]) for table in ("orders", "fills", "equity")},
        "predictions": 100,
    }


def test_judgements_are_recorded_once_and_found_again(places: tuple[BotTables, BotTables]) -> None:
    history = History(places[0].open())
    history.open()
    rows = [PredictionRow("d", str(n), ("A", "B/C"), "social", "finbert", 0.1, 0.2, 0.7, -0.5, 2**40 + n, 2**41 + n) for n in range(3)]
    history.record(rows)
    history.record(rows)
    assert History(places[0].open()).recent(1.0, 2**41 + 2, most=5000) == rows


def test_history_takes_the_id_of_any_news(places: tuple[BotTables, BotTables]) -> None:
    history = History(places[0].open())
    history.open()
    news = [parse_news({"id": id_, "timestamp": "2020-01-02", "text": "Gains"}) for id_ in ("plain", "a\0b", "a\0\0b")]
    rows = [PredictionRow(f"d{number}", item.id, (), "news", "lexicon", 0.1, 0.2, 0.7, 0.0, 1, 2) for number, item in enumerate(news)]
    history.record(rows)
    assert {row.news_id for row in history.recent(1.0, 2, most=5000)} == {item.id for item in news}
    assert len({item.id for item in news}) == 3


def test_a_start_waits_for_a_commit_that_is_under_way(places: tuple[BotTables, BotTables], document: EngineDocument) -> None:
    place = places[0]
    former, newer = Journal(place.open()), Journal(place.open())
    former.open(document.bot)

    async def scenario() -> None:
        with place.open().writing() as connection:
            hold(connection, former.epoch)
            start = asyncio.create_task(asyncio.to_thread(newer.open, document.bot))
            async with asyncio.timeout(60):
                while not await asyncio.to_thread(place.run, "SELECT 1 FROM pg_locks WHERE NOT granted"):
                    pass
            assert not start.done()
        await start

    asyncio.run(scenario())
    assert newer.epoch == former.epoch + 1
