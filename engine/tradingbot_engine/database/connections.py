"""The pool of database connections that the spec asks for, with SQLite set up so that what is committed stays committed.

WAL lets views read while the journal writes; `synchronous=FULL` makes a commit survive the loss of power, not only the end of the
process. The time to get, to open and to use a connection is measured where it passes: here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from tradingbot_contract.metrics import POOL_CREATE_TIME, POOL_USE_TIME, POOL_WAIT_TIME, Instrument
from tradingbot_contract.resources import Pool

POOL_NAME: Final = "journal"
_BUSY_TIMEOUT_MS: Final = 5000
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)

Record = Callable[[Instrument, float], None]
"""Takes one measurement for a histogram."""


def ignore_measurement(instrument: Instrument, value: float) -> None:
    """Record nothing."""


class Database:
    """Connections to one SQLite file; safe to use from several threads."""

    def __init__(self, path: Path, pool: Pool, record: Record = ignore_measurement) -> None:
        self._record = record
        self._lock = threading.Lock()
        self.pending = 0
        """Requests that wait for a connection now."""
        self.timeouts = 0
        """Requests that waited in vain."""
        self.max_connections = pool.size + pool.max_overflow
        self._engine = sqlalchemy.create_engine(
            f"sqlite:///{path}",
            poolclass=QueuePool,
            pool_size=pool.size,
            max_overflow=pool.max_overflow,
            pool_timeout=pool.timeout_seconds,
            pool_recycle=pool.recycle_seconds,
            pool_pre_ping=pool.pre_ping,
            connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_MS / 1000},
        )
        event.listen(self._engine, "do_connect", self._connect)
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Borrow a connection for one consistent look."""
        with self._borrowed() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Borrow a connection for one transaction, which is committed at the end, or rolled back if it raises."""
        with self._borrowed() as connection:
            writer = connection.execution_options(tradingbot_writes=True)
            with writer.begin():
                yield writer

    @property
    def pool(self) -> QueuePool:
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool

    def close(self) -> None:
        """Close all connections that aren't borrowed."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Connection]:
        asked_at = time.perf_counter()
        with self._lock:
            self.pending += 1
        try:
            connection = self._engine.connect()
        except sqlalchemy.exc.TimeoutError:
            with self._lock:
                self.timeouts += 1
            raise
        finally:
            with self._lock:
                self.pending -= 1
        borrowed_at = time.perf_counter()
        self._record(POOL_WAIT_TIME, borrowed_at - asked_at)
        try:
            yield connection
        finally:
            connection.close()
            self._record(POOL_USE_TIME, time.perf_counter() - borrowed_at)

    def _connect(self, dialect: Dialect, _entry: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]) -> Any:
        started_at = time.perf_counter()
        connection = dialect.connect(*arguments, **options)
        self._record(POOL_CREATE_TIME, time.perf_counter() - started_at)
        return connection


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes late and is deferred: _begin sends the right one
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("tradingbot_writes", False)
    # A transaction that begins as a reader and then writes can fail half-way with "database is locked"; this one waits first.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
