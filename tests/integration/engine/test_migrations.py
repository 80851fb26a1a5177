"""Tables of former versions become those of today, whatever happens meanwhile, and engines of both work on them side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table

from bot_tables import BotTables
from postgres_server import PostgresServer
from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_contract.resources import Pool
from tradingbot_engine.database import migration
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.history import HISTORY, History
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.migration import JOURNAL, Chain, migrate
from tradingbot_engine.database.schema import SCHEMA_VERSION
from tradingbot_engine.unavailable import UnavailableError

BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")
ENGINES_AT_ONCE = 5
DEADLINE_SECONDS = 120


def differences(place: BotTables, chain: Chain) -> list[Any]:
    """What Alembic would still have to do to get from the tables to the models."""
    with place.open().reading() as borrowed:
        connection = borrowed.execution_options(schema_translate_map=None)
        place.enter(connection)
        names = set(chain.metadata.tables)

        def is_of_chain(name: str | None, kind: str, _parents: Any) -> bool:
            return kind != "table" or name in names

        options = {"compare_type": True, "compare_server_default": True, "include_name": is_of_chain}
        return compare_metadata(MigrationContext.configure(connection, opts=options), chain.metadata)


def versions(place: BotTables) -> list[Any]:
    return place.run("SELECT version_num FROM alembic_version")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BotTables]:
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("server")
        url = server.url(server.new_database())
    place = BotTables(tmp_path, url, BOT)
    yield place
    place.close()


@pytest.mark.parametrize("chain", [JOURNAL, HISTORY], ids=["journal", "history"])
def test_models_and_migrations_lead_to_the_same_tables(place: BotTables, chain: Chain) -> None:
    place.migrate_by_alembic(chain, "head")
    assert differences(place, chain) == []
    found = place.run(f"SELECT version_num FROM {chain.version_table.name}")  # noqa: S608 - names from here
    assert found == [(f"{chain.version:04}",)]


@pytest.mark.parametrize("chain", [JOURNAL, HISTORY], ids=["journal", "history"])
def test_tables_that_are_made_at_once_are_those_of_the_models(place: BotTables, chain: Chain) -> None:
    for _ in range(2):
        with place.open().writing(patient=True) as connection:
            migrate(connection, chain)
    assert differences(place, chain) == []


def test_a_difference_would_be_noticed(place: BotTables) -> None:
    Journal(place.open()).open(BOT)
    changed = MetaData()
    for table in JOURNAL.metadata.tables.values():
        table.to_metadata(changed)
    changed.tables["orders"].append_column(Column("venue", Integer))
    Table("more", changed, Column("id", Integer))
    found = differences(place, JOURNAL._replace(metadata=changed))
    assert sorted(difference[0] for difference in found) == ["add_column", "add_table"]


def test_a_journal_of_version_1_goes_on_with_all_it_holds(place: BotTables) -> None:
    place.make_version_1()
    before = place.rows()
    journal = Journal(place.open())
    restored = journal.open(BOT)
    assert restored is not None
    assert (restored.checkpoint.step, restored.checkpoint.order_sequence) == (256, 16)
    assert [order.sequence for order in restored.open_orders] == [16]
    assert place.rows() == before
    assert len(before["orders"]) == 16
    assert differences(place, JOURNAL) == []
    assert journal.epoch == 1
    again = Journal(place.open())
    assert again.open(BOT) == restored
    assert again.epoch == 2
    assert versions(place) == [(f"{SCHEMA_VERSION:04}",)]


def test_an_engine_of_version_1_works_on_beside(place: BotTables) -> None:
    """These are its statements, as it sends them."""
    place.make_version_1()
    journal = Journal(place.open())
    restored = journal.open(BOT)
    assert place.run("SELECT id, schema_version, namespace, name, uid, shard FROM journal") == [(1, 1, "trading", "first", "5d5ba1d0", 0)]
    place.run(
        "INSERT INTO orders (sequence, client_order_id, symbol, side, type, quantity, reference_price, status, reason, lap, step, time_ms) "
        "VALUES (17, 'tb-x-0-17', 'MSFT', 'buy', 'market', 1.0, 10.0, 'filled', '', 0, 256, 983836800000) "
        "ON CONFLICT (sequence) DO UPDATE SET status = excluded.status, reason = excluded.reason",
        "INSERT INTO fills (sequence, order_sequence, symbol, side, quantity, price, fee, realised, lap, step, time_ms) "
        "VALUES (16, 17, 'MSFT', 'buy', 1.0, 10.0, 0.0, NULL, 0, 257, 983836800000) ON CONFLICT (sequence) DO NOTHING",
        "INSERT INTO equity (sequence, lap, step, time_ms, equity, cash, drawdown) VALUES (11, 0, 257, 983836800000, 1.0, 1.0, 0.0) "
        "ON CONFLICT (sequence) DO NOTHING",
        "DELETE FROM equity WHERE sequence <= 1",
        "INSERT INTO checkpoint (id, lap, step, bars, equity, state) SELECT 1, lap, step, bars, equity, state FROM checkpoint WHERE true "
        "ON CONFLICT (id) DO UPDATE SET lap = excluded.lap, step = excluded.step, bars = excluded.bars, equity = excluded.equity, "
        "state = excluded.state",
    )
    assert Journal(place.open()).open(BOT) == restored
    place.run("DELETE FROM fills", "DELETE FROM orders", "DELETE FROM journal")
    place.run("INSERT INTO journal (id, schema_version, namespace, name, uid, shard) VALUES (1, 1, 'trading', 'first', '5d5ba1d0', 0)")
    assert place.run("SELECT epoch FROM journal") == [(0,)]


def test_what_a_newer_engine_has_added_is_left_alone(place: BotTables) -> None:
    Journal(place.open()).open(BOT)
    place.run("UPDATE alembic_version SET version_num = '0099'", "ALTER TABLE orders ADD COLUMN venue INTEGER")
    journal = Journal(place.open())
    assert journal.open(BOT) is None
    assert journal.epoch == 2
    assert versions(place) == [("0099",)]


def test_what_a_newer_engine_alone_may_write_is_refused(place: BotTables) -> None:
    Journal(place.open()).open(BOT)
    place.run(f"UPDATE journal SET schema_version = {SCHEMA_VERSION + 1}")  # noqa: S608 - a number
    with pytest.raises(SpecError, match="a newer engine has written it"):
        Journal(place.open()).open(BOT)
    assert place.run("SELECT epoch FROM journal") == [(1,)]  # refused, it shuts nobody out


_OPEN = """
import os, signal, sys
from pathlib import Path
import alembic.command, psycopg, sqlalchemy
from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.history import History
from tradingbot_engine.database.journal import Journal

bot = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")
address = parse_database_address(sys.argv[2] or None, Path(sys.argv[1]), "journal.sqlite", bot)

def open_all(killed_after=0):
    statements = 0

    @sqlalchemy.event.listens_for(sqlalchemy.Engine, "after_cursor_execute")
    def count(*_):
        nonlocal statements
        statements += 1
        if statements == killed_after:
            os.kill(os.getpid(), signal.SIGKILL)

    database = Database(address, Pool())
    journal = Journal(database)
    journal.open(bot)
    History(database).open()
    database.close()
    return journal.epoch

"""
# Waits for the word to go, opens the journal and tells its epoch.
_OPEN_ONCE = _OPEN + "sys.stdin.read(1)\nprint(open_all())\n"
# Opens it in child after child, each of which is killed one statement later than the one before, until one comes to its end.
_OPEN_AND_BE_KILLED = (
    _OPEN
    + """
for statement in range(1, 200):
    child = os.fork()
    if child == 0:
        open_all(killed_after=statement)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
print(statement - 1)
"""
)


def start(script: str, place: BotTables) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "engine")}
    arguments = [sys.executable, "-c", script, str(place.folder), place.url or ""]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("former", [True, False], ids=["from version 1", "from nothing"])
def test_engines_that_start_at_once_migrate_once(place: BotTables, *, former: bool) -> None:
    if former:
        place.make_version_1()
    processes = [start(_OPEN_ONCE, place) for _ in range(ENGINES_AT_ONCE)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go")
        process.stdin.flush()
    answers = [process.communicate(timeout=DEADLINE_SECONDS) for process in processes]
    assert [process.returncode for process in processes] == [0] * ENGINES_AT_ONCE, answers
    assert sorted(int(answer) for answer, _ in answers) == list(range(1, ENGINES_AT_ONCE + 1))
    assert versions(place) == [(f"{SCHEMA_VERSION:04}",)]
    assert differences(place, JOURNAL) == []
    assert differences(place, HISTORY) == []


@pytest.mark.parametrize("former", [True, False], ids=["from version 1", "from nothing"])
def test_killed_at_any_statement_it_is_done_by_the_next_start(place: BotTables, *, former: bool) -> None:
    if former:
        place.make_version_1()
        before = place.rows()
    answer, errors = start(_OPEN_AND_BE_KILLED, place).communicate(timeout=DEADLINE_SECONDS)
    assert errors == ""
    assert int(answer) > 10
    assert versions(place) == [(f"{SCHEMA_VERSION:04}",)]
    assert differences(place, JOURNAL) == []
    assert differences(place, HISTORY) == []
    if former:
        assert place.rows() == before


def test_a_user_who_may_not_make_a_schema_is_told_what_to_do(server: PostgresServer, tmp_path: Path) -> None:
    name = server.new_database()
    with server.connect(name) as connection:
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
    url = server.url(name).replace(f"tradingbot:{server.password}@", "visitor:visitor@")
    place = BotTables(tmp_path, url, BOT)
    with pytest.raises(SpecError, match=r"database: its user can't make schema tb_trading_first_0 .*: grant it CREATE"):
        Journal(place.open()).open(BOT)
    with server.connect(name) as connection:
        connection.execute('CREATE SCHEMA "tb_trading_first_0" AUTHORIZATION visitor')
    assert Journal(place.open()).open(BOT) is None
    place.close()


def test_a_bot_s_tables_are_its_own(server: PostgresServer, tmp_path: Path) -> None:
    url = server.url(server.new_database())
    bots = [BOT, BotIdentity(namespace="trading", name="first", uid="5d5ba1d0", shard=1), BotIdentity(namespace="n", name="b", uid="u")]
    for bot in bots:
        database = Database(parse_database_address(url, tmp_path, "unused", bot), Pool())
        assert Journal(database).open(bot) is None
        History(database).open()
        database.close()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT table_schema, count(*) FROM information_schema.tables WHERE table_name = 'orders' GROUP BY 1")
        assert sorted(found) == [("tb_n_b_0", 1), ("tb_trading_first_0", 1), ("tb_trading_first_1", 1)]


def test_a_start_that_hangs_is_waited_for_but_not_for_ever(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_LOCK_TIMEOUT_SECONDS", 1)
    place = BotTables(tmp_path, server.url(server.new_database()), BOT)
    journal = Journal(place.open())
    with place.open().writing(patient=True) as connection:
        migrate(connection, JOURNAL)
        with pytest.raises(UnavailableError, match=r"journal: can't be opened: .*: something else holds a lock for too long"):
            journal.open(BOT)
    assert journal.open(BOT) is None
    place.close()
