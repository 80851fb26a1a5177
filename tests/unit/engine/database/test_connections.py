"""The pool: settings arrive, SQLite is set up, and what is measured is true."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy

from tradingbot_contract.metrics import POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import Pool
from tradingbot_engine.database.connections import Database

OpenDatabase = Callable[..., Database]
TABLE = "CREATE TABLE t (n INTEGER)"


def test_the_spec_s_settings_arrive_in_the_pool(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=3, max_overflow=4, timeout_seconds=0.5, recycle_seconds=77, pre_ping=False))
    pool = database.pool
    assert (pool.size(), pool._max_overflow, pool._timeout, pool._recycle, pool._pre_ping) == (3, 4, 0.5, 77, False)
    assert database.max_connections == 7
    assert open_database(Pool(pre_ping=True)).pool._pre_ping


def test_a_commit_survives_the_loss_of_power_and_views_do_not_wait(open_database: OpenDatabase) -> None:
    with open_database().reading() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_raises_is_rolled_back(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)

    def write_half() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(sqlalchemy.exc.OperationalError, match="nowhere"):
        write_half()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


def test_a_reader_sees_one_state_while_the_writer_goes_on(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)
    with database.reading() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        with database.writing() as writer:
            writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


def test_a_writer_takes_the_lock_before_it_reads(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.writing() as connection:
        other = open_database()
        with other.reading() as reader:
            reader.exec_driver_sql("PRAGMA busy_timeout=0")
            with pytest.raises(sqlalchemy.exc.OperationalError, match="locked"):
                reader.exec_driver_sql(TABLE)
        connection.exec_driver_sql(TABLE)


def test_waiting_in_vain_is_counted(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=0.05))
    with database.reading():
        with pytest.raises(sqlalchemy.exc.TimeoutError), database.reading():
            pass
        assert (database.timeouts, database.pending) == (1, 0)
    assert (database.pool.checkedin(), database.pool.checkedout()) == (1, 0)


def test_who_waits_is_counted_while_it_waits(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))

    def borrow() -> None:
        with database.reading():
            pass

    with database.reading():
        thread = threading.Thread(target=borrow)
        thread.start()
        deadline = time.monotonic() + 10
        while database.pending != 1:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    thread.join(10)
    assert database.pending == 0


def test_times_are_measured(open_database: OpenDatabase) -> None:
    counted: Counter[Instrument] = Counter()

    def record(instrument: Instrument, seconds: float) -> None:
        assert seconds > 0
        counted[instrument] += 1

    database = open_database(record=record)
    for _ in range(3):
        with database.reading():
            pass
    assert counted == {POOL_CREATE_TIME: 1, POOL_WAIT_TIME: 3, POOL_USE_TIME: 3}
