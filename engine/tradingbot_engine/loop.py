"""The main loop: brings time to a session, and what the session did to the journal.

At full speed it trades for a slice of time and lets the event loop turn, so that probes are answered. At a given pace it takes the
steps that are due and sleeps. A group of steps is committed every quarter of a second, at once when the loop is about to sleep and
there are orders, and each second in any case; the loop goes on with the next group meanwhile. It turns at least each second, whatever
it waits for, and each turn is a heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Final

from tradingbot_contract.metrics import DECISION_DURATION
from tradingbot_contract.spec import Replay
from tradingbot_engine.database.connections import Record
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.pace import Pace
from tradingbot_engine.session import TradingSession
from tradingbot_engine.state import EngineFacts

TURN_SECONDS: Final = 1.0
_SLICE_SECONDS: Final = 0.01
_STEPS_BETWEEN_CLOCKS: Final = 64
_GROUP_SECONDS: Final = 0.25
_GROUP_STEPS: Final = 50_000
_LONGEST_GROUP_SECONDS: Final = 1.0
_IDLE_FROM_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 1.5
_LAP_LOG_SECONDS: Final = 10.0
_logger = logging.getLogger(__name__)


class TradingLoop:
    """See the module."""

    def __init__(
        self, facts: EngineFacts, *, session: TradingSession, writer: JournalWriter, replay: Replay, stop: asyncio.Event, record: Record
    ) -> None:
        self._facts = facts
        self._session = session
        self._writer = writer
        self._replay = replay
        self._stop = stop
        self._record = record
        self._committed_at = time.monotonic()
        self._steps_in_group = 0
        self._lap_logged_at = -_LAP_LOG_SECONDS

    async def trade(self) -> bool:
        """Take bars until the feed ends or it is asked to stop; return whether all of it is in the journal."""
        session, replay = self._session, self._replay
        pace = self._facts.pace = Pace(replay.speed, time.monotonic())
        while not self._stop.is_set():
            self._facts.beat()
            if session.at_end():
                if not replay.loop:
                    break
                self._begin_lap()
            self._take_due(pace, time.monotonic())
            now = time.monotonic()
            idle_seconds = pace.wait_seconds(now)
            if self._commit_due(now, idle_seconds):
                await self._commit(now)
            await self.sleep(min(idle_seconds, TURN_SECONDS))
        session.stop()
        return await self._commit_last()

    async def sleep(self, seconds: float) -> None:
        """Let others run, until it is asked to stop or so long."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _begin_lap(self) -> None:
        session = self._session
        session.begin_lap()
        now = time.monotonic()
        if now - self._lap_logged_at >= _LAP_LOG_SECONDS:  # a small file at full speed has fifty laps a second
            self._lap_logged_at = now
            fields = {"lap": session.lap, "equity": session.last_equity, "bars": session.totals.bars}
            _logger.info("the feed begins anew", extra={"fields": fields})

    def _take_due(self, pace: Pace, now: float) -> None:
        """Take the steps that are due, for a slice of time at most."""
        due = pace.due(now)
        if not due:
            return
        until = now + _SLICE_SECONDS
        started_at = time.perf_counter()
        taken = self._session.advance(1)
        self._record(DECISION_DURATION, time.perf_counter() - started_at)
        while taken < due and time.monotonic() < until:
            count = self._session.advance(min(_STEPS_BETWEEN_CLOCKS, due - taken))
            if not count:
                break
            taken += count
        pace.took(taken)
        self._steps_in_group += taken
        self._facts.last_bar_at = time.time()

    def _commit_due(self, now: float, idle_seconds: float) -> bool:
        if not self._steps_in_group:
            return False
        seconds = now - self._committed_at
        if self._steps_in_group >= _GROUP_STEPS or seconds >= _LONGEST_GROUP_SECONDS:
            return True
        if idle_seconds >= _IDLE_FROM_SECONDS:
            return self._session.has_changes()
        return seconds >= _GROUP_SECONDS

    async def _commit(self, now: float) -> None:
        """Hand the group to the writer once the one before is written; leave it to the end when asked to stop meanwhile."""
        while not await self._writer.wait(TURN_SECONDS):
            self._facts.beat()
            if self._stop.is_set():
                return
        self._writer.write(self._session.take_group())
        self._committed_at, self._steps_in_group = now, 0

    async def _commit_last(self) -> bool:
        """Write what is left; return whether it is written.

        Once asked to stop it gives up after a while: the next start takes those steps again, with the same result.
        """
        group_left = True
        deadline: float | None = None
        while deadline is None or time.monotonic() < deadline:
            self._facts.beat()
            if self._stop.is_set() and deadline is None:
                deadline = time.monotonic() + _STOP_SECONDS
            if not await self._writer.wait(0.1):
                continue
            if not group_left:
                return True
            self._writer.write(self._session.take_group())
            group_left = False
        _logger.error(
            "journal not written in time, the next start takes these steps again", extra={"fields": {"error": self._writer.trouble}}
        )
        return False
