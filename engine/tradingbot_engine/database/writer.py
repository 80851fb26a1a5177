"""Writes groups to the journal on a thread of its own, so that the event loop turns while a disk does its work.

One group is in flight at most: whoever brings the next one waits, which is what bounds memory. A group that can't be written is
tried again, for ever and ever more slowly, since trading on without a journal would lose orders; meanwhile `trouble` says why.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import sqlalchemy

from tradingbot_contract.metrics import JOURNAL_COMMIT_DURATION
from tradingbot_engine.database.connections import Record
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.rows import Group
from tradingbot_engine.telemetry.counts import Component, Counts

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
_logger = logging.getLogger(__name__)


class JournalWriter:
    """See the module."""

    def __init__(self, journal: Journal, counts: Counts, record: Record) -> None:
        self.trouble = ""
        """Why the last attempt failed; empty when it didn't."""
        self.written_fills = -1
        """Number of the last fill that is in the journal; -1 until this process has written."""
        self._journal = journal
        self._counts = counts
        self._record = record
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-writer")
        self._in_flight: asyncio.Task[None] | None = None

    def write(self, group: Group) -> None:
        """Begin to write `group`; the one before must be written."""
        assert self._in_flight is None
        self._in_flight = asyncio.create_task(self._write(group))

    async def wait(self, seconds: float) -> bool:
        """Wait until nothing is in flight, or so long; return whether nothing is."""
        task = self._in_flight
        if task is None:
            return True
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            return False
        self._in_flight = None
        task.result()  # a bug surfaces here
        return True

    async def close(self) -> None:
        """Give up what is in flight and stop the thread."""
        if self._in_flight is not None:
            self._in_flight.cancel()
            await asyncio.wait({self._in_flight})
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _write(self, group: Group) -> None:
        pause_seconds = _FIRST_PAUSE_SECONDS
        started_at = time.perf_counter()
        while not await self._try(group):
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
            started_at = time.perf_counter()
        self._record(JOURNAL_COMMIT_DURATION, time.perf_counter() - started_at)
        self._counts.commits += 1
        self.written_fills = group.checkpoint.fill_sequence
        if self.trouble:
            _logger.info("journal can be written again")
        self.trouble = ""

    async def _try(self, group: Group) -> bool:
        self._counts.operations[Component.DATABASE] += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._journal.commit, group)
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._counts.errors[Component.DATABASE] += 1
            if not self.trouble:  # the first time only, and without a trace: it is the disk, not the program
                _logger.error("journal can't be written, no bar is taken until it can", extra={"fields": {"error": str(error)}})  # noqa: TRY400
            self.trouble = str(error)
            return False
        return True
