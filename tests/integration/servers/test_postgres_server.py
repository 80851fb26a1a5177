"""The Postgres that other tests rely on does what they ask of it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy

from postgres_server import PostgresServer
from server_binaries import POSTGRES, find_binaries
from server_process import ServerError


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(max_connections=7) as server:
        yield server


def test_its_address_is_one_for_sqlalchemy(postgres: PostgresServer) -> None:
    engine = sqlalchemy.create_engine(postgres.url(postgres.new_database()))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW max_connections").scalar_one() == "7"
    engine.dispose()


def test_a_wrong_password_is_refused(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url().replace("+psycopg", "").replace(postgres.password, "wrong"))


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_what_was_committed_is_there_after_another_start(postgres: PostgresServer, end: str) -> None:
    database = postgres.new_database()
    with postgres.connect(database) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    port = postgres.port
    if end == "kill":
        postgres.kill()
        assert not postgres.is_running
        postgres.start()
    else:
        postgres.restart()
    with postgres.connect(database) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(42,)]
    assert postgres.port == port


def test_paused_it_takes_no_client_and_resumed_it_goes_on(postgres: PostgresServer) -> None:
    with postgres.connect() as before:
        postgres.pause()
        try:
            assert not postgres.answers()
        finally:
            postgres.resume()
        assert before.execute("SELECT 1").fetchone() == (1,)
    assert postgres.answers()


def test_nothing_of_it_is_left_when_it_is_closed() -> None:
    with PostgresServer() as server:
        folder = server.folder
        assert folder.exists()
    assert not folder.exists()
    assert not server.is_running
    with pytest.raises(ServerError, match="not running"):
        server.pause()


def test_fsync_can_be_switched_on() -> None:
    with PostgresServer(fsync=True) as server, server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_machine_without_it_gets_it_from_packages() -> None:
    binaries = find_binaries(POSTGRES, from_machine=False)
    assert binaries.tree is not None
    with PostgresServer(binaries=binaries) as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
