"""Lets as many borrowers through as there are connections, and counts them: what SQLAlchemy's pool does not tell.

It stands before the pool, so that the pool itself never has to wait. Who waits here goes on with whichever pool is the current one when
its turn comes: settings that are changed because connections ran short help those who wait at once. Who came first is served first: a
thread that gives back and asks again at once would otherwise be quicker than any that has to be woken.

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


class _Waiter:
    """Somebody in the queue."""

    __slots__ = ("lane", "woken")

    def __init__(self) -> None:
        self.lane: Lane | None = None
        """What it was given."""
        self.woken = threading.Lock()
        self.woken.acquire()


class PoolMeter:
    """See the module. Sums count from the start, over all pools that there were."""

    def __init__(self, name: str, lane: Lane, loans: Loans) -> None:
        self.name = name
        self.lane = lane
        """The current pool."""
        self.used = 0
        self.peak_used = 0
        self.timeouts = 0
        self.exhausted_since: float | None = None
        """Since when all connections are borrowed and somebody waits, or has given up waiting, in seconds since the epoch; else None."""
        self._loans = loans
        # The same thread may come back here from inside: the garbage collector ends a unit of work that a generator has left open.
        self._changing = threading.RLock()
        self._queue: deque[_Waiter] = deque()
        self._lost: deque[tuple[Lane, Loan]] = deque()
        self._closed = False

    @property
    def pending(self) -> int:
        """Those who wait."""
        return len(self._queue)

    def borrow(self, timeout_seconds: float) -> Lane:
        """Wait until a connection may be taken, and return from which pool.

        Raises:
            sqlalchemy.exc.TimeoutError: none came back in time.
            sqlalchemy.exc.InvalidRequestError: the database was closed.
        """
        with self._changing:
            self._book_losses()
            if self._closed:
                raise self._refusal()
            if not self._queue and self.lane.used < self.lane.limit:
                return self._take()
            waiter = _Waiter()
            self._queue.append(waiter)
            if self.exhausted_since is None:
                self.exhausted_since = time.time()
        return self._wait(waiter, timeout_seconds)

    def give_back(self, lane: Lane) -> None:
        """Take back what `borrow` gave; the connection itself must be back in its pool."""
        with self._changing:
            self._take_back(lane)
        if lane.retired:
            lane.empty()

    def note_loss(self, lane: Lane, loan: Loan) -> None:
        """Note that a connection will never be given back by whom it was lent to; its pool has it again, or will have it soon."""
        self._lost.append((lane, loan))

    def book_losses(self) -> None:
        """Count what was noted since."""
        if self._lost:
            with self._changing:
                self._book_losses()

    def switch(self, lane: Lane) -> Lane:
        """Lend from `lane` from now on; return the one before, for the caller to empty."""
        with self._changing:
            former, self.lane = self.lane, lane
            former.retired = True
            self._serve()
            return former

    def close(self) -> Lane:
        """Lend nothing any more, and return the last pool, for the caller to empty."""
        with self._changing:
            self._closed = True
            self.lane.retired = True
            for waiter in self._queue:
                waiter.woken.release()
            self._clear()
            return self.lane

    def _wait(self, waiter: _Waiter, timeout_seconds: float) -> Lane:
        deadline = time.monotonic() + timeout_seconds
        try:
            while True:
                remaining = deadline - time.monotonic()
                woken = waiter.woken.acquire(timeout=max(0.0, min(remaining, _LOSSES_BOOKED_EVERY_SECONDS)))
                with self._changing:
                    if not woken:
                        self._book_losses()
                    if waiter.lane is not None:
                        return waiter.lane
                    self._check_patience(remaining, timeout_seconds)
        except BaseException:
            self._leave(waiter)
            raise

    def _check_patience(self, remaining_seconds: float, timeout_seconds: float) -> None:
        if self._closed:
            raise self._refusal()
        if remaining_seconds <= 0:
            self.timeouts += 1
            raise sqlalchemy.exc.TimeoutError(
                f"database pool {self.name}: all {self.lane.limit} connections are in use and none came back within "
                f"{timeout_seconds:g} s: raise database.pool, or find out what holds them"
            )

    def _leave(self, waiter: _Waiter) -> None:
        with self._changing:
            if waiter.lane is not None:
                self._take_back(waiter.lane)
            elif not self._closed:
                self._queue.remove(waiter)
                # Who has waited in vain is no sign that it is over, and will ask again: it is over when a connection comes back.
                if self.lane.used < self.lane.limit:
                    self._clear()

    def _take(self) -> Lane:
        lane = self.lane
        lane.used += 1
        self.used += 1
        self.peak_used = max(self.peak_used, self.used)
        return lane

    def _take_back(self, lane: Lane) -> None:
        lane.used -= 1
        self.used -= 1
        self._serve()

    def _serve(self) -> None:
        while self._queue and self.lane.used < self.lane.limit:
            waiter = self._queue.popleft()
            waiter.lane = self._take()
            waiter.woken.release()
        self._clear()

    def _clear(self) -> None:
        if self._closed:
            self._queue.clear()
        if not self._queue:
            self.exhausted_since = None

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

    def _refusal(self) -> sqlalchemy.exc.InvalidRequestError:
        return sqlalchemy.exc.InvalidRequestError(f"database pool {self.name}: it is closed")
