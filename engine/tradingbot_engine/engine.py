"""The engine as a process: from its start, or its refusal, through its trading to a clean end, with its pages served all the while.

An engine that can't run its document stays up and says why: a crash loop would hide the reason, and heal nothing. One that is fenced
stays up, too, and doesn't look at the rest of its document, the journal, or the strategy: any of them may be what it is fenced for. Fenced
while it trades, it lets go of all of them. The same process trades again when the document lets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from typing import Final

from tradingbot_contract.document import Activity, SpecError
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import PageServer
from tradingbot_engine.book_pages import BookPages
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.document_watch import LOOK_SECONDS, DocumentWatch
from tradingbot_engine.loop import TradingLoop
from tradingbot_engine.orders.mandate import Mandate, build_mandate
from tradingbot_engine.pages import Pages
from tradingbot_engine.startup import Head, Ready, prepare, read_document, read_head
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.surroundings import Surroundings
from tradingbot_engine.tuning import Tuner
from tradingbot_engine.unavailable import UnavailableError

EXIT_INCOMPLETE: Final = 1
"""Asked to stop, and the journal could not be written in time."""
EXIT_UNSERVED: Final = 69  # EX_UNAVAILABLE of sysexits.h
"""The port can't be had."""
EXIT_REFUSED: Final = 78  # EX_CONFIG of sysexits.h
_RETRY_SECONDS: Final = 2.0
_FENCED: Final = "told to trade nothing (activity Fence)"
_logger = logging.getLogger(__name__)


class Engine:
    """See the module."""

    def __init__(self, around: Surroundings, facts: EngineFacts) -> None:
        self._around = around
        self._facts = facts
        self._pages = Pages(facts, around.telemetry)
        self._books = BookPages(facts)
        self._text = b""
        """Of the document that was read at the start."""
        self._stop = asyncio.Event()
        self._leave = asyncio.Event()
        """Set when this trading is to end, because the process is or because it is fenced."""

    def stop(self) -> None:
        """Ask it to end; a signal handler may."""
        self._stop.set()
        self._leave.set()

    async def run(self, host: str, port: int, *, exit_when_refused: bool, exit_when_finished: bool) -> int:
        """Serve and trade until asked to stop; return the exit code."""
        server = PageServer(self._pages.routes(), queries=self._books.queries())
        try:
            bound = await server.start(host, port)
        except OSError as error:
            _logger.critical("can't serve", extra={"fields": {"host": host, "port": port, "reason": error.strerror or str(error)}})
            return EXIT_UNSERVED
        _logger.info("serving", extra={"fields": {"host": host, "port": bound}})
        measuring = asyncio.create_task(self._facts.lag.run())
        try:
            while True:
                ready = await self._start(exit_when_refused=exit_when_refused)
                if ready is None:
                    return 0 if self._stop.is_set() else EXIT_REFUSED
                code = await self._trade(ready, exit_when_refused=exit_when_refused, exit_when_finished=exit_when_finished)
                if code is not None:
                    return code
                del ready  # prices, models and caches: nobody needs them while it is fenced
                gc.collect()
        finally:
            measuring.cancel()
            await server.stop()

    async def _start(self, *, exit_when_refused: bool) -> Ready | None:
        """Get ready to trade, or wait, fenced or refused, to be stopped. What is missing for now is tried for again."""
        facts = self._facts
        while not self._stop.is_set():
            if facts.state is not EngineState.STARTING:
                facts.lifecycle.move(EngineState.STARTING)
            try:
                self._text = read_document(self._around.config)
                head = read_head(self._text)
                self._note_head(head)
                facts.waits_for_document = head.grant < self._around.grant_floor
                if facts.waits_for_document:
                    await self._wait_for_newer(head.grant)
                    continue
                if head.fenced:
                    await self._stay_fenced()
                    continue
                return await prepare(self._text, self._around)
            except (SpecError, UnavailableError) as error:
                self._refuse(" ".join(str(error).split()), for_good=isinstance(error, SpecError))  # one line, whatever a parser says
                if exit_when_refused:
                    return None
                await self._wait_to_try_again(unavailable=isinstance(error, UnavailableError))
        facts.lifecycle.move(EngineState.STOPPING)
        return None

    def _note_head(self, head: Head) -> None:
        self._facts.generation, self._facts.revision, self._facts.idle_grant = head.generation, head.revision, head.grant

    async def _wait_for_newer(self, grant: int) -> None:
        """Wait a moment for the document that this pod was made for; an earlier one may name symbols that another shard has by now."""
        facts = self._facts
        message = f"waits for document {self._around.grant_floor}; the node still has {grant}"
        if facts.message != message:
            _logger.warning("waits for its document", extra={"fields": {"grant": grant, "floor": self._around.grant_floor}})
        facts.message = message
        facts.beat()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), LOOK_SECONDS)

    async def _stay_fenced(self) -> None:
        """Be up and idle until it is asked to stop, or the document says otherwise; one that is gone, or can't be read, says nothing."""
        facts = self._facts
        facts.message = _FENCED
        facts.lifecycle.move(EngineState.FENCED)
        _logger.warning("fenced", extra={"fields": {"generation": facts.generation}})
        released = asyncio.Event()

        async def take(text: bytes, _seen_at: float) -> bool:
            head = read_head(text)
            if head.fenced:
                self._note_head(head)
                facts.message = _FENCED
            else:
                released.set()
            return True

        def note_unreadable(reason: str) -> None:
            facts.message = f"{_FENCED}; {reason}"

        watch = DocumentWatch(self._around.config, self._text, take=take, note_unreadable=note_unreadable)
        while not (self._stop.is_set() or released.is_set()):
            facts.beat()
            await watch.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_SECONDS)
        facts.message = ""

    async def _wait_to_try_again(self, *, unavailable: bool) -> None:
        """Return when it is asked to stop, or when another try may end otherwise.

        What is missing may come by itself. What is wrong is mended in the document, or by more memory: neither needs a new pod.
        """
        before = self._givens()
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _RETRY_SECONDS)
            if unavailable or self._givens() != before:
                return

    def _givens(self) -> tuple[bytes | None, int | None]:
        """Return what decides whether the document can be run: its text (None: it can't be read), and the container's memory limit."""
        try:
            text = read_document(self._around.config)
        except SpecError:
            text = None
        return text, self._around.memory.read_limit_bytes()

    def _refuse(self, message: str, *, for_good: bool) -> None:
        if self._facts.message != message:
            _logger.error("refused", extra={"fields": {"reason": message}})
        self._facts.message = message
        self._facts.refused_for_good = for_good
        self._facts.lifecycle.move(EngineState.REFUSED)

    async def _trade(self, ready: Ready, *, exit_when_refused: bool, exit_when_finished: bool) -> int | None:
        """Trade until it is asked to stop, and return the exit code; None once it has let go of everything because it is fenced."""
        facts = self._facts
        self._leave = asyncio.Event()
        if self._stop.is_set():
            self._leave.set()
        facts.enter(ready.document, ready.session, ready.writer, ready.equipment, ready.notes)
        for note in ready.notes:
            _logger.warning("note", extra={"fields": {"text": note}})
        watching = asyncio.create_task(self._watch(ready).run(), name="document")
        try:
            await ready.equipment.start()
            # What is there now stays: the collector need not look at it again, which would hold the loop for tens of milliseconds.
            gc.collect()
            gc.freeze()
            facts.lifecycle.move(EngineState.RUNNING)
            complete = await self._take_bars(ready, exit_when_finished=exit_when_finished)
            if complete is None:
                return await self._stay_refused(exit_when_refused=exit_when_refused)
            fields = {"bars_this_run": facts.counts.bars_total, "journal_complete": complete}
            if self._leave.is_set() and not self._stop.is_set():
                _logger.info("lets go of its journal", extra={"fields": fields})
                facts.leave(_FENCED)
                gc.unfreeze()
                return None
            facts.lifecycle.move(EngineState.STOPPING)
            _logger.info("stopped", extra={"fields": fields})
            return 0 if complete else EXIT_INCOMPLETE
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            await ready.release()

    async def _stay_refused(self, *, exit_when_refused: bool) -> int:
        """Stay up and idle: leaving would bring a new process, which would shut the other one out in turn, for ever."""
        if exit_when_refused:
            return EXIT_REFUSED
        await self._stop.wait()
        self._facts.lifecycle.move(EngineState.STOPPING)
        return EXIT_INCOMPLETE

    async def _take_bars(self, ready: Ready, *, exit_when_finished: bool) -> bool | None:
        """Trade until the feed has ended and it is asked to leave.

        Returns whether all of it is in the journal; None once another engine has the journal.
        """
        facts, session = self._facts, ready.session
        loop = TradingLoop(
            facts,
            session=session,
            writer=ready.writer,
            replay=ready.document.market.feed.replay,
            stop=self._leave,
            record=self._around.telemetry.record,
        )
        try:
            complete = await loop.trade()
            if not self._leave.is_set():
                facts.lifecycle.move(EngineState.FINISHED)
                fields = {"bars": session.totals.bars, "equity": session.last_equity, "fills": session.totals.fills}
                _logger.info("finished", extra={"fields": fields})
                if not exit_when_finished:
                    complete = await loop.rest()
        except FencedError as error:
            self._refuse(str(error), for_good=False)
            return None
        return complete

    def _watch(self, ready: Ready) -> DocumentWatch:
        """Follow what of the document may change while the engine runs."""
        around = self._around
        tuner = self._facts.tuner = Tuner(
            ready.document,
            ready.equipment.targets(ready.session),
            read_limit_bytes=around.memory.read_limit_bytes,
            record=around.telemetry.record,
            obey=lambda document: self._obey(ready, build_mandate(document, ready.session.symbols)),
            on_applied=self._facts.follow,
        )

        async def take(text: bytes, seen_at: float) -> bool:
            if Activity.FENCE.value.encode() in text:  # seldom, so that most documents are read once
                head = read_head(text)
                if head.fenced:
                    self._obey(ready, Mandate(activity=Activity.FENCE, grant=head.grant))
                    self._leave.set()
                    return True
            return await tuner.take(text, seen_at)

        return DocumentWatch(around.config, self._text, take=take, note_unreadable=tuner.note_unreadable)

    def _obey(self, ready: Ready, mandate: Mandate) -> None:
        """Between two slices: what follows from it is done when this returns, and is in the journal soon after."""
        session = ready.session
        if not session.obey(mandate):
            return
        ready.writer.backlog.took(0, time.monotonic(), ordered=True)
        fields = {
            "activity": mandate.activity.value,
            "releasing": ",".join(sorted(mandate.releasing)),
            "settling": ",".join(sorted(mandate.settling)),
            "grant": mandate.grant,
            "open_positions": session.open_positions,
            "open_orders": session.open_orders,
        }
        _logger.info("mandate", extra={"fields": fields})
