"""The pool on SQLite: settings arrive and change, what is measured is true, and nothing is lost without being found."""

from __future__ import annotations

import gc
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import pytest
import sqlalchemy

from tradingbot_contract.metrics import OPERATION_DURATION, POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import Pool, PoolPreset, Retry
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.unit_of_work import UnitOfWork

OpenDatabase = Callable[..., Database]
TABLE = "CREATE TABLE t (n INTEGER)"
DEADLINE_SECONDS = 60.0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def start(work: Callable[[], None], count: int = 1) -> Callable[[], None]:
    """Run `work` on so many threads; return what waits for their end and raises what one of them has raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised by who waits
            failures.append(error)

    started = [threading.Thread(target=run) for _ in range(count)]
    for thread in started:
        thread.start()

    def join() -> None:
        for thread in started:
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()
        if failures:
            raise failures[0]

    return join


def test_the_spec_s_settings_arrive_in_the_pool(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=3, max_overflow=4, timeout_seconds=0.5, recycle_seconds=77, pre_ping=False))
    pool = database.pool
    assert (pool.size(), pool._max_overflow, pool._timeout, pool._recycle, pool._pre_ping) == (3, 4, 0.5, 77, False)
    assert database.stats().max_connections == 7
    assert open_database(Pool(pre_ping=True)).pool._pre_ping
    assert open_database(Pool(preset=PoolPreset.THROUGHPUT)).stats().max_connections == 30


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
def test_sqlite_is_set_up(open_database: OpenDatabase, *, durable: bool, synchronous: int) -> None:
    names = (
        "journal_mode", "synchronous", "foreign_keys", "temp_store", "mmap_size", "cache_size", "busy_timeout", "wal_autocheckpoint",
        "journal_size_limit",
    )  # fmt: skip
    with open_database(durable=durable).reading() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "temp_store": 2,
        "mmap_size": 256 * 2**20 // 7,
        "cache_size": -1024,
        "busy_timeout": 5000,
        "wal_autocheckpoint": 1000,
        "journal_size_limit": 16777216,
    }


def test_the_first_connections_to_a_new_file_may_come_at_once(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=16, max_overflow=0))
    together = threading.Barrier(16)

    def borrow() -> None:
        together.wait(DEADLINE_SECONDS)
        with database.reading():
            together.wait(DEADLINE_SECONDS)

    start(borrow, 16)()
    assert database.stats().created == 16


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
    assert database.stats().used == 0


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


def test_32_threads_read_and_write_and_nothing_is_lost(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)

    def work() -> None:
        for _ in range(20):
            with database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            with database.reading() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar()

    start(work, 32)()
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 640
    stats = database.stats()
    assert (stats.used, stats.pending, stats.timeouts, stats.errors, database.leaks) == (0, 0, 0, 0, 0)
    assert 1 < stats.peak_used <= stats.created <= stats.max_connections == 7


def test_waiting_in_vain_is_counted(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=0.05))
    with database.reading():
        with pytest.raises(sqlalchemy.exc.TimeoutError, match=r"all 1 connections .* database\.pool"), database.reading():
            pass
        stats = database.stats()
        assert (stats.timeouts, stats.pending, stats.used) == (1, 0, 1)
    stats = database.stats()
    assert (stats.idle, stats.used, stats.peak_used) == (1, 0, 1)


def test_who_waits_is_counted_while_it_waits_and_since_when(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))

    def borrow() -> None:
        with database.reading():
            pass

    before = time.time()
    with database.reading():
        join = start(borrow, 2)
        wait_until(lambda: database.stats().pending == 2)
        since = database.stats().exhausted_since
        assert since is not None
        assert before <= since <= time.time()
    join()
    assert (database.stats().pending, database.stats().exhausted_since) == (0, None)


def test_who_came_first_is_served_first(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))
    served: list[str] = []

    def borrow() -> None:
        with database.reading():
            served.append(threading.current_thread().name)

    waiting: list[threading.Thread] = []
    with database.reading():
        for number in range(6):
            waiting.append(threading.Thread(target=borrow, name=f"borrower-{number}"))
            waiting[-1].start()
            wait_until(lambda number=number: database.stats().pending == number + 1)  # type: ignore[misc]  # bound to this round
    # Who gives back and asks again at once comes last.
    with database.reading():
        served.append("main")
    for thread in waiting:
        thread.join(DEADLINE_SECONDS)
    assert served == [*(thread.name for thread in waiting), "main"]


def test_times_are_measured(open_database: OpenDatabase) -> None:
    counted: Counter[tuple[Instrument, tuple[str, ...]]] = Counter()

    def record(instrument: Instrument, seconds: float, attributes: Mapping[str, str]) -> None:
        assert seconds > 0
        assert set(attributes) == set(instrument.attributes)
        counted[instrument, tuple(attributes.values())] += 1

    database = open_database(record=record, name="history")
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT n FROM t")
    assert counted == {
        (POOL_CREATE_TIME, ("history",)): 1,
        (POOL_WAIT_TIME, ("history",)): 2,
        (POOL_USE_TIME, ("history",)): 2,
        (OPERATION_DURATION, ("sqlite", "BEGIN")): 2,
        (OPERATION_DURATION, ("sqlite", "OTHER")): 1,
        (OPERATION_DURATION, ("sqlite", "INSERT")): 1,
        (OPERATION_DURATION, ("sqlite", "SELECT")): 1,
        (OPERATION_DURATION, ("sqlite", "COMMIT")): 1,
    }


def test_new_settings_are_used_at_once_and_the_old_pool_is_emptied(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=2, max_overflow=0))
    with database.reading(), database.reading():
        pass
    former = database.pool
    with database.reading() as connection:
        database.reconfigure(Pool(size=4, max_overflow=1, recycle_seconds=5), Retry())
        wait_until(lambda: former.checkedin() == 0)
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1  # it is not cut
        driver = connection.connection.driver_connection
        with database.reading() as fresh:
            assert fresh.connection.driver_connection is not driver
        stats = database.stats()
        assert (stats.used, stats.idle, stats.max_connections, stats.created) == (1, 1, 5, 3)
    assert former.checkedin() == 0
    assert isinstance(driver, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 1")
    assert (database.pool.size(), database.pool._recycle) == (4, 5)


def test_who_waits_gets_a_connection_of_the_new_pool(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))
    served = threading.Event()

    def borrow() -> None:
        with database.reading():
            served.set()

    with database.reading():
        join = start(borrow)
        wait_until(lambda: database.stats().pending == 1)
        database.reconfigure(Pool(size=2, max_overflow=0), Retry())
        assert served.wait(DEADLINE_SECONDS)
    join()


def test_a_change_of_the_time_to_wait_keeps_the_connections(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0))
    with database.reading():
        pool = database.pool
        database.reconfigure(Pool(size=1, max_overflow=0, timeout_seconds=0.01), Retry())
        assert database.pool is pool
        with pytest.raises(sqlalchemy.exc.TimeoutError, match=r"0\.01 s"), database.reading():
            pass


def test_settings_change_under_load_without_an_error_or_a_connection_too_many(open_database: OpenDatabase) -> None:
    small, large = Pool(size=2, max_overflow=1), Pool(size=6, max_overflow=4)
    database = open_database(small)
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)
    ended = threading.Event()
    deadline = time.monotonic() + DEADLINE_SECONDS

    def work() -> None:
        while not ended.is_set():
            with database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            with database.reading() as connection:
                connection.exec_driver_sql("SELECT count(*) FROM t")

    join = start(work, 16)
    for number in range(40):
        created, former = database.stats().created, database._meter.lane
        database.reconfigure(large if number % 2 == 0 else small, Retry())
        # There are never more than two pools: the next change waits until nobody uses the one before.
        while database.stats().created < created + 1 or former.used:
            assert time.monotonic() < deadline
    ended.set()
    join()
    stats = database.stats()
    assert (stats.used, stats.pending, stats.timeouts, stats.errors, database.leaks) == (0, 0, 0, 0, 0)
    assert stats.peak_used <= small.max_connections + large.max_connections


def leak(database: Database, *, writes: bool = False) -> UnitOfWork:
    unit = database.writing() if writes else database.reading()
    unit.__enter__()
    return unit


@pytest.mark.parametrize("writes", [False, True])
def test_a_unit_of_work_that_is_dropped_is_found_and_its_connection_lent_again(
    open_database: OpenDatabase, caplog: pytest.LogCaptureFixture, *, writes: bool
) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=10.0))
    unit = leak(database, writes=writes)
    assert (database.leaks, database.stats().used) == (0, 1)
    del unit
    gc.collect()
    with database.writing() as connection:
        connection.exec_driver_sql(TABLE)
    assert (database.leaks, database.stats().used) == (1, 0)
    [told] = [entry for entry in caplog.records if "leaked" in entry.message]
    assert told.__dict__["fields"]["borrowed"].endswith(" in leak")
    assert "test_connections.py:" in told.__dict__["fields"]["borrowed"]


def test_who_waits_gets_what_a_thread_that_is_gone_has_left(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=DEADLINE_SECONDS))
    may_go = threading.Event()

    def borrow_and_go() -> None:
        unit = database.reading()
        unit.__enter__()
        may_go.wait(DEADLINE_SECONDS)

    def borrow() -> None:
        with database.reading():
            pass

    join_first = start(borrow_and_go)
    wait_until(lambda: database.stats().used == 1)
    join_second = start(borrow)
    wait_until(lambda: database.stats().pending == 1)
    may_go.set()
    join_first()
    join_second()
    assert (database.leaks, database.stats().used) == (1, 0)


def test_a_generator_that_nobody_finishes_is_found_once_it_has_taken_too_long(
    open_database: OpenDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database()

    def rows() -> Iterator[int]:
        with database.reading() as connection:
            yield from connection.exec_driver_sql("SELECT 1 UNION SELECT 2").scalars()

    unfinished = rows()
    next(unfinished)
    now = time.monotonic()
    database._loans.review(now + 299)
    assert database.leaks == 0
    for _ in range(2):
        database._loans.review(now + 301)
    assert database.leaks == 1
    assert [entry.__dict__["fields"]["borrowed"].rpartition(" ")[2] for entry in caplog.records if entry.levelno == logging.ERROR] == [
        "rows"
    ]
    assert list(unfinished) == [2]
    assert database.stats().used == 0


def test_patient_work_may_take_long(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.writing(patient=True):
        database._loans.review(time.monotonic() + 1e6)
    assert database.leaks == 0


def test_closed_it_lends_nothing_and_closes_what_comes_back(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))

    def borrow_in_vain() -> None:
        with pytest.raises(sqlalchemy.exc.InvalidRequestError, match="closed"), database.reading():
            pass

    with database.reading() as connection:
        join = start(borrow_in_vain)
        wait_until(lambda: database.stats().pending == 1)
        database.close()
        join()
        driver = connection.connection.driver_connection
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    assert isinstance(driver, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 1")
    borrow_in_vain()
