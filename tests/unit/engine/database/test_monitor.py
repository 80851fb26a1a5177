"""The monitor on real SQLite files: a database that is gone or full is told from one that is busy."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy

from tradingbot_contract.resources import Pool
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.monitor import DatabaseMonitor

OpenDatabase = Callable[..., Database]
PAGES = 8


@pytest.fixture
def database(open_database: OpenDatabase) -> Database:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=0.05))
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x BLOB)")
    return database


@pytest.fixture
def monitor(database: Database) -> DatabaseMonitor:
    return DatabaseMonitor(database)


def fill(database: Database) -> None:
    """Write more than the file may have pages, which SQLite calls a full disk."""
    with database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={PAGES}").close()
        connection.exec_driver_sql("INSERT INTO t VALUES (zeroblob(?))", (PAGES * 4096,))


def test_nothing_is_known_before_it_was_tried(monitor: DatabaseMonitor) -> None:
    assert monitor.dependency.up is None


def test_the_first_transaction_says_that_it_is_up(database: Database, monitor: DatabaseMonitor) -> None:
    before = time.time()
    with database.reading():
        pass
    dependency = monitor.dependency
    assert (dependency.name, dependency.up, dependency.message, dependency.latency_seconds) == ("database", True, "", None)
    assert before <= dependency.since <= time.time()


def test_a_check_says_how_long_it_took(monitor: DatabaseMonitor) -> None:
    asyncio.run(monitor.check())
    dependency = monitor.dependency
    assert dependency.up
    assert dependency.latency_seconds is not None
    assert 0 < dependency.latency_seconds < 60


def test_a_pool_that_is_exhausted_is_not_a_database_that_is_gone(database: Database, monitor: DatabaseMonitor) -> None:
    with database.writing():
        with pytest.raises(sqlalchemy.exc.TimeoutError), database.reading():
            pass
        assert monitor.dependency.up is None
        asyncio.run(monitor.check())
        assert monitor.dependency.up


def test_a_program_s_own_error_says_nothing_of_the_database(database: Database, monitor: DatabaseMonitor) -> None:
    with database.reading():
        pass
    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such table"), database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")
    assert monitor.dependency.up


def test_a_full_disk_is_told_at_once_and_not_forgotten_by_a_reader(
    database: Database, monitor: DatabaseMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(sqlalchemy.exc.OperationalError, match="full"):
        fill(database)
    assert (monitor.dependency.up, monitor.dependency.message) == (False, "database or disk is full")
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM t")
    assert monitor.dependency.up is False
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    assert monitor.dependency.up
    assert [entry.message for entry in caplog.records] == ["the database can't be used", "the database can be used again"]


def test_a_check_finds_by_a_write_that_there_is_room_again(database: Database, monitor: DatabaseMonitor) -> None:
    with pytest.raises(sqlalchemy.exc.OperationalError, match="full"):
        fill(database)
    asyncio.run(monitor.check())
    assert (monitor.dependency.up, monitor.dependency.message) == (True, "")


def test_a_file_that_is_deleted_is_missed_though_open_connections_still_write(
    database: Database, monitor: DatabaseMonitor, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    path.rename(tmp_path / "elsewhere")
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    asyncio.run(monitor.check())
    dependency = monitor.dependency
    assert (dependency.up, dependency.message) == (False, f"{path}: unable to open database file")
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    assert monitor.dependency == dependency
    (tmp_path / "elsewhere").rename(path)
    asyncio.run(monitor.check())
    assert monitor.dependency.up


def test_a_file_that_is_no_database_is_named(database: Database, monitor: DatabaseMonitor, tmp_path: Path) -> None:
    database.close()
    (tmp_path / "journal.sqlite").write_bytes(b"no database at all" * 1000)
    asyncio.run(monitor.check())
    assert monitor.dependency.up is False
    assert "not a database" in monitor.dependency.message


def test_a_file_that_somebody_else_has_locked_says_nothing(database: Database, monitor: DatabaseMonitor, tmp_path: Path) -> None:
    with pytest.raises(sqlalchemy.exc.OperationalError, match="full"):
        fill(database)
    other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asyncio.run(monitor.check())
    assert (monitor.dependency.up, monitor.dependency.message) == (False, "database or disk is full")
    other.rollback()
    other.close()


def test_checks_look_for_leaks(database: Database, monitor: DatabaseMonitor) -> None:
    unit = database.reading()
    unit.__enter__()
    del unit
    asyncio.run(monitor.check())
    assert database._loans.leaks == 1
