"""The pool of database connections that the spec asks for: borrowed for one transaction each, measured, and changed while it is in use.

The time to get, to open and to use a connection is measured where it passes: here. How many are used is counted before the pool and
read when somebody asks: SQLAlchemy tells of a connection that comes back before it is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.pool import QueuePool

from tradingbot_contract.metrics import OPERATION_DURATION, POOL_CREATE_TIME
from tradingbot_contract.resources import Pool, Retry
from tradingbot_engine.database.adapter import Adapter
from tradingbot_engine.database.address import DatabaseAddress, Dialect
from tradingbot_engine.database.loans import Loans
from tradingbot_engine.database.pool_meter import Lane, PoolMeter
from tradingbot_engine.database.retry import Retrier
from tradingbot_engine.database.sqlite import BUSY_TIMEOUT_SECONDS, SqliteAdapter
from tradingbot_engine.database.unit_of_work import Lender, OutcomeListener, UnitOfWork
from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.telemetry.record import Attributes, Record, ignore_measurement

JOURNAL_POOL: Final = "journal"
HISTORY_POOL: Final = "history"
_OPERATIONS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_DRAINED_WITHIN_SECONDS: Final = 5.0
T = TypeVar("T")


class Database:
    """Connections to one database; safe to use from several threads."""

    def __init__(
        self,
        address: DatabaseAddress,
        pool: Pool,
        retry: Retry | None = None,
        record: Record = ignore_measurement,
        *,
        durable: bool = True,
        name: str = JOURNAL_POOL,
    ) -> None:
        """Prepare connections; none is opened before it is needed.

        Args:
            address: Where the database is.
            pool: How many connections there may be, and how they are kept.
            retry: How often and when an operation is tried again whose connection broke.
            record: Takes the times.
            durable: Whether a commit has to survive the loss of power.
            name: What the pool is called in metrics: one of a few.
        """
        self.address = address
        self.name = name
        self.adapter: Adapter = _make_adapter(address, durable=durable)
        self._record = record
        system = address.dialect.value
        self._pool_attributes: Attributes = {"db.client.connection.pool.name": name}
        self._operations: dict[str, Attributes] = {
            word: {"db.system.name": system, "db.operation.name": word} for word in (*_OPERATIONS, "BEGIN", "COMMIT", "OTHER")
        }
        self._pool = pool
        self._retrier = Retrier(retry or Retry())
        self._counting = threading.Lock()
        self._created = 0
        self._errors = 0
        self._changing = threading.Lock()
        self._drains: list[threading.Thread] = []
        self._loans = Loans(name)
        self._meter = PoolMeter(name, self._make_lane(pool), self._loans)
        self._lender = Lender(
            adapter=self.adapter,
            meter=self._meter,
            loans=self._loans,
            record=record,
            pool_attributes=self._pool_attributes,
            commit_attributes=self._operations["COMMIT"],
            timeout_seconds=pool.timeout_seconds,
            writer_timeout_seconds=BUSY_TIMEOUT_SECONDS,
        )

    def reading(self) -> UnitOfWork:
        """Borrow a connection for one consistent look."""
        return UnitOfWork(self._lender, self.adapter.begin_reading, writes=False, patient=False)

    def writing(self, *, patient: bool = False) -> UnitOfWork:
        """Borrow a connection for one transaction, which is committed at the end, or rolled back if it raises.

        `patient` is for work that may take long, such as a migration: no limit of time holds for it.
        """
        begin = self.adapter.begin_patient if patient else self.adapter.begin_writing
        return UnitOfWork(self._lender, begin, writes=True, patient=patient)

    def run_reading(self, operation: Callable[[Connection], T]) -> T:
        """Return what `operation` reads, tried again with a new connection where the connection broke."""

        def attempt() -> T:
            with self.reading() as connection:
                return operation(connection)

        return self._retrier.run(attempt)

    def run_writing(self, operation: Callable[[Connection], T]) -> T:
        """Carry `operation` out in one transaction, tried again with a new connection where the connection broke.

        A commit whose answer was lost may have taken place: `operation` must leave the same rows when it is carried out twice.
        """

        def attempt() -> T:
            with self.writing() as connection:
                return operation(connection)

        return self._retrier.run(attempt)

    def reconfigure(self, pool: Pool, retry: Retry) -> None:
        """Go by these settings from now on; returns at once.

        Who asks for a connection, or waits for one, gets it of a new pool. Those of the old one are closed as they come back, the idle
        ones at once, on a thread of their own since closing may take a while. No transaction is cut. Until it is empty, there are at
        most as many connections as both pools allow.
        """
        with self._changing:
            self._retrier.retry = retry
            former, self._pool = self._pool, pool
            self._lender.timeout_seconds = pool.timeout_seconds
            if _shape(former) != _shape(pool):
                self._drain(self._meter.switch(self._make_lane(pool)))

    @property
    def listener(self) -> OutcomeListener | None:
        """Who is told how transactions end."""
        return self._lender.listener

    @listener.setter
    def listener(self, listener: OutcomeListener | None) -> None:
        self._lender.listener = listener

    @property
    def pool(self) -> QueuePool:
        """The current pool of SQLAlchemy."""
        pool = self._meter.lane.pool
        assert isinstance(pool, QueuePool)
        return pool

    @property
    def leaks(self) -> int:
        """Connections that were never given back."""
        self._meter.book_losses()
        return self._loans.leaks

    @property
    def retries(self) -> int:
        """Operations tried again because their connection broke."""
        return self._retrier.retries

    def stats(self) -> PoolStats:
        """Return what is true of the pool now. Connections of an old pool that are still borrowed count as used."""
        meter = self._meter
        meter.book_losses()
        return PoolStats(
            name=self.name,
            used=meter.used,
            idle=self.pool.checkedin(),
            max_connections=meter.lane.limit,
            peak_used=meter.peak_used,
            pending=meter.pending,
            timeouts=meter.timeouts,
            errors=self._errors,
            created=self._created,
            exhausted_since=meter.exhausted_since,
        )

    def review_loans(self) -> None:
        """Find connections that have been out for too long."""
        self._meter.book_losses()
        self._loans.review(time.monotonic())

    def close(self) -> None:
        """Lend nothing any more, try nothing again, and close what isn't borrowed now, the rest when it comes back."""
        self._retrier.give_up()
        with self._changing:
            self._meter.close().empty()
            for drain in self._drains:
                drain.join(_DRAINED_WITHIN_SECONDS)
            self._drains.clear()

    def _make_lane(self, pool: Pool) -> Lane:
        size, overflow = pool.sizes
        engine = sqlalchemy.create_engine(
            self.address.url,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=overflow,
            pool_timeout=pool.timeout_seconds,
            pool_recycle=pool.recycle_seconds,
            pool_pre_ping=pool.pre_ping,
            # The one used last is used next: its caches are warm, and those that aren't needed stay idle.
            pool_use_lifo=True,
            # What is written may be large, and is nobody's business who reads the log.
            hide_parameters=True,
            **self.adapter.engine_options(),
        )
        event.listen(engine, "do_connect", lambda *known: self._connect(known[-1], pool.max_connections))
        event.listen(engine, "handle_error", self._judge)
        if self._record is not ignore_measurement:
            event.listen(engine, "before_cursor_execute", _note_start)
            event.listen(engine, "after_cursor_execute", self._record_operation)
        return Lane(engine, pool.max_connections)

    def _drain(self, lane: Lane) -> None:
        self._drains = [drain for drain in self._drains if drain.is_alive()]
        drain = threading.Thread(target=lane.empty, name=f"drain-{self.name}", daemon=True)
        self._drains.append(drain)
        drain.start()

    def _connect(self, options: dict[str, Any], connections: int) -> Any:
        started_at = time.perf_counter()
        connection = self.adapter.open(options, connections=connections)
        self._record(POOL_CREATE_TIME, time.perf_counter() - started_at, self._pool_attributes)
        with self._counting:
            self._created += 1
        return connection

    def _judge(self, context: ExceptionContext) -> None:
        """Find disconnections that SQLAlchemy takes for something else; count those that are."""
        if self.adapter.is_lost(context.original_exception):
            context.is_disconnect = True
        could_not_open = context.connection is None and not context.is_pre_ping
        if could_not_open or (context.is_disconnect and not context.is_pre_ping):
            with self._counting:
                self._errors += 1

    def _record_operation(self, _connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        word = statement[:6].rstrip()
        attributes = self._operations.get(word) or self._operations["OTHER"]
        self._record(OPERATION_DURATION, time.perf_counter() - context.tradingbot_started_at, attributes)


def _make_adapter(address: DatabaseAddress, *, durable: bool) -> Adapter:
    if address.dialect is Dialect.SQLITE:
        assert address.file is not None
        return SqliteAdapter(address.file, durable=durable)
    from tradingbot_engine.database.postgres import PostgresAdapter  # noqa: PLC0415 - a bot with SQLite does without the driver

    return PostgresAdapter(address, durable=durable)


def _shape(pool: Pool) -> tuple[object, ...]:
    """Return what a pool can't change while it lives; how long somebody waits for a connection isn't the pool's business."""
    return (*pool.sizes, pool.recycle_seconds, pool.pre_ping)


def _note_start(_connection: Connection, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    context.tradingbot_started_at = time.perf_counter()
