"""From the files that the process is given to a bot that can trade: every check that can fail fails here, before the first bar.

What the user has to change is a :class:`SpecError` that names the field; what may come right by itself is an :class:`UnavailableError`.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tradingbot_contract.bounded_yaml import decode_yaml
from tradingbot_contract.document import Activity, EngineDocument, SpecError, parse_document
from tradingbot_contract.endpoints import ENV_DATABASE_URL, HISTORY_FILE, JOURNAL_FILE
from tradingbot_engine.database.address import DatabaseAddress, parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.lock import JournalLock
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.equipment import Equipment, open_equipment
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.feed.prices import Prices
from tradingbot_engine.memory.admission import require_memory
from tradingbot_engine.news_desk import Position
from tradingbot_engine.orders.mandate import build_mandate
from tradingbot_engine.recovery import recover
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.registry import own_code_folder, parse_strategy
from tradingbot_engine.surroundings import Surroundings

Value = TypeVar("Value")
_logger = logging.getLogger(__name__)


class Head(NamedTuple):
    """What of a document can be told although all else in it may be wrong, so that its refusal isn't taken for an older one's."""

    generation: int = 0
    revision: str = ""
    grant: int = 0
    fenced: bool = False
    """Whether it tells the engine to trade nothing. Then nobody may look at the rest: it may be what the engine is fenced for."""


class Ready(NamedTuple):
    """All that trading needs. `notes` are what people should know of how it came about."""

    document: EngineDocument
    lock: JournalLock
    database: Database
    writer: JournalWriter
    session: TradingSession
    equipment: Equipment
    notes: list[str]

    async def release(self) -> None:
        """Let go of everything, of the journal last."""
        await self.writer.close()
        await self.equipment.close()
        self.database.close()
        self.lock.release()


def read_head(text: bytes) -> Head:
    """Return what can be told of a document, field by field; the default for what isn't there or is of no use."""
    try:
        fields: Any = decode_yaml(text)
    except ValueError:
        return Head()
    if not isinstance(fields, dict):
        return Head()

    def read(name: str, kind: type[Value], default: Value) -> Value:
        value = fields.get(name)
        return value if type(value) is kind else default

    return Head(
        generation=read("generation", int, 0),
        revision=read("revision", str, ""),
        grant=read("grant", int, 0),
        fenced=fields.get("activity") == Activity.FENCE.value,
    )


def read_document(path: Path) -> bytes:
    """Return the text of the document.

    Raises:
        SpecError: there is none that can be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpecError(f"configuration {path}: can't be read ({error.strerror}): name the file with --config") from error


async def prepare(text: bytes, around: Surroundings) -> Ready:
    """Return a bot that stands where it stopped; files and databases are read on other threads.

    Raises:
        SpecError: the document can't be run; the journal isn't held then.
        UnavailableError: something is missing now; neither is it then.
    """
    try:
        document = parse_document(text)
    except SpecError as error:
        raise SpecError(f"configuration: {error}") from error
    require_memory(document, around.memory.read_limit_bytes())
    recipe = parse_strategy(document.strategy, own_code_folder(around.environment))
    prices = await asyncio.to_thread(load_prices, document.market)
    address = _address(document, around, JOURNAL_FILE)
    lock = JournalLock(around.data)
    database = Database(address, document.database.pool, document.database.retry, around.telemetry.record)
    try:
        journal = Journal(database)
        restored = await asyncio.to_thread(journal.open, document.bot)
        session, notes = recover(document, prices, recipe, restored, around.counts)
        session.obey(build_mandate(document, session.symbols))
        writer = JournalWriter(journal, around.counts, around.telemetry.record)
        writer.written_fills = restored.checkpoint.fill_sequence if restored else 0
        if not session.has_changes():  # else it is carried out once that is in the journal
            writer.written_mandate = session.mandate
        equipment = await open_equipment(
            document,
            around,
            database=database,
            journal=journal,
            writer=writer,
            session=session,
            position=_position(prices, session, restored),
            history_address=_address(document, around, HISTORY_FILE),
        )
        if equipment.news is not None:
            session.news = equipment.news.recorded
    except BaseException:
        database.close()
        lock.release()
        raise
    fields = {
        "bot": f"{document.bot.namespace}/{document.bot.name}",
        "generation": document.generation,
        "activity": document.activity.value,
        "strategy": document.strategy.name,
        "symbols": ",".join(document.market.symbols),
        "database": address.redacted,
        "lap": session.lap,
        "step": session.step,
        "steps": prices.steps,
        "equity": session.last_equity,
    }
    _logger.info("goes on" if restored else "first start", extra={"fields": fields})
    return Ready(document, lock, database, writer, session, equipment, notes)


def _address(document: EngineDocument, around: Surroundings, file: str) -> DatabaseAddress:
    url = around.environment.get(ENV_DATABASE_URL) if document.database.external else None
    if document.database.external and not url:
        raise SpecError(f"database: its address is not in the environment: set {ENV_DATABASE_URL}, or leave urlSecretRef out")
    return parse_database_address(url, around.data, file, document.bot)


def _position(prices: Prices, session: TradingSession, restored: Restored | None) -> Position:
    return Position(
        first_ms=prices.time_ms(0),
        after_ms=prices.time_ms(session.step - 1) if session.step else None,
        seen=restored.checkpoint.news_seen if restored else "",
    )
