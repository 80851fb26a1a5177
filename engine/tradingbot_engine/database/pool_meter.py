"""Lets as many borrowers through as there are connections, and counts them: what SQLAlchemy's pool does not tell.

It stands before the pool, so that the pool itself never has to wait. Who waits here goes on with whichever pool is the current one when
its turn comes: settings that are changed because connections ran short help those who wait at once.

Invariant: what was let through and what came back, or was found lost, adds up. A loss is noted by the garbage collector, which may
interrupt anything: it takes no lock, the next borrower books it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from typing import Final

import sqlalchemy
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool as ConnectionPool

from tradingbot_engine.database.loans import Loan, Loans

_LOSSES_BOOKED_EVERY_SECONDS: Final = 1.0


class Lane:
    """One pool of connections, the current one or one that is being emptied."""

    def __init__(self, engine: Engine, limit: int) -> None:
        self.engine = engine
        self.pool: ConnectionPool = engine.pool
        self.limit = limit
        self.used = 0
        self.retired = False

    def empty(self) -> None:
        """Close the connections that nobody uses."""
        self.pool.dispose()


class PoolMeter:
    """See the module. Sums count from the start, over all pools that there were."""

    def __init__(self, name: str, lane: Lane, loans: Loans) -> None:
        self.name = name
        self._loans = loans
        self.lane = lane
        """The current pool."""
        self.used = 0
        self.peak_used = 0
        self.pending = 0
        self.timeouts = 0
        self.exhausted_since: float | None = None
        """Since when all connections are borrowed and somebody waits, in seconds since the epoch; None when that isn't so."""
        self._turn = threading.Condition()
        self._lost: deque[tuple[Lane, Loan]] = deque()
        self._closed = False

    def borrow(self, timeout_seconds: float) -> Lane:
        """Wait until a connection may be taken, and return from which pool.

        Raises:
            sqlalchemy.exc.TimeoutError: none came back in time.
            sqlalchemy.exc.InvalidRequestError: the database was closed.
        """
        with self._turn:
            self._book_losses()
            if self.lane.used >= self.lane.limit and not self._closed:
                self._wait(timeout_seconds)
            if self._closed:
                raise sqlalchemy.exc.InvalidRequestError(f"database pool {self.name}: it is closed")
            lane = self.lane
            lane.used += 1
            self.used += 1
            self.peak_used = max(self.peak_used, self.used)
            return lane

    def give_back(self, lane: Lane) -> None:
        """Take back what `borrow` gave; the connection itself must be back in its pool."""
        with self._turn:
            self._take_back(lane)
        if lane.retired:
            lane.empty()

    def note_loss(self, lane: Lane, loan: Loan) -> None:
        """Note that a connection will never be given back by whom it was lent to; its pool has it again, or will have it soon."""
        self._lost.append((lane, loan))

    def book_losses(self) -> None:
        """Count what was noted since."""
        if self._lost:
            with self._turn:
                self._book_losses()

    def switch(self, lane: Lane) -> Lane:
        """Lend from `lane` from now on; return the one before, for the caller to empty."""
        with self._turn:
            former, self.lane = self.lane, lane
            former.retired = True
            self._turn.notify_all()
            return former

    def close(self) -> Lane:
        """Lend nothing any more, and return the last pool, for the caller to empty."""
        with self._turn:
            self._closed = True
            self.lane.retired = True
            self._turn.notify_all()
            return self.lane

    def _wait(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        self.pending += 1
        if self.exhausted_since is None:
            self.exhausted_since = time.time()
        try:
            while self.lane.used >= self.lane.limit and not self._closed:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    self.timeouts += 1
                    raise sqlalchemy.exc.TimeoutError(
                        f"database pool {self.name}: all {self.lane.limit} connections are in use and none came back within "
                        f"{timeout_seconds:g} s: raise database.pool, or find out what holds them"
                    )
                self._turn.wait(min(remaining, _LOSSES_BOOKED_EVERY_SECONDS))
                self._book_losses()
        finally:
            self.pending -= 1
            if not self.pending:
                self.exhausted_since = None

    def _take_back(self, lane: Lane) -> None:
        lane.used -= 1
        self.used -= 1
        if not lane.retired:
            self._turn.notify()

    def _book_losses(self) -> None:
        if not self._lost:
            return
        gc.collect()  # SQLAlchemy's connection and transaction know each other: only this brings them back to their pool now
        while self._lost:
            lane, loan = self._lost.popleft()
            self._loans.lose(loan)
            loan.release_writer()
            self._take_back(lane)
            if lane.retired:
                lane.empty()
