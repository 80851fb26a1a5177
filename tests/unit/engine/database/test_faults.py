"""What is the environment's fault, and what a program's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.engine import Engine

from tradingbot_engine.database.faults import describe_damage, environment_fault
from tradingbot_engine.unavailable import UnavailableError


def failure(engine: Engine, *statements: str) -> sqlalchemy.exc.DBAPIError:
    *before, last = statements
    try:
        with engine.connect() as connection:
            for statement in before:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql(last)
    except sqlalchemy.exc.DBAPIError as error:
        return error
    pytest.fail(f"{last} succeeded")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'a.sqlite'}", poolclass=sqlalchemy.NullPool, connect_args={"timeout": 0.0})


def test_a_file_that_is_locked_is_the_environment_s(engine: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert environment_fault(failure(engine, "CREATE TABLE t (n)")) == "database is locked: another process holds the file: stop it"
    other.close()


def test_a_file_that_is_full_is_the_environment_s(engine: Engine) -> None:
    fault = environment_fault(
        failure(engine, "PRAGMA max_page_count = 2", "CREATE TABLE t (n)", "CREATE TABLE u (n)", "CREATE TABLE v (n)")
    )
    assert fault == "database or disk is full: the volume is full: enlarge it (database.storage.size), or free some of it"


def test_a_file_that_cannot_be_opened_is_the_environment_s(tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'none' / 'a.sqlite'}")
    assert "is the volume there" in (environment_fault(failure(engine, "SELECT 1")) or "")


def test_what_will_never_work_is_a_bug(engine: Engine) -> None:
    assert environment_fault(failure(engine, "SELECT * FROM nowhere")) is None
    assert environment_fault(failure(engine, "CREATE TABLE t (n UNIQUE)", "INSERT INTO t VALUES (1), (1)")) is None
    assert environment_fault(ValueError("no")) is None


def test_a_damaged_file_is_no_environment_s_fault_and_is_known(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    error = failure(engine, "SELECT * FROM sqlite_master")
    assert environment_fault(error) is None
    assert describe_damage(error) == "file is not a database"
    assert describe_damage(failure(sqlalchemy.create_engine("sqlite://"), "SELECT * FROM nowhere")) is None


def test_an_exhausted_pool_and_what_is_known_to_be_unavailable() -> None:
    assert "raise database.pool" in (environment_fault(sqlalchemy.exc.TimeoutError()) or "")
    assert environment_fault(UnavailableError("gone")) == "gone"
