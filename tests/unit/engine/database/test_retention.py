"""What is too old goes, in small steps; what counts stays."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Retention
from tradingbot_engine.database import retention as retention_module
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.history import History
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.retention import Pruner
from tradingbot_engine.database.rows import PredictionRow
from tradingbot_engine.unavailable import UnavailableError

OpenDatabase = Callable[..., Database]
BOT = BotIdentity(namespace="n", name="b", uid="u")


def numbers(folder: Path, table: str, column: str = "sequence") -> list[int]:
    with sqlite3.connect(folder / "journal.sqlite") as connection:
        found = [row[0] for row in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1")]  # noqa: S608 - names from here
    connection.close()
    return found


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Retention]:
    """Retention of fewer rows than a spec may ask for, and as small batches."""

    def build(**rows: int) -> Retention:
        monkeypatch.setattr(retention_module, "BATCH_ROWS", 2)
        return Retention(**rows)

    return build


def test_old_equity_goes(open_database: OpenDatabase, workshop: Any, tmp_path: Path, few: Callable[..., Retention]) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0] * 200}), workshop.script({}))
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    bench.run()
    journal.commit(bench.session.take_group())
    assert numbers(tmp_path, "equity") == list(range(1, 9))
    pruner = Pruner(few(equity_points=3), database, journal.epoch)
    asyncio.run(pruner.run())
    assert numbers(tmp_path, "equity") == [6, 7, 8]
    assert pruner.removed == {"equity": 5}
    asyncio.run(pruner.run())
    assert pruner.removed == {"equity": 5}
    pruner.reconfigure(few(equity_points=2))
    asyncio.run(pruner.run())
    assert numbers(tmp_path, "equity") == [7, 8]


def test_orders_of_former_laps_go_those_of_the_lap_stay(
    open_database: OpenDatabase, workshop: Any, tmp_path: Path, few: Callable[..., Retention]
) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0] * 6}), lambda desk, bar: desk.buy(bar.symbol, 10.0))
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    bench.run()
    journal.commit(bench.session.take_group())
    pruner = Pruner(few(orders=3), database, journal.epoch)
    asyncio.run(pruner.run())
    assert len(numbers(tmp_path, "orders")) == 6  # more than are kept, but of this lap
    bench.session.begin_lap()
    bench.run(1)
    journal.commit(bench.session.take_group())
    asyncio.run(pruner.run())
    assert numbers(tmp_path, "orders") == [6, 7, 8]
    assert numbers(tmp_path, "fills", "order_sequence") == [7]  # 6 was canceled, 8 waits
    assert pruner.removed == {"orders": 5, "fills": 5}


def test_an_open_order_stays_however_old(open_database: OpenDatabase, workshop: Any, tmp_path: Path, few: Callable[..., Retention]) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0] * 6}), lambda desk, bar: desk.buy(bar.symbol, 10.0))
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    bench.run()
    bench.session.begin_lap()
    journal.commit(bench.session.take_group())
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET status = 'new' WHERE sequence = 6")
    asyncio.run(Pruner(few(orders=1), database, journal.epoch).run())
    assert numbers(tmp_path, "orders") == [6, 7]
    assert numbers(tmp_path, "fills", "order_sequence") == [7]


def test_the_file_of_a_bot_that_runs_on_and_on_stops_growing(open_database: OpenDatabase, workshop: Any, tmp_path: Path) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 11.0] * 200}), lambda desk, bar: desk.buy(bar.symbol, 0.1))
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    pruner = Pruner(Retention(orders=1000, equity_points=100), database, journal.epoch)
    sizes = []
    for _ in range(60):
        bench.run()
        journal.commit(bench.session.take_group())
        bench.session.begin_lap()
        asyncio.run(pruner.run())
        sizes.append((tmp_path / "journal.sqlite").stat().st_size + (tmp_path / "journal.sqlite-wal").stat().st_size)
    assert len(numbers(tmp_path, "orders")) <= 1000 + 401  # the lap that was written last is kept whole
    assert max(sizes[30:]) <= max(sizes[:30]) * 1.02


def test_judgements_go(open_database: OpenDatabase, tmp_path: Path, few: Callable[..., Retention]) -> None:
    database = open_database()
    journal, history = Journal(database), History(database)
    journal.open(BOT)
    history.open()
    history.record([PredictionRow(f"d{n}", str(n), (), "news", "lexicon", 0.1, 0.2, 0.7, 0.0, n, n) for n in range(9)])
    pruner = Pruner(few(predictions=4), database, journal.epoch, database)
    asyncio.run(pruner.run())
    assert numbers(tmp_path, "predictions", "judged_at_ms") == [5, 6, 7, 8]
    assert pruner.removed == {"predictions": 5}


def test_who_was_replaced_removes_nothing(
    open_database: OpenDatabase, workshop: Any, tmp_path: Path, few: Callable[..., Retention]
) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0] * 200}), workshop.script({}))
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    bench.run()
    journal.commit(bench.session.take_group())
    former = journal.epoch
    Journal(database).open(BOT)
    asyncio.run(Pruner(few(equity_points=3), database, former).run())
    assert len(numbers(tmp_path, "equity")) == 8


def test_a_database_that_cannot_be_used_is_a_failure_that_may_pass(open_database: OpenDatabase, tmp_path: Path) -> None:
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    with sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="old rows can't be removed: database is locked: another process holds the file"):
            asyncio.run(Pruner(Retention(), database, journal.epoch).run())
        other.execute("ROLLBACK")
    other.close()
