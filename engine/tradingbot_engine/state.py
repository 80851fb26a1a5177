"""What is true of the engine now, in one place: the trading loop writes it, probes, pages and metrics read it."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from tradingbot_contract.document import EngineDocument
from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.equipment import Equipment
from tradingbot_engine.lifecycle import Lifecycle
from tradingbot_engine.loop_lag import LoopLag
from tradingbot_engine.pace import Pace
from tradingbot_engine.session import TradingSession
from tradingbot_engine.telemetry.counts import Counts
from tradingbot_engine.tuning import Tuner

BEHIND_FROM_SECONDS: Final = 5.0
"""A commit takes a second at most; a step that waits for longer waits for something that is wrong."""


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
        self.equipment: Equipment | None = None
        self.tuner: Tuner | None = None
        self.session: TradingSession | None = None
        self.pace: Pace | None = None
        self.lag = LoopLag()

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
        self, document: EngineDocument, session: TradingSession, writer: JournalWriter, equipment: Equipment, notes: list[str]
    ) -> None:
        """It is ready to trade."""
        self.document = document
        self.session = session
        self.writer = writer
        self.equipment = equipment
        self.notes = notes
        self.message = ""

    def follow(self, document: EngineDocument) -> None:
        """It goes by this document now."""
        self.document = document
        self.generation = document.generation
        if self.equipment is not None:
            self.equipment.document = document

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

    def journal_behind_seconds(self) -> float | None:
        """Return how long the oldest step that isn't in the journal has waited, if that is too long; else None."""
        seconds = 0.0 if self.writer is None else self.writer.behind_seconds
        return seconds if seconds > BEHIND_FROM_SECONDS else None

    def database_trouble(self) -> str:
        """Return why the database can't be used; empty if it can, or nobody knows."""
        known = None if self.equipment is None else self.equipment.monitor.dependency
        return known.message if known is not None and known.up is False else ""

    def status_message(self) -> str:
        """Return all that a person should know, most urgent first."""
        session = self.session
        halted = f"strategy halted: {session.runner.halted_by}; positions are kept" if session and session.runner.halted_by else ""
        trouble = f"journal can't be written: {self.journal_trouble}" if self.journal_trouble else ""
        # The journal's own trouble says more than that of the database that it is in.
        database = f"database can't be used: {self.database_trouble()}" if self.database_trouble() and not trouble else ""
        return "; ".join(part for part in (self.message, trouble, database, halted, *self.notes) if part)

    def status(self) -> EngineStatus:
        """Return the engine's account of itself."""
        status = EngineStatus(
            state=self.state,
            message=self.status_message(),
            generation=self.generation,
            started_at=self.started_at,
            heartbeat_at=self.heartbeat_at,
            strategy=self.document.strategy.name if self.document else "",
            feed_due=self.feed_due(),
            last_bar_at=self.last_bar_at,
            document_refusal=self.tuner.refusal if self.tuner else "",
            journal_behind_seconds=self.journal_behind_seconds(),
        )
        if self.session is not None:
            status = _with_session(status, self.session, self.counts)
        return status if self.equipment is None else _with_equipment(status, self.equipment)


def _with_session(status: EngineStatus, session: TradingSession, counts: Counts) -> EngineStatus:
    totals = session.totals
    return msgspec.structs.replace(
        status,
        bars=totals.bars,
        bars_this_run=counts.bars_total,
        lap=session.lap,
        last_bar_time=None if session.time_ms is None else session.time_ms / 1000,
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


def _with_equipment(status: EngineStatus, equipment: Equipment) -> EngineStatus:
    predictions = equipment.news.predictions if equipment.news else None
    return msgspec.structs.replace(
        status,
        dependencies=tuple(equipment.dependencies()),
        pools=equipment.pool_watch.uses(),
        memory_mode=predictions.mode.value if predictions else "",
        memory_mode_reason=predictions.mode_reason if predictions else "",
    )
