"""The journal: a group is written whole, twice as once, and only for its own bot."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from msgspec import structs

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.rows import Group, TradeStatistics
from tradingbot_engine.database.schema import OLDEST_WRITER, SCHEMA_VERSION

OpenDatabase = Callable[..., Database]
BOT = BotIdentity(namespace="n", name="b", uid="u")
CLOSES = [10.0, 10.0, 12.0, 12.0, 12.0, 9.0, 9.0]


@pytest.fixture
def bench(workshop: Any) -> Any:
    orders = {1: [("buy", "A", 100.0)], 3: [("sell", "A", 5.0)], 5: [("sell", "A", 5.0), ("sell", "A", 99.0)], 6: [("buy", "A", 9.0)]}
    return workshop.session(workshop.prices({"A": CLOSES}), workshop.script(orders))


def contents(path: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(path / "journal.sqlite") as connection:
        found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("orders", "fills", "equity", "checkpoint")}  # noqa: S608 - names from here
    connection.close()
    return found


def test_what_is_written_is_restored(open_database: OpenDatabase, bench: Any) -> None:
    journal = Journal(open_database())
    assert journal.open(BOT) is None
    bench.run(6)
    group = bench.session.take_group()
    journal.commit(group)
    restored = Journal(open_database()).open(BOT)
    assert restored is not None
    assert restored.checkpoint == group.checkpoint
    assert [order.sequence for order in restored.open_orders] == [5]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_groups_of_any_size_leave_the_same_rows(open_database: OpenDatabase, bench: Any, size: int, tmp_path: Path) -> None:
    journal = Journal(open_database())
    journal.open(BOT)
    while not bench.session.at_end():
        bench.run(size)
        journal.commit(bench.session.take_group())
    found = contents(tmp_path)
    assert [order[7] for order in found["orders"]] == ["filled", "filled", "filled", "rejected", "filled"]
    assert [fill[:2] for fill in found["fills"]] == [(1, 1), (2, 2), (3, 3), (4, 5)]


def test_written_twice_it_is_there_once(open_database: OpenDatabase, bench: Any, tmp_path: Path) -> None:
    journal = Journal(open_database())
    journal.open(BOT)
    bench.run()
    group = bench.session.take_group()
    journal.commit(group)
    once = contents(tmp_path)
    journal.commit(group)
    assert contents(tmp_path) == once


def test_a_group_that_fails_leaves_nothing(open_database: OpenDatabase, bench: Any, tmp_path: Path) -> None:
    journal = Journal(open_database())
    journal.open(BOT)
    bench.run()
    group = bench.session.take_group()
    broken = Group(group.orders, [{**group.fills[0], "order_sequence": 4711}], group.equity, group.checkpoint, 0.0)
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        journal.commit(broken)
    assert not any(contents(tmp_path).values())


def test_an_order_is_filled_once_whatever_the_program_thinks(open_database: OpenDatabase, bench: Any) -> None:
    journal = Journal(open_database())
    journal.open(BOT)
    bench.run()
    group = bench.session.take_group()
    journal.commit(group)
    again = Group([], [{**group.fills[0], "sequence": 99}], [], group.checkpoint, 0.0)
    with pytest.raises(sqlalchemy.exc.IntegrityError, match="UNIQUE"):
        journal.commit(again)


@pytest.mark.parametrize("field", ["namespace", "name", "uid", "shard"])
def test_another_bot_s_journal_is_refused(open_database: OpenDatabase, field: str) -> None:
    Journal(open_database()).open(BOT)
    other = structs.replace(BOT, **{field: 7 if field == "shard" else "other"})
    with pytest.raises(SpecError, match="it belongs to bot n/b, shard 0, uid u"):
        Journal(open_database()).open(other)


def test_a_newer_journal_is_refused(open_database: OpenDatabase) -> None:
    database = open_database()
    Journal(database).open(BOT)
    with database.writing() as connection:
        assert connection.exec_driver_sql("SELECT schema_version FROM journal").scalar_one() == OLDEST_WRITER <= SCHEMA_VERSION
        connection.exec_driver_sql("UPDATE journal SET schema_version = ?", (SCHEMA_VERSION + 1,))
    with pytest.raises(SpecError, match="a newer engine has written it"):
        Journal(database).open(BOT)


@pytest.mark.parametrize("damage", ["UPDATE checkpoint SET state = '{'", "UPDATE checkpoint SET state = '{}'"])
def test_a_checkpoint_that_cannot_be_read_is_refused(open_database: OpenDatabase, bench: Any, damage: str) -> None:
    database = open_database()
    journal = Journal(database)
    journal.open(BOT)
    journal.commit(bench.session.take_group())
    with database.writing() as connection:
        connection.exec_driver_sql(damage)
    with pytest.raises(SpecError, match="the file is damaged"):
        journal.open(BOT)


def test_statistics(open_database: OpenDatabase, bench: Any) -> None:
    journal = Journal(open_database())
    journal.open(BOT)
    bench.run()
    journal.commit(bench.session.take_group())
    assert journal.read_trade_statistics() == [TradeStatistics("A", 2, 2, pytest.approx(20.0))]


def test_who_was_replaced_writes_nothing(open_database: OpenDatabase, bench: Any, tmp_path: Path) -> None:
    former, newer = Journal(open_database()), Journal(open_database())
    former.open(BOT)
    bench.run(3)
    former.commit(bench.session.take_group())
    newer.open(BOT)
    assert newer.epoch == former.epoch + 1
    before = contents(tmp_path)
    bench.run()
    group = bench.session.take_group()
    with pytest.raises(FencedError, match="another engine has started"):
        former.commit(group)
    assert contents(tmp_path) == before
    newer.commit(group)
    assert len(contents(tmp_path)["orders"]) == 5


def test_a_replay_without_postgres_loads_nothing_of_it() -> None:
    script = (
        "import sys, tempfile, pathlib\n"
        "from tradingbot_contract.document import BotIdentity\n"
        "from tradingbot_contract.resources import Pool\n"
        "from tradingbot_engine.database.address import parse_database_address\n"
        "from tradingbot_engine.database.connections import Database\n"
        "from tradingbot_engine.database.journal import Journal\n"
        "bot = BotIdentity(namespace='n', name='b', uid='u')\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    database = Database(parse_database_address(None, pathlib.Path(folder), 'j', bot), Pool())\n"
        "    Journal(database).open(bot)\n"
        "    Journal(database).open(bot)\n"
        "    database.close()\n"
        "print([name for name in ('alembic', 'psycopg', 'sqlalchemy.dialects.postgresql') if name in sys.modules])\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "[]\n"
