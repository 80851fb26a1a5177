"""The monitor on a real Postgres: gone, back, silent, crowded, read-only, and told from a pool that is exhausted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from faulty_link import FaultyLink
from postgres_server import PostgresServer
from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool, Retry
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.monitor import DatabaseMonitor

BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer(max_connections=20) as server:
        yield server


@pytest.fixture
def name(server: PostgresServer) -> str:
    server.start()
    return server.new_database()


def open_database(url: str) -> Database:
    address = parse_database_address(url, Path("unused"), "unused", BOT)
    return Database(address, Pool(size=1, max_overflow=0, timeout_seconds=0.1), Retry(attempts=1))


@pytest.fixture
def database(server: PostgresServer, name: str) -> Iterator[Database]:
    database = open_database(server.url(name))
    yield database
    database.close()


def use(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")


def test_an_operation_tells_at_once_that_it_is_gone_and_that_it_is_back(database: Database, server: PostgresServer) -> None:
    monitor = DatabaseMonitor(database)
    use(database)
    up = monitor.dependency
    server.stop()
    with pytest.raises(sqlalchemy.exc.OperationalError):
        use(database)
    down = monitor.dependency
    assert (up.up, down.up) == (True, False)
    assert up.since < down.since
    assert "refused" in down.message
    server.start()
    use(database)
    assert (monitor.dependency.up, monitor.dependency.message) == (True, "")


def test_an_operation_that_is_cut_tells_it_too(database: Database, server: PostgresServer) -> None:
    monitor = DatabaseMonitor(database)

    def write_half() -> None:
        with database.writing() as connection:
            server.stop()
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(sqlalchemy.exc.OperationalError, match="terminating"):
        write_half()
    assert monitor.dependency.up is False
    assert "terminating" in monitor.dependency.message


def test_a_check_tells_it_to_a_bot_that_does_nothing(database: Database, server: PostgresServer) -> None:
    monitor = DatabaseMonitor(database)
    asyncio.run(monitor.check())
    assert monitor.dependency.up
    assert monitor.dependency.latency_seconds is not None
    assert database.stats().created == 0  # it has a connection of its own
    server.stop()
    asyncio.run(monitor.check())
    assert monitor.dependency.up is False
    assert "refused" in monitor.dependency.message
    assert server.password not in repr(monitor.dependency)
    server.start()
    asyncio.run(monitor.check())
    assert monitor.dependency.up


def test_a_pool_that_is_exhausted_is_not_a_database_that_is_gone(database: Database) -> None:
    monitor = DatabaseMonitor(database)
    with database.writing():
        with pytest.raises(sqlalchemy.exc.TimeoutError):
            use(database)
        assert monitor.dependency.up is None
        asyncio.run(monitor.check())
        assert monitor.dependency.up


def test_a_server_that_says_nothing_is_gone(server: PostgresServer, name: str) -> None:
    with FaultyLink(server.port) as link:
        database = open_database(server.url(name, port=link.port))
        monitor = DatabaseMonitor(database)
        link.stall()
        asyncio.run(monitor.check())
        assert monitor.dependency.up is False
        assert "timeout" in monitor.dependency.message
        link.heal()
        asyncio.run(monitor.check())
        assert monitor.dependency.up
        database.close()


def test_a_server_that_has_no_connection_left_says_nothing_of_those_that_work(
    database: Database, server: PostgresServer, name: str
) -> None:
    monitor = DatabaseMonitor(database)
    use(database)
    before = monitor.dependency
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(server.connect(name))
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            server.connect(name)
        asyncio.run(monitor.check())
        assert monitor.dependency == before
        use(database)


def test_a_refused_password_is_named(server: PostgresServer, name: str) -> None:
    database = open_database(server.url(name).replace(server.password, "another"))
    monitor = DatabaseMonitor(database)
    with pytest.raises(sqlalchemy.exc.OperationalError):
        use(database)
    assert monitor.dependency.up is False
    assert "password authentication failed" in monitor.dependency.message
    assert "another" not in monitor.dependency.message
    database.close()


def test_a_server_that_takes_no_writes_is_missed_and_found_again(database: Database, server: PostgresServer, name: str) -> None:
    monitor = DatabaseMonitor(database)
    use(database)
    with server.connect(name) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        asyncio.run(monitor.check())
        assert monitor.dependency.up is False
        assert "read-only" in monitor.dependency.message
        with database.reading():
            pass
        assert monitor.dependency.up is False
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    asyncio.run(monitor.check())
    assert monitor.dependency.up


def test_a_write_that_is_refused_is_not_forgotten_by_a_reader(server: PostgresServer, name: str) -> None:
    with server.connect(name) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        database = open_database(server.url(name))
        monitor = DatabaseMonitor(database)
        with pytest.raises(sqlalchemy.exc.InternalError, match="read-only"), database.writing() as writer:
            writer.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        with database.reading():
            pass
        asyncio.run(monitor.check())
        assert monitor.dependency.up is False
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    asyncio.run(monitor.check())
    assert monitor.dependency.up
    database.close()
