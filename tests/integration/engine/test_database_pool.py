"""The pool on a real Postgres: shared by many threads, exhausted, restarted under it, silent, and changed while it is in use."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import psutil
import psycopg
import pytest
import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, Table, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateSchema

from faulty_link import FaultyLink
from postgres_server import PostgresServer
from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool, Retry
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database

DEADLINE_SECONDS = 60.0
SOON = Retry(attempts=3, delay_seconds=0.05)
BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")
ROWS = Table("rows", MetaData(), Column("n", Integer, primary_key=True))
OpenDatabase = Callable[..., Database]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(max_connections=60) as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> str:
    server.start()
    return server.url(server.new_database())


@pytest.fixture
def open_database(url: str) -> Iterator[OpenDatabase]:
    """What is still open at the end of the test is closed."""
    opened: list[Database] = []

    def open_one(pool: Pool | None = None, retry: Retry = SOON, *, url: str = url, **options: object) -> Database:
        address = parse_database_address(url, Path("unused"), "unused", BOT)
        database = Database(address, pool or Pool(), retry, **options)  # type: ignore[arg-type]  # options are as given
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


def make_table(database: Database) -> None:
    with database.writing() as connection:
        assert database.address.schema is not None
        connection.execute(CreateSchema(database.address.schema, if_not_exists=True))
        ROWS.metadata.create_all(connection)


def count_rows(database: Database) -> int:
    return database.run_reading(lambda connection: connection.execute(select(func.count()).select_from(ROWS)).scalar_one())


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


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


class OpenConnections:
    """Counts the connections to a database while it is entered: those that the server knows and that are open here, too.

    The server alone knows each of them for a while longer, until its process has ended.
    """

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.most = 0
        self._server = server
        self._name = url.rpartition("/")[2]
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        self._join = start(self._watch)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._join()

    def now(self, connection: psycopg.Connection[tuple[object, ...]]) -> int:
        found = connection.execute("SELECT client_port FROM pg_stat_activity WHERE datname = %s", [self._name]).fetchall()
        # Looked at later: what is open now was open then.
        here = {each.laddr.port for each in psutil.Process().net_connections("tcp") if each.raddr and each.raddr.port == self._server.port}
        return len({port for (port,) in found} & here)

    def _watch(self) -> None:
        with self._server.connect() as connection:
            while not self._ended.wait(0.002):
                self.most = max(self.most, self.now(connection))


def test_the_tables_are_in_the_bot_s_schema(open_database: OpenDatabase) -> None:
    database = open_database()
    make_table(database)
    with database.reading() as connection:
        found = connection.exec_driver_sql("SELECT schemaname FROM pg_tables WHERE tablename = 'rows'").scalars().all()
    assert found == ["tb_trading_first_0"]


def settings_of(connection: Connection) -> dict[str, str]:
    names = (
        "application_name", "TimeZone", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_isolation",
        "transaction_read_only", "synchronous_commit",
    )  # fmt: skip
    return {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}


def test_each_transaction_sets_what_it_needs(open_database: OpenDatabase, server: PostgresServer, url: str) -> None:
    with server.connect() as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    common = {
        "application_name": "tradingbot trading/first-0",
        "TimeZone": "UTC",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "1min",
    }
    writes = common | {"transaction_isolation": "read committed", "transaction_read_only": "off"}
    database = open_database()
    with database.reading() as connection:
        reading = settings_of(connection)
    assert reading.items() >= (common | {"transaction_isolation": "repeatable read", "transaction_read_only": "on"}).items()
    with database.writing() as connection:
        assert settings_of(connection) == writes | {"synchronous_commit": "on"}
    with database.writing(patient=True) as connection:
        assert settings_of(connection) == writes | {"synchronous_commit": "on", "statement_timeout": "0"}
    with open_database(durable=False).writing() as connection:
        assert settings_of(connection) == writes | {"synchronous_commit": "off"}


def test_what_is_stricter_than_on_stays(open_database: OpenDatabase, server: PostgresServer, url: str) -> None:
    with server.connect() as connection:
        connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = remote_apply")
    with open_database().writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "remote_apply"


def test_nothing_is_left_in_the_session(open_database: OpenDatabase) -> None:
    """Behind a pooler of connections the next transaction may be somebody else's."""
    database = open_database()
    make_table(database)
    for _ in range(12):
        count_rows(database)
    with database.writing() as connection:
        driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    assert driver.execute("SHOW statement_timeout").fetchone() == ("0",)
    assert driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
    assert driver.execute("SELECT count(*) FROM pg_settings WHERE source = 'session'").fetchone() == (0,)


def test_tcp_is_told_to_notice_a_network_that_is_gone(open_database: OpenDatabase) -> None:
    with open_database().reading() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with socket.socket(fileno=socket.dup(driver.fileno())) as wire:
            tcp = {
                name: wire.getsockopt(socket.IPPROTO_TCP, option)
                for name, option in (
                    ("user_timeout_ms", socket.TCP_USER_TIMEOUT),
                    ("idle", socket.TCP_KEEPIDLE),
                    ("interval", socket.TCP_KEEPINTVL),
                    ("count", socket.TCP_KEEPCNT),
                )
            }
            assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert tcp == {"user_timeout_ms": 10_000, "idle": 5, "interval": 2, "count": 3}


def test_32_threads_share_seven_connections(open_database: OpenDatabase, server: PostgresServer, url: str) -> None:
    database = open_database()
    make_table(database)
    numbers = iter(range(640))
    taking = threading.Lock()

    def work() -> None:
        for _ in range(20):
            with taking:
                number = next(numbers)
            with database.writing() as connection:
                connection.execute(ROWS.insert(), {"n": number})
            assert count_rows(database)

    with OpenConnections(server, url) as connections:
        start(work, 32)()
    assert count_rows(database) == 640
    stats = database.stats()
    assert (stats.used, stats.pending, stats.timeouts, stats.errors, database.leaks) == (0, 0, 0, 0, 0)
    # How many are opened in all depends on the moment: the two beyond the size are closed when one comes back and nobody waits.
    assert 1 < connections.most <= stats.max_connections == 7


def test_an_exhausted_pool_refuses_in_time_and_works_on(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=2, max_overflow=0, timeout_seconds=0.2))
    calls = []

    def borrow_in_vain() -> None:
        with pytest.raises(sqlalchemy.exc.TimeoutError, match=r"all 2 connections"):
            database.run_reading(calls.append)

    with database.reading(), database.reading():
        join = start(borrow_in_vain, 8)
        wait_until(lambda: database.stats().exhausted_since is not None)
        join()
    stats = database.stats()
    assert (stats.timeouts, stats.pending, stats.used, database.retries, calls) == (8, 0, 0, 0, [])
    assert database.stats().exhausted_since is None
    assert database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1


def test_a_slow_server_exhausts_the_pool_and_holds_up_nobody_for_ever(
    open_database: OpenDatabase, server: PostgresServer, url: str
) -> None:
    with FaultyLink(server.port) as link:
        database = open_database(Pool(size=1, max_overflow=1, timeout_seconds=0.3), url=server.url(url.rpartition("/")[2], port=link.port))
        database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        link.delay(0.4)
        outcomes: list[str] = []

        def work() -> None:
            try:
                database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
                outcomes.append("done")
            except sqlalchemy.exc.TimeoutError:
                outcomes.append("timeout")

        join = start(work, 8)
        wait_until(lambda: database.stats().exhausted_since is not None)
        join()
        assert set(outcomes) == {"done", "timeout"}
        assert database.stats().timeouts == outcomes.count("timeout")
        link.heal()
        assert database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
    assert database.stats().used == 0


def test_a_test_before_use_finds_that_the_server_was_restarted(open_database: OpenDatabase, server: PostgresServer) -> None:
    database = open_database()
    make_table(database)
    with database.reading(), database.reading():
        pass
    created = database.stats().created
    server.restart()
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(ROWS)).scalar() == 0
    assert (database.retries, database.stats().created) == (0, created + 1)


def test_without_it_the_operation_is_tried_again_with_a_new_connection(open_database: OpenDatabase, server: PostgresServer) -> None:
    database = open_database(Pool(pre_ping=False))
    make_table(database)
    server.restart()
    assert count_rows(database) == 0
    assert (database.retries, database.stats().errors) == (1, 1)


@pytest.mark.parametrize("way", ["restart", "kill", "terminate"])
def test_a_transaction_that_was_cut_is_carried_out_anew(open_database: OpenDatabase, server: PostgresServer, way: str) -> None:
    database = open_database()
    make_table(database)
    drivers: list[object] = []

    def write(connection: Connection) -> None:
        drivers.append(connection.connection.driver_connection)
        connection.execute(ROWS.insert(), {"n": len(drivers)})
        if len(drivers) > 1:
            return
        if way == "restart":
            server.restart()
        elif way == "kill":
            server.kill()
            server.start()
        else:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with server.connect() as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
        connection.execute(ROWS.insert(), {"n": 100})

    database.run_writing(write)
    assert len(drivers) == 2
    assert drivers[0] is not drivers[1]
    with database.reading() as connection:
        assert connection.execute(select(ROWS.c.n)).scalars().all() == [2]
    stats = database.stats()
    assert (database.retries, stats.errors, stats.used, database.leaks) == (1, 1, 0, 0)


def test_a_server_that_is_gone_is_waited_for(open_database: OpenDatabase, server: PostgresServer) -> None:
    database = open_database(retry=Retry(attempts=10, delay_seconds=0.5))
    make_table(database)
    server.stop()
    join = start(lambda: count_rows(database) and None)
    wait_until(lambda: database.stats().errors > 0)
    server.start()
    join()
    assert database.retries >= 1


def test_a_server_that_stays_away_ends_the_operation_after_the_last_try(open_database: OpenDatabase, server: PostgresServer) -> None:
    database = open_database()
    server.stop()
    with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
        database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1"))
    assert (database.retries, database.stats().errors, database.stats().used) == (2, 3, 0)
    assert server.password not in f"{caught.value!s}{caught.value!r}{caught.value.orig!r}"


def test_a_pause_ends_when_the_database_is_closed(open_database: OpenDatabase, server: PostgresServer) -> None:
    database = open_database(retry=Retry(attempts=3, delay_seconds=60.0))
    server.stop()

    def read_in_vain() -> None:
        with pytest.raises(sqlalchemy.exc.OperationalError):
            database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1"))

    join = start(read_in_vain)
    wait_until(lambda: database.stats().errors == 1)
    database.close()
    join()


def insert_twice(connection: Connection) -> None:
    connection.execute(ROWS.insert(), [{"n": 1}, {"n": 1}])


def take_too_long(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL statement_timeout = '50ms'")
    connection.exec_driver_sql("SELECT pg_sleep(60)")


def want_what_is_locked(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")


@pytest.mark.parametrize("operation", [insert_twice, take_too_long, want_what_is_locked])
def test_nothing_but_a_disconnection_is_tried_again(open_database: OpenDatabase, operation: Callable[[Connection], None]) -> None:
    database = open_database()
    make_table(database)
    calls = []

    def counted(connection: Connection) -> None:
        calls.append(1)
        operation(connection)

    with database.writing() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1)")
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            database.run_writing(counted)
    stats = database.stats()
    assert (calls, database.retries, stats.errors, stats.used) == ([1], 0, 0, 0)


@pytest.mark.parametrize("change", [("tradingbot:", "nobody:"), ("/test_", "/nowhere_")])
def test_a_connection_that_is_refused_is_not_asked_for_again(open_database: OpenDatabase, url: str, change: tuple[str, str]) -> None:
    database = open_database(url=url.replace(*change))
    with pytest.raises(sqlalchemy.exc.OperationalError, match="FATAL"):
        database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1"))
    assert (database.retries, database.stats().errors) == (0, 1)


def test_a_server_that_says_nothing_is_given_up(open_database: OpenDatabase, server: PostgresServer, url: str) -> None:
    with FaultyLink(server.port) as link:
        database = open_database(url=server.url(url.rpartition("/")[2], port=link.port))
        make_table(database)
        accepted = link.accepted
        link.stall()
        join = start(lambda: count_rows(database) and None)
        wait_until(lambda: link.accepted > accepted)  # it asks for a new connection
        link.heal()
        join()
        assert database.stats().used == 0


def test_an_old_connection_is_replaced(open_database: OpenDatabase) -> None:
    database = open_database(Pool(recycle_seconds=1))

    def backend() -> object:
        return database.run_reading(lambda connection: connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())

    first = backend()
    wait_until(lambda: backend() != first)
    assert (database.retries, database.stats().errors) == (0, 0)


def test_settings_change_under_load_without_an_error_or_a_connection_too_many(
    open_database: OpenDatabase, server: PostgresServer, url: str
) -> None:
    small, large = Pool(size=2, max_overflow=1), Pool(size=6, max_overflow=4)
    database = open_database(small)
    make_table(database)
    ended = threading.Event()
    numbers = iter(range(10**9))
    taking = threading.Lock()
    written: list[int] = []

    def work() -> None:
        while not ended.is_set():
            with taking:
                number = next(numbers)
            with database.writing() as connection:
                connection.execute(ROWS.insert(), {"n": number})
            written.append(number)

    with OpenConnections(server, url) as connections:
        join = start(work, 16)
        for round_number in range(20):
            former = database._meter.lane
            database.reconfigure(large if round_number % 2 == 0 else small, SOON)
            # There are never more than two pools: the next change waits until the one before is empty.
            wait_until(lambda former=former: not former.used and not former.pool.checkedin())  # type: ignore[misc]  # bound to this round
            done = len(written)
            wait_until(lambda done=done: len(written) >= done + 50)  # type: ignore[misc]  # as above
        ended.set()
        join()
        with server.connect() as connection:
            wait_until(lambda: connections.now(connection) <= small.sizes.size)
    assert count_rows(database) == len(written)
    stats = database.stats()
    assert (stats.used, stats.pending, stats.timeouts, stats.errors, database.retries, database.leaks) == (0, 0, 0, 0, 0, 0)
    assert connections.most <= small.max_connections + large.max_connections


def test_a_connection_that_is_leaked_is_found_and_lent_again(open_database: OpenDatabase) -> None:
    database = open_database(Pool(size=1, max_overflow=0, timeout_seconds=30.0))
    unit = database.writing()
    unit.__enter__()
    del unit
    assert database.run_reading(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
    assert (database.leaks, database.stats().created, database.stats().used) == (1, 1, 0)


def test_nobody_reads_the_password(open_database: OpenDatabase, server: PostgresServer, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    database = open_database()
    make_table(database)
    server.stop()
    texts = [repr(database.address), repr(database), str(database.pool), repr(database.stats())]
    for broken in (database, open_database(url=url.replace("127.0.0.1", "no.host.invalid"))):
        with pytest.raises(sqlalchemy.exc.OperationalError) as caught:
            count_rows(broken)
        texts += [str(caught.value), repr(caught.value), repr(caught.value.orig)]
    texts += [f"{entry.getMessage()} {entry.__dict__}" for entry in caplog.records]
    assert caplog.records
    assert not [text for text in texts if server.password in text]
