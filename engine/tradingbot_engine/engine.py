"""The engine as a process: from its start, or its refusal, through its trading to a clean end, with its pages served all the while.

An engine that can't run its document stays up and says why: a crash loop would hide the reason, and heal nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import PageServer
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.document_watch import DocumentWatch
from tradingbot_engine.loop import TURN_SECONDS, TradingLoop
from tradingbot_engine.pages import Pages
from tradingbot_engine.startup import Ready, prepare, read_document, read_generation
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
_logger = logging.getLogger(__name__)


class Engine:
    """See the module."""

    def __init__(self, around: Surroundings, facts: EngineFacts) -> None:
        self._around = around
        self._facts = facts
        self._pages = Pages(facts, around.telemetry)
        self._text = b""
        """Of the document that was read at the start."""
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask it to end; a signal handler may."""
        self._stop.set()

    async def run(self, host: str, port: int, *, exit_when_refused: bool, exit_when_finished: bool) -> int:
        """Serve and trade until asked to stop; return the exit code."""
        server = PageServer(self._pages.routes())
        try:
            bound = await server.start(host, port)
        except OSError as error:
            _logger.critical("can't serve", extra={"fields": {"host": host, "port": port, "reason": error.strerror or str(error)}})
            return EXIT_UNSERVED
        _logger.info("serving", extra={"fields": {"host": host, "port": bound}})
        measuring = asyncio.create_task(self._facts.lag.run())
        try:
            ready = await self._start(exit_when_refused=exit_when_refused)
            if ready is None:
                return 0 if self._stop.is_set() else EXIT_REFUSED
            return await self._trade(ready, exit_when_refused=exit_when_refused, exit_when_finished=exit_when_finished)
        finally:
            measuring.cancel()
            await server.stop()

    async def _start(self, *, exit_when_refused: bool) -> Ready | None:
        """Get ready to trade, or wait, refused, to be stopped. What is missing for now is tried for again."""
        facts = self._facts
        while True:
            try:
                self._text = read_document(self._around.config)
                facts.generation = read_generation(self._text)
                ready = await prepare(self._text, self._around)
            except (SpecError, UnavailableError) as error:
                self._refuse(" ".join(str(error).split()))  # one line, whatever a parser says
                if exit_when_refused:
                    return None
                await self._wait_to_try_again(unavailable=isinstance(error, UnavailableError))
                if self._stop.is_set():
                    facts.lifecycle.move(EngineState.STOPPING)
                    return None
                facts.lifecycle.move(EngineState.STARTING)
            else:
                return ready

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

    def _refuse(self, message: str) -> None:
        if self._facts.message != message:
            _logger.error("refused", extra={"fields": {"reason": message}})
        self._facts.message = message
        self._facts.lifecycle.move(EngineState.REFUSED)

    async def _trade(self, ready: Ready, *, exit_when_refused: bool, exit_when_finished: bool) -> int:
        facts = self._facts
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
                return await self._stay_fenced(exit_when_refused=exit_when_refused)
            facts.lifecycle.move(EngineState.STOPPING)
            _logger.info("stopped", extra={"fields": {"bars_this_run": facts.counts.bars_total, "journal_complete": complete}})
            return 0 if complete else EXIT_INCOMPLETE
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            await ready.release()

    async def _stay_fenced(self, *, exit_when_refused: bool) -> int:
        """Stay up and idle: leaving would bring a new process, which would shut the other one out in turn, for ever."""
        if exit_when_refused:
            return EXIT_REFUSED
        await self._stop.wait()
        self._facts.lifecycle.move(EngineState.STOPPING)
        return EXIT_INCOMPLETE

    async def _take_bars(self, ready: Ready, *, exit_when_finished: bool) -> bool | None:
        """Trade until the feed has ended and it is asked to stop.

        Returns whether all of it is in the journal; None once another engine has the journal.
        """
        facts, session = self._facts, ready.session
        loop = TradingLoop(
            facts,
            session=session,
            writer=ready.writer,
            replay=ready.document.market.feed.replay,
            stop=self._stop,
            record=self._around.telemetry.record,
        )
        try:
            complete = await loop.trade()
        except FencedError as error:
            self._refuse(str(error))
            return None
        if not self._stop.is_set():
            facts.lifecycle.move(EngineState.FINISHED)
            fields = {"bars": session.totals.bars, "equity": session.last_equity, "fills": session.totals.fills}
            _logger.info("finished", extra={"fields": fields})
            while not (self._stop.is_set() or exit_when_finished):
                facts.beat()
                await loop.sleep(TURN_SECONDS)
        return complete

    def _watch(self, ready: Ready) -> DocumentWatch:
        """Follow what of the document may change while the engine runs."""
        around = self._around
        tuner = self._facts.tuner = Tuner(
            ready.document,
            ready.equipment.targets(ready.session),
            read_limit_bytes=around.memory.read_limit_bytes,
            record=around.telemetry.record,
            on_applied=self._facts.follow,
        )
        return DocumentWatch(around.config, self._text, take=tuner.take, note_unreadable=tuner.note_unreadable)
