"""The engine as a process: from its start, or its refusal, through its trading to a clean end, with its pages served all the while.

An engine that can't run its document stays up and says why: a crash loop would hide the reason, and heal nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError, parse_document, restart_hash
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import PageServer
from tradingbot_engine.cache.named import NamedCache
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.loop import TURN_SECONDS, TradingLoop
from tradingbot_engine.pages import Pages
from tradingbot_engine.startup import Ready, prepare, read_document, read_generation
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.unavailable import UnavailableError

EXIT_INCOMPLETE: Final = 1
"""Asked to stop, and the journal could not be written in time."""
EXIT_UNSERVED: Final = 69  # EX_UNAVAILABLE of sysexits.h
"""The port can't be had."""
EXIT_REFUSED: Final = 78  # EX_CONFIG of sysexits.h
_RETRY_SECONDS: Final = 2.0
_LAG_PROBE_SECONDS: Final = 0.25
_logger = logging.getLogger(__name__)


class Engine:
    """See the module."""

    def __init__(self, config: Path, data: Path, facts: EngineFacts, telemetry: Telemetry) -> None:
        self._config = config
        self._data = data
        self._facts = facts
        self._telemetry = telemetry
        self._pages = Pages(facts, telemetry)
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
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            ready = await self._start(exit_when_refused=exit_when_refused)
            if ready is None:
                return 0 if self._stop.is_set() else EXIT_REFUSED
            return await self._trade(ready, exit_when_finished=exit_when_finished)
        finally:
            housekeeping.cancel()
            await server.stop()
            self._pages.close()

    async def _start(self, *, exit_when_refused: bool) -> Ready | None:
        """Get ready to trade, or wait, refused, to be stopped. What is missing for now is tried for again."""
        facts = self._facts
        while True:
            try:
                text = read_document(self._config)
                facts.generation = read_generation(text)
                ready = await prepare(text, self._data, facts.counts, self._telemetry.record)
            except (SpecError, UnavailableError) as error:
                self._refuse(" ".join(str(error).split()))  # one line, whatever a parser says
                if exit_when_refused:
                    return None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _RETRY_SECONDS if isinstance(error, UnavailableError) else None)
                if self._stop.is_set():
                    facts.lifecycle.move(EngineState.STOPPING)
                    return None
                facts.lifecycle.move(EngineState.STARTING)
            else:
                return ready

    def _refuse(self, message: str) -> None:
        if self._facts.message != message:
            _logger.error("refused", extra={"fields": {"reason": message}})
        self._facts.message = message
        self._facts.lifecycle.move(EngineState.REFUSED)

    async def _trade(self, ready: Ready, *, exit_when_finished: bool) -> int:
        facts = self._facts
        facts.enter(ready.document, ready.database, ready.session, NamedCache("views", ready.document.cache), ready.notes)
        for note in ready.notes:
            _logger.warning("note", extra={"fields": {"text": note}})
        self._pages.journal = ready.journal
        writer = facts.writer = JournalWriter(ready.journal, facts.counts, self._telemetry.record)
        try:
            loop = TradingLoop(
                facts,
                session=ready.session,
                writer=writer,
                replay=ready.document.market.feed.replay,
                stop=self._stop,
                record=self._telemetry.record,
            )
            facts.lifecycle.move(EngineState.RUNNING)
            complete = await loop.trade()
            if not self._stop.is_set():
                facts.lifecycle.move(EngineState.FINISHED)
                totals = ready.session.totals
                fields = {"bars": totals.bars, "equity": ready.session.last_equity, "fills": totals.fills}
                _logger.info("finished", extra={"fields": fields})
                while not (self._stop.is_set() or exit_when_finished):
                    facts.beat()
                    await loop.sleep(TURN_SECONDS)
            facts.lifecycle.move(EngineState.STOPPING)
            _logger.info("stopped", extra={"fields": {"bars_this_run": facts.counts.bars_total, "journal_complete": complete}})
            return 0 if complete else EXIT_INCOMPLETE
        finally:
            await writer.close()
            ready.release()

    async def _keep_house(self) -> None:
        """Measure how late timers run, and follow what of the document may change while the engine runs."""
        seen = None
        while True:
            planned = time.monotonic() + _LAG_PROBE_SECONDS
            await asyncio.sleep(_LAG_PROBE_SECONDS)
            self._facts.loop_lags_seconds.append(max(0.0, time.monotonic() - planned))
            with contextlib.suppress(OSError):  # between two versions of the file; looked at again in a moment
                found = self._config.stat()
                version = (found.st_ino, found.st_mtime_ns)
                if version != seen:
                    self._follow_document()
                    seen = version

    def _follow_document(self) -> None:
        """Report the generation of a changed file if the engine already does all that it says.

        If it doesn't, or the file can't be parsed, it goes on with what it has read, and whoever wrote the file sees that the
        generation stays.
        """
        running = self._facts.document
        if running is None:
            return
        text = self._config.read_bytes()
        try:
            document = parse_document(text)
        except SpecError as error:
            _logger.warning("changed document can't be used", extra={"fields": {"reason": str(error)}})
            return
        if document.generation != self._facts.generation and restart_hash(document) == restart_hash(running):
            _logger.info("document changed", extra={"fields": {"generation": document.generation}})
            self._facts.document = document
            self._facts.generation = document.generation
