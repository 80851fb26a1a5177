"""From the files that the process is given to a bot that can trade: every check that can fail fails here, before the first bar.

What the user has to change is a :class:`SpecError` that names the field; what may come right by itself is an :class:`UnavailableError`.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import NamedTuple

import msgspec

from tradingbot_contract.document import EngineDocument, SpecError, parse_document
from tradingbot_contract.endpoints import JOURNAL_FILE
from tradingbot_engine.database.connections import Database, Record
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.lock import JournalLock
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.recovery import recover
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.registry import parse_strategy
from tradingbot_engine.telemetry.counts import Counts

_logger = logging.getLogger(__name__)


class _Generation(msgspec.Struct):
    generation: int = 0


class Ready(NamedTuple):
    """All that trading needs. `notes` are what people should know of how it came about."""

    document: EngineDocument
    lock: JournalLock
    database: Database
    journal: Journal
    session: TradingSession
    notes: list[str]

    def release(self) -> None:
        """Let go of the journal."""
        self.database.close()
        self.lock.release()


def read_generation(text: bytes) -> int:
    """Return the generation of a document that may be wrong in all else, so that its refusal isn't taken for an older one's; 0 if none."""
    try:
        return msgspec.yaml.decode(text, type=_Generation).generation
    except msgspec.DecodeError:
        return 0


def read_document(path: Path) -> bytes:
    """Return the text of the document.

    Raises:
        SpecError: there is none that can be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(f"configuration {path}: can't be read ({error.strerror}): name the file with --config") from error


async def prepare(text: bytes, data: Path, counts: Counts, record: Record) -> Ready:
    """Return a bot that stands where it stopped; files are read on other threads.

    Raises:
        SpecError: the document can't be run; the journal isn't held then.
        UnavailableError: something is missing now; neither is it then.
    """
    try:
        document = parse_document(text)
    except SpecError as error:
        raise SpecError(f"configuration: {error}") from error
    recipe = parse_strategy(document.strategy)
    prices = await asyncio.to_thread(load_prices, document.market)
    lock = JournalLock(data)
    database = Database(data / JOURNAL_FILE, document.database.pool, record)
    try:
        journal = Journal(database)
        restored = await asyncio.to_thread(journal.open, document.bot)
        session, notes = recover(document, prices, recipe, restored, counts)
    except BaseException:
        database.close()
        lock.release()
        raise
    fields = {
        "bot": f"{document.bot.namespace}/{document.bot.name}",
        "generation": document.generation,
        "strategy": document.strategy.name,
        "symbols": ",".join(document.market.symbols),
        "lap": session.lap,
        "step": session.step,
        "steps": prices.steps,
        "equity": session.last_equity,
    }
    _logger.info("goes on" if restored else "first start", extra={"fields": fields})
    return Ready(document, lock, database, journal, session, notes)
