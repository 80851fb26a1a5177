"""Writes groups to the journal on a thread of its own, so that the event loop turns while a database does its work.

One group is in flight at most. A group that can't be written because of the environment (the database is gone, full, locked, or too slow)
is offered again, for ever and ever more slowly: it must not be lost, and what comes after it can't be written without it. Meanwhile
`trouble` says why, and `backlog` how much waits. What the database refuses for any other reason is a bug, or an engine that another has
taken the place of, and surfaces where the loop next looks.

A group counts as written when the database has said so. If that answer was lost, the group is written again, and is there once.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from typing import Final

import sqlalchemy

from tradingbot_contract.metrics import JOURNAL_COMMIT_DURATION, ORDER_DURATION
from tradingbot_engine.database.backlog import Backlog, Bounds
from tradingbot_engine.database.faults import environment_fault
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.rows import Group
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.telemetry.counts import Component, Counts
from tradingbot_engine.telemetry.record import Record

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_logger = logging.getLogger(__name__)


class JournalWriter:
    """See the module."""

    def __init__(self, journal: Journal, counts: Counts, record: Record, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - immutable
        self.trouble = ""
        """Why the last attempt failed; empty when it didn't."""
        self.written_fills = -1
        """Number of the last fill that is in the journal; -1 until this process has written."""
        self.written_mandate: Mandate | None = None
        """What the bot was allowed when the last group was made that is in the journal: all that follows from it is there, too."""
        self.unwritten_symbols: frozenset[str] = frozenset()
        """Symbols that the group in flight says something new of."""
        self.backlog = Backlog(bounds)
        self._journal = journal
        self._counts = counts
        self._record = record
        self._offers: queue.SimpleQueue[_Offer | None] = queue.SimpleQueue()
        # A daemon: the process may end while a database that is gone keeps it waiting, which loses no more than a crash does.
        self._thread = threading.Thread(target=self._serve, name="journal-writer", daemon=True)
        self._in_flight: asyncio.Task[None] | None = None

    @property
    def backlog_steps(self) -> int:
        """Steps of the feed that were taken and aren't in the journal."""
        return self.backlog.steps

    @property
    def behind_seconds(self) -> float:
        """How long the oldest of them has waited; 0 when there is none."""
        return self.backlog.behind_seconds(time.monotonic())

    def write(self, group: Group) -> None:
        """Begin to write `group`, which is all of the backlog; the one before must be written."""
        assert self._in_flight is None
        if self._thread.ident is None:
            self._thread.start()
        self.backlog.hand_over()
        self.unwritten_symbols = group.symbols
        self._in_flight = asyncio.create_task(self._write(group))

    def is_free(self) -> bool:
        """Return whether nothing is in flight.

        Raises:
            FencedError: another engine has the journal.
            sqlalchemy.exc.SQLAlchemyError: the database refuses the group: a bug.
        """
        task = self._in_flight
        if task is None:
            return True
        if not task.done():
            return False
        self._in_flight = None
        task.result()
        return True

    async def wait(self, seconds: float) -> bool:
        """Wait until nothing is in flight, or so long; return whether nothing is. Raises as `is_free` does."""
        if self._in_flight is not None:
            await asyncio.wait({self._in_flight}, timeout=seconds)
        return self.is_free()

    async def close(self) -> None:
        """Give up what is in flight and let the thread end."""
        if self._in_flight is not None:
            self._in_flight.cancel()
            await asyncio.wait({self._in_flight})
        self._offers.put(None)

    async def _write(self, group: Group) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        started_at = time.monotonic()
        while not await self._try(group):
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            started_at = time.monotonic()
        now = time.monotonic()
        self._record(JOURNAL_COMMIT_DURATION, now - started_at)
        order_seconds = self.backlog.written(now)
        if order_seconds is not None:
            self._record(ORDER_DURATION, order_seconds)
        self._counts.commits += 1
        self.written_fills = group.checkpoint.fill_sequence
        self.written_mandate = group.mandate
        self.unwritten_symbols = frozenset()
        if self.trouble:
            _logger.info("journal can be written again")
        self.trouble = ""

    async def _try(self, group: Group) -> bool:
        self._counts.operations[Component.DATABASE] += 1
        offer = _Offer(group, asyncio.get_running_loop())
        self._offers.put(offer)
        try:
            await offer.answer
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._counts.errors[Component.DATABASE] += 1
            fault = environment_fault(error)
            if fault is None:
                raise
            if not self.trouble:  # the first time only, and without a trace: it is the environment, not the program
                _logger.error("journal can't be written, it is tried again", extra={"fields": {"error": fault}})  # noqa: TRY400
            self.trouble = fault
            return False
        return True

    def _serve(self) -> None:
        """Write what is offered, on the thread, until there is no more."""
        while (offer := self._offers.get()) is not None:
            try:
                self._journal.commit(offer.group)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits for the answer
                offer.reply(error)
            else:
                offer.reply(None)


class _Offer:
    """A group on its way to the thread, and the answer on its way back."""

    __slots__ = ("_loop", "answer", "group")

    def __init__(self, group: Group, loop: asyncio.AbstractEventLoop) -> None:
        self.group = group
        self.answer: asyncio.Future[None] = loop.create_future()
        self._loop = loop

    def reply(self, error: BaseException | None) -> None:
        """Answer from the thread; nobody hears it once the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: BaseException | None) -> None:
        if self.answer.cancelled():
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)
