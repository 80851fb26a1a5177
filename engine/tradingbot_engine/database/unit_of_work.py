"""One transaction on a borrowed connection: begun when it is entered, and ended when it is left, whatever happens in between.

Invariant: what was borrowed is given back exactly once, by leaving it or, if it is never left, by the garbage collector.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import sqlalchemy
from sqlalchemy.engine import Connection, RootTransaction

from tradingbot_contract.metrics import OPERATION_DURATION, POOL_USE_TIME, POOL_WAIT_TIME
from tradingbot_engine.database.adapter import Adapter
from tradingbot_engine.database.loans import Loan, Loans
from tradingbot_engine.database.pool_meter import Lane, PoolMeter
from tradingbot_engine.database.writer_turn import WriterTurn
from tradingbot_engine.telemetry.record import Attributes, Record


class OutcomeListener(Protocol):
    """Is told how transactions end, by the threads that end them."""

    def succeeded(self, *, writes: bool) -> None: ...

    def failed(self, error: sqlalchemy.exc.DBAPIError, *, writes: bool) -> None: ...


@dataclass
class Lender:
    """What all transactions of a database have in common."""

    adapter: Adapter
    meter: PoolMeter
    loans: Loans
    record: Record
    pool_attributes: Attributes
    commit_attributes: Attributes
    timeout_seconds: float
    """How long to wait for a connection."""
    writer_timeout_seconds: float
    """How long to wait for another writer of this process, before the database itself is asked."""
    listener: OutcomeListener | None = None

    def __post_init__(self) -> None:
        self.writer = WriterTurn() if self.adapter.single_writer else None


class UnitOfWork(AbstractContextManager[Connection]):
    """See the module. Entering it gives the connection; it is committed at the end, or rolled back if what is inside raises.

    Raises:
        sqlalchemy.exc.TimeoutError: on entering: no connection could be had in time.
        sqlalchemy.exc.SQLAlchemyError: on entering or leaving: what the database says. After a failed commit it isn't known whether it took
            place.
    """

    __slots__ = ("_begin", "_borrowed_at", "_connection", "_lane", "_lender", "_loan", "_patient", "_transaction", "_writes")

    def __init__(self, lender: Lender, begin: str, *, writes: bool, patient: bool) -> None:
        self._lender = lender
        self._begin = begin
        self._writes = writes
        self._patient = patient
        self._loan: Loan | None = None

    def __enter__(self) -> Connection:
        lender = self._lender
        asked_at = time.perf_counter()
        loan = Loan(patient=self._patient, release_writer=self._wait_for_writer())
        try:
            lane = lender.meter.borrow(lender.timeout_seconds)
            try:
                connection = self._open(lane)
                self._borrowed_at = time.perf_counter()
                lender.record(POOL_WAIT_TIME, self._borrowed_at - asked_at, lender.pool_attributes)
            except BaseException as error:
                lender.meter.give_back(lane)
                self._tell(error)
                raise
        except BaseException:
            loan.release_writer()
            raise
        self._lane = lane
        self._connection = connection
        self._loan = loan
        lender.loans.begin(loan)
        return connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        ended_at = time.perf_counter()
        lender = self._lender
        try:
            self._transaction.__exit__(kind, error, trace)
        except BaseException as failure:
            self._tell(failure)
            raise
        else:
            if self._writes and error is None:
                lender.record(OPERATION_DURATION, time.perf_counter() - ended_at, lender.commit_attributes)
            self._tell(error)
        finally:
            self._give_back()

    def __del__(self) -> None:
        loan, self._loan = self._loan, None
        if loan is not None:  # the connection goes back to its pool by itself, with this object
            self._lender.meter.note_loss(self._lane, loan)

    def _wait_for_writer(self) -> Callable[[], None]:
        writer = self._lender.writer
        if not self._writes or writer is None:
            return _nothing
        self._lender.meter.book_losses()  # it may be a lost one that has the lock
        if not writer.acquire(self._lender.writer_timeout_seconds):
            return _nothing
        return writer.release

    def _open(self, lane: Lane) -> Connection:
        connection = lane.engine.connect()
        try:
            if self._patient:
                self._lender.adapter.set_patient(connection.connection.driver_connection, patient=True)
            self._transaction: RootTransaction = connection.begin()
            connection.exec_driver_sql(self._begin)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self) -> None:
        lender, loan, connection = self._lender, self._loan, self._connection
        assert loan is not None
        self._loan = None
        try:
            if self._patient and not connection.invalidated:
                lender.adapter.set_patient(connection.connection.driver_connection, patient=False)
            connection.close()
        finally:
            lender.meter.give_back(self._lane)
            lender.loans.end(loan)
            loan.release_writer()
            lender.record(POOL_USE_TIME, time.perf_counter() - self._borrowed_at, lender.pool_attributes)

    def _tell(self, error: BaseException | None) -> None:
        listener = self._lender.listener
        if listener is None:
            return
        if error is None:
            listener.succeeded(writes=self._writes)
        elif isinstance(error, sqlalchemy.exc.DBAPIError):
            listener.failed(error, writes=self._writes)


def _nothing() -> None:
    """Let go of nothing."""
