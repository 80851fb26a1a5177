"""What is true of the engine now, in one place: the trading loop writes it, probes, pages and metrics read it."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from tradingbot_contract.document import Activity, EngineDocument
from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.equipment import Equipment
from tradingbot_engine.lifecycle import Lifecycle
from tradingbot_engine.loop_lag import LoopLag
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.pace import Pace
from tradingbot_engine.session import TradingSession
from tradingbot_engine.telemetry.counts import Counts
from tradingbot_engine.tuning import Tuner

BEHIND_FROM_SECONDS: Final = 5.0
"""A commit takes a second at most; a step that waits for longer waits for something that is wrong."""
MOST_CHARACTERS: Final = 1000
"""Of each text in the status. The log has it whole; an observer takes no status of more than 64 KiB, and an engine whose status it can't
take looks as if it were silent, however long the text of a strategy's error is."""


class EngineFacts:
    """See the module. Times are seconds since the epoch unless they say otherwise."""

    def __init__(self) -> None:
        self.lifecycle = Lifecycle()
        self.counts = Counts()
        self.started_at = time.time()
        self.heartbeat_at = self.started_at
        self.heartbeat_monotonic = time.monotonic()
        self.last_bar_at: float | None = None
        self.trading_since: float | None = None
        self.message = ""
        """Why it was refused, or is fenced."""
        self.refused_for_good = False
        """Whether what it was refused for has to be mended, and won't come by itself."""
        self.notes: list[str] = []
        """What people should know although it runs."""
        self.writer: JournalWriter | None = None
        self.generation = 0
        self.revision: str | None = None
        """Of the document that this process trades by, or would if it could."""
        self.idle_grant: int | None = None
        """Of the document that it doesn't trade by, because it is fenced or refuses."""
        self.waits_for_document = False
        """Whether the document that is there is older than its pod."""
        self.document: EngineDocument | None = None
        self.equipment: Equipment | None = None
        self.tuner: Tuner | None = None
        self.session: TradingSession | None = None
        self.pace: Pace | None = None
        self._left: EngineStatus | None = None
        """What it said when it let go of its journal."""
        self.lag = LoopLag()

    @property
    def state(self) -> EngineState:
        return self.lifecycle.state

    @property
    def trades_nothing(self) -> bool:
        return self.state in {EngineState.FENCED, EngineState.REFUSED}

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
        self.trading_since = time.time()
        self._left = None

    def leave(self, message: str) -> None:
        """It is fenced, and about to let go of its journal and of all that it trades with."""
        self._left = self.status()
        self.idle_grant = self._left.grant
        self.message = message
        self.lifecycle.move(EngineState.FENCED)
        self.document = self.session = self.writer = self.equipment = self.tuner = self.pace = None
        self.notes = []

    def follow(self, document: EngineDocument) -> None:
        """It goes by this document now."""
        self.document = document
        self.generation = document.generation
        if self.equipment is not None:
            self.equipment.document = document

    def busy_symbols(self) -> tuple[str, ...] | None:
        """Return the symbols with a position or an open order, here or as the journal has it; None if it holds no journal."""
        if self.session is None or self.writer is None or self.state is EngineState.REFUSED:
            return None
        return tuple(sorted(self.session.busy_symbols | self.writer.unwritten_symbols))

    def symbols(self) -> tuple[str, ...] | None:
        """Return the symbols that it may trade; None while that isn't known."""
        if self.trades_nothing:
            return ()
        busy = self.busy_symbols()
        if self.session is None or busy is None:
            return None
        given_up = self.session.mandate.releasing - frozenset(busy)
        return tuple(symbol for symbol in self.session.symbols if symbol not in given_up)

    def activity(self) -> Activity | None:
        """Return what it was told it may do, once that has been carried out and the journal says so; None before."""
        if self.state is EngineState.FENCED:
            return Activity.FENCE
        mandate = self._carried_out()
        return None if mandate is None else mandate.activity

    def document_refusal(self) -> str:
        """Return why the document that is there isn't the one that runs, where none runs or an earlier one does."""
        if self.state is EngineState.REFUSED:
            return self.message if self.refused_for_good else ""
        return self.tuner.refusal if self.tuner else ""

    def grant(self) -> int | None:
        """Return the number of the decision that it goes by, once that has been carried out; None before.

        One that waits for a newer document tells the number of what it has, so that the operator sees to it.
        """
        if self.trades_nothing or self.waits_for_document:
            return self.idle_grant
        mandate = self._carried_out()
        return None if mandate is None else mandate.grant

    def _carried_out(self) -> Mandate | None:
        return None if self.writer is None or self.trades_nothing else self.writer.written_mandate

    def feed_due(self) -> bool:
        """Whether a bar is expected: at a slow pace only when it is overdue, so that waiting isn't taken for a stale feed."""
        if self.state is not EngineState.RUNNING:
            return False
        return self.pace is None or self.pace.expects_step(time.monotonic())

    def feed_age_seconds(self) -> float | None:
        """Return the time since the last bar was processed, or since it began to trade if that was later; None when none is due."""
        if not self.feed_due():
            return None
        return max(0.0, time.time() - max(self.last_bar_at or 0.0, self.trading_since or self.started_at))

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
        models = self.equipment.news.predictions.notes if self.equipment and self.equipment.news else []
        breach = str(session.breach or "") if session else ""
        trouble = f"journal can't be written: {self.journal_trouble}" if self.journal_trouble else ""
        # The journal's own trouble says more than that of the database that it is in.
        database = f"database can't be used: {self.database_trouble()}" if self.database_trouble() and not trouble else ""
        return "; ".join(part for part in (self.message, trouble, database, halted, breach, *self.notes, *models) if part)

    def status(self) -> EngineStatus:
        """Return the engine's account of itself."""
        status = EngineStatus(
            state=self.state,
            message=_shorten(self.status_message()),
            generation=self.generation,
            revision=self.revision,
            started_at=self.started_at,
            heartbeat_at=self.heartbeat_at,
            strategy=self.document.strategy.name if self.document else "",
            feed_due=self.feed_due(),
            last_bar_at=self.last_bar_at,
            trading_since=self.trading_since,
            document_refusal=_shorten(self.document_refusal()),
            refused_generation=self.tuner.refused_generation if self.tuner else None,
            journal_behind_seconds=self.journal_behind_seconds(),
            symbols=self.symbols(),
            busy_symbols=self.busy_symbols(),
            grant=self.grant(),
        )
        activity = self.activity()
        if activity is not None:
            status = msgspec.structs.replace(status, activity=activity.value)
        if self.state is EngineState.FENCED and self._left is not None:
            status = _with_what_was(status, self._left)
        if self.session is not None:
            status = _with_session(status, self.session, self.counts)
        return status if self.equipment is None else _with_equipment(status, self.equipment)


def _with_what_was(status: EngineStatus, left: EngineStatus) -> EngineStatus:
    """Add the figures of an engine that has let go of its journal: nothing but time has changed them."""
    names = (
        "strategy bars bars_this_run lap last_bar_time progress equity initial_equity currency drawdown open_positions open_orders orders "
        "fills rejected_orders busy_symbols"
    )
    return msgspec.structs.replace(status, **{name: getattr(left, name) for name in names.split()})


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
        dependencies=tuple(msgspec.structs.replace(each, message=_shorten(each.message)) for each in equipment.dependencies()),
        pools=equipment.pool_watch.uses(),
        memory_mode=predictions.mode.value if predictions else "",
        memory_mode_reason=_shorten(predictions.mode_reason) if predictions else "",
    )


def _shorten(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
