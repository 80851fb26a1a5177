"""What is true of the engine now, in one place: the trading loop writes it, probes, pages and metrics read it."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from tradingbot_contract.document import EngineDocument
from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_engine.cache.named import NamedCache
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.lifecycle import Lifecycle
from tradingbot_engine.pace import Pace
from tradingbot_engine.session import TradingSession
from tradingbot_engine.telemetry.counts import Counts
from tradingbot_engine.views import SymbolPerformance

_LAGS_KEPT: Final = 40


class EngineFacts:
    """See the module. Times are seconds since the epoch unless they say otherwise."""

    def __init__(self) -> None:
        self.lifecycle = Lifecycle()
        self.counts = Counts()
        self.started_at = time.time()
        self.heartbeat_at = self.started_at
        self.heartbeat_monotonic = time.monotonic()
        self.last_bar_at: float | None = None
        self.message = ""
        """Why it was refused."""
        self.notes: list[str] = []
        """What people should know although it runs."""
        self.writer: JournalWriter | None = None
        self.generation = 0
        self.document: EngineDocument | None = None
        self.database: Database | None = None
        self.cache: NamedCache[list[SymbolPerformance]] | None = None
        self.session: TradingSession | None = None
        self.pace: Pace | None = None
        self.loop_lags_seconds: deque[float] = deque(maxlen=_LAGS_KEPT)

    @property
    def state(self) -> EngineState:
        return self.lifecycle.state

    @property
    def journal_trouble(self) -> str:
        """Why the journal can't be written; empty if it can."""
        return "" if self.writer is None else self.writer.trouble

    def beat(self) -> None:
        """The main loop has turned."""
        self.heartbeat_at = time.time()
        self.heartbeat_monotonic = time.monotonic()

    def enter(
        self,
        document: EngineDocument,
        database: Database,
        session: TradingSession,
        cache: NamedCache[list[SymbolPerformance]],
        notes: list[str],
    ) -> None:
        """It is ready to trade."""
        self.document = document
        self.database = database
        self.session = session
        self.cache = cache
        self.notes = notes
        self.message = ""

    def feed_due(self) -> bool:
        """Whether a bar is expected: at a slow pace only when it is overdue, so that waiting isn't taken for a stale feed."""
        if self.state is not EngineState.RUNNING:
            return False
        return self.pace is None or self.pace.expects_step(time.monotonic())

    def feed_age_seconds(self) -> float | None:
        """Return the time since the last bar was processed, since the start if there was none; None when none is due."""
        if not self.feed_due():
            return None
        return max(0.0, time.time() - (self.last_bar_at or self.started_at))

    def status_message(self) -> str:
        """Return all that a person should know, most urgent first."""
        session = self.session
        halted = f"strategy halted: {session.runner.halted_by}; positions are kept" if session and session.runner.halted_by else ""
        trouble = f"journal can't be written: {self.journal_trouble}" if self.journal_trouble else ""
        return "; ".join(part for part in (self.message, trouble, halted, *self.notes) if part)

    def status(self) -> EngineStatus:
        """Return the engine's account of itself."""
        session = self.session
        known = EngineStatus(
            state=self.state,
            message=self.status_message(),
            generation=self.generation,
            started_at=self.started_at,
            heartbeat_at=self.heartbeat_at,
            strategy=self.document.strategy.name if self.document else "",
            feed_due=self.feed_due(),
            last_bar_at=self.last_bar_at,
        )
        return known if session is None else _with_session(known, session, self.counts)


def _with_session(status: EngineStatus, session: TradingSession, counts: Counts) -> EngineStatus:
    totals = session.totals
    return EngineStatus(
        state=status.state,
        message=status.message,
        generation=status.generation,
        started_at=status.started_at,
        heartbeat_at=status.heartbeat_at,
        strategy=status.strategy,
        bars=totals.bars,
        bars_this_run=counts.bars_total,
        lap=session.lap,
        last_bar_at=status.last_bar_at,
        last_bar_time=None if session.time_ms is None else session.time_ms / 1000,
        feed_due=status.feed_due,
        progress=session.progress,
        equity=session.last_equity,
        initial_equity=session.initial_equity,
        currency=session.currency,
        drawdown=session.drawdown,
        open_positions=session.open_positions,
        open_orders=session.open_orders,
        orders=totals.orders,
        fills=totals.fills,
        rejected_orders=totals.rejected_orders,
    )
