"""The main loop: brings time to a session, and what the session did to the journal.

At full speed it trades for a slice of time and lets the event loop turn, so that probes are answered. At a given pace it takes the
steps that are due and sleeps. A group of steps is committed every quarter of a second, at once when the loop is about to sleep and
there are orders, and each second in any case; the loop goes on meanwhile. It turns at least each second, whatever it waits for, and each
turn is a heartbeat. A slice has no await in it: what else runs on the event loop, a change of the risk limits or an order to sell all for
example, comes between two slices.

While the journal can't be written, market data goes on: steps are taken in memory, and are one group when it can be written again. How
many there may be is bounded (:class:`tradingbot_engine.database.backlog.Bounds`); at the bound the loop waits.

Invariant: an order is sent when it is in the journal, not before. The paper broker's fills are in the same database, and in the same
transaction as their orders and the position in the feed: what isn't committed has not happened, a crash forgets it whole, and the next
start takes the same steps with the same result. A broker that sends orders to a venue can't take that back: it must hold an order until
`JournalWriter` says that its group is written, and only then send it. In an outage it sends none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Final

from tradingbot_contract.metrics import DECISION_DURATION
from tradingbot_contract.spec import Replay
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.pace import Pace
from tradingbot_engine.session import TradingSession
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.record import Record

TURN_SECONDS: Final = 1.0
_SLICE_SECONDS: Final = 0.01
_MOST_STEPS_BETWEEN_CLOCKS: Final = 1024
_GROUP_SECONDS: Final = 0.25
_GROUP_STEPS: Final = 50_000
_LONGEST_GROUP_SECONDS: Final = 1.0
_IDLE_FROM_SECONDS: Final = 0.02
_NEWS_WAIT_SECONDS: Final = 0.005
_FULL_WAIT_SECONDS: Final = 0.1
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
        self._backlog = writer.backlog
        self._committed_at = time.monotonic()
        self._lap_logged_at = -_LAP_LOG_SECONDS

    async def trade(self) -> bool:
        """Take bars until the feed ends or it is asked to stop; return whether all of it is in the journal.

        Raises:
            FencedError: another engine trades with this journal.
        """
        session, replay = self._session, self._replay
        pace = self._facts.pace = Pace(replay.speed, time.monotonic())
        while not self._stop.is_set():
            self._facts.beat()
            if not self._writer.is_free() and self._backlog.is_full(session.unwritten_rows, time.monotonic()):
                await self._writer.wait(_FULL_WAIT_SECONDS)
                continue
            if session.at_end():
                if not replay.loop:
                    break
                self._begin_lap()
            self._take_due(pace, time.monotonic())
            now = time.monotonic()
            idle_seconds = pace.wait_seconds(now)
            if session.waits_for_news():
                idle_seconds = max(idle_seconds, _NEWS_WAIT_SECONDS)
            if self._commit_due(now, idle_seconds) and self._writer.is_free():
                self._writer.write(session.take_group())
                self._committed_at = now
            await self.sleep(min(idle_seconds, TURN_SECONDS))
        session.stop()
        return await self._commit_last()

    async def rest(self) -> bool:
        """The feed has ended: write what is still done without it, until asked to stop; return whether all of it is in the journal.

        Raises:
            FencedError: another engine has the journal.
        """
        while not self._stop.is_set():
            self._facts.beat()
            if self._writer.is_free() and self._session.has_changes():
                self._writer.write(self._session.take_group())
            await self.sleep(TURN_SECONDS)
        return await self._commit_last() if self._session.has_changes() or not self._writer.is_free() else True

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
        if not taken:
            return
        self._record(DECISION_DURATION, time.perf_counter() - started_at)
        while taken < due and time.monotonic() < until:
            # As many as were taken so far: a slice whose steps are slow is overrun by its own length at most.
            count = self._session.advance(min(taken, _MOST_STEPS_BETWEEN_CLOCKS, due - taken))
            if not count:
                break
            taken += count
        pace.took(taken)
        self._backlog.took(taken, now, ordered=self._session.has_changes())
        self._facts.last_bar_at = time.time()

    def _commit_due(self, now: float, idle_seconds: float) -> bool:
        steps = self._backlog.new_steps
        if not steps and not self._session.has_changes():  # without a bar, too, it may be told to sell
            return False
        seconds = now - self._committed_at
        if steps >= _GROUP_STEPS or seconds >= _LONGEST_GROUP_SECONDS or self._backlog.is_full(self._session.unwritten_rows, now):
            return True
        if idle_seconds >= _IDLE_FROM_SECONDS:
            return self._session.has_changes()
        return seconds >= _GROUP_SECONDS

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
