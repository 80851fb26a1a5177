"""The pages of the books: orders, fills and equity, read from the journal when somebody asks, beside trading and never in its way.

One of them is read at a time, on another thread: whoever asks more often waits, and the pool keeps its connections for the journal. What
can't be meant is refused with words; while the journal can't be read, that is said instead of an empty page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy

from tradingbot_contract.books import EquityPage, FillsPage, OrdersPage
from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_contract.endpoints import EQUITY_PATH, FILLS_PATH, ORDERS_PATH
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import JSON, TEXT, Answer, QueryPage
from tradingbot_engine.book_query import parse_equity_query, parse_fills_query, parse_orders_query
from tradingbot_engine.database.book_reader import read_equity, read_fills, read_orders
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.faults import environment_fault
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.counts import Component
from tradingbot_engine.unavailable import UnavailableError

_ORDERS_KEPT: Final = "database.retention.orders"
_POINTS_KEPT: Final = "database.retention.equityPoints"
_PATIENCE_SECONDS: Final = 3.0
T = TypeVar("T")


class BookPages:
    """Makes the pages from the facts."""

    def __init__(self, facts: EngineFacts) -> None:
        self._facts = facts
        self._turn = asyncio.Lock()

    def queries(self) -> dict[str, QueryPage]:
        return {ORDERS_PATH: self.orders, FILLS_PATH: self.fills, EQUITY_PATH: self.equity}

    async def orders(self, query: Mapping[str, str]) -> Answer:
        """Orders, the newest first: `?limit=N&before=CURSOR&symbol=&status=`."""
        return await self._answer(self._orders, query)

    async def fills(self, query: Mapping[str, str]) -> Answer:
        """Executions, the newest first: `?limit=N&before=CURSOR&symbol=`."""
        return await self._answer(self._fills, query)

    async def equity(self, query: Mapping[str, str]) -> Answer:
        """The equity curve, the oldest first: `?points=N&since=SECONDS&thin=extremes|even`."""
        return await self._answer(self._equity, query)

    async def _orders(self, query: Mapping[str, str]) -> bytes:
        choice = parse_orders_query(query)
        document, currency, _, found = await self._read(partial(read_orders, choice=choice))
        return msgspec.json.encode(
            OrdersPage(
                bot=document.bot.name,
                shard=document.bot.shard,
                currency=currency,
                orders=found.rows,
                next=str(found.rows[-1].sequence) if found.more else None,
                removed=found.removed,
                note=_note(found.removed, "orders", _ORDERS_KEPT, document.database.retention.orders),
            )
        )

    async def _fills(self, query: Mapping[str, str]) -> bytes:
        choice = parse_fills_query(query)
        document, currency, _, found = await self._read(partial(read_fills, choice=choice))
        return msgspec.json.encode(
            FillsPage(
                bot=document.bot.name,
                shard=document.bot.shard,
                currency=currency,
                fills=found.rows,
                next=str(found.rows[-1].sequence) if found.more else None,
                removed=found.removed,
                note=_note(found.removed, "fills", _ORDERS_KEPT, document.database.retention.orders),
            )
        )

    async def _equity(self, query: Mapping[str, str]) -> bytes:
        choice = parse_equity_query(query)
        document, currency, initial_equity, found = await self._read(
            partial(read_equity, points=choice.points, since_ms=choice.since_ms, thinning=choice.thinning)
        )
        return msgspec.json.encode(
            EquityPage(
                bot=document.bot.name,
                shard=document.bot.shard,
                currency=currency,
                initial_equity=initial_equity,
                points=found.points,
                held=found.held,
                removed=found.removed,
                note=_note(found.removed, "points", _POINTS_KEPT, document.database.retention.equity_points),
            )
        )

    async def _answer(self, make: Callable[[Mapping[str, str]], Awaitable[bytes]], query: Mapping[str, str]) -> Answer:
        try:
            return Answer(HTTPStatus.OK, JSON, await make(query))
        except SpecError as error:
            return _text(HTTPStatus.BAD_REQUEST, str(error))
        except UnavailableError as error:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    async def _read(self, read: Callable[[Database], T]) -> tuple[EngineDocument, str, float, T]:
        """Return whose books they are, the account's currency and first equity, and what was read.

        Raises:
            UnavailableError: there are no books now, or they can't be read.
        """
        facts = self._facts
        document, session, equipment = facts.document, facts.session, facts.equipment
        if document is None or session is None or equipment is None or facts.state is EngineState.REFUSED:
            raise UnavailableError(": ".join(part for part in (facts.state.value, facts.message, "it holds no journal now") if part))
        if facts.database_trouble():
            raise UnavailableError(f"journal can't be read: {facts.database_trouble()}")
        try:
            await asyncio.wait_for(self._turn.acquire(), _PATIENCE_SECONDS)
        except TimeoutError:
            raise UnavailableError("journal can't be read: another page waits for it already") from None
        # It keeps its turn until it ends, however long that takes: threads that wait for a database that is gone must not pile up.
        reading = asyncio.create_task(self._read_in_turn(read, equipment.database))
        reading.add_done_callback(_forget)
        await asyncio.wait({reading}, timeout=_PATIENCE_SECONDS)
        if not reading.done():
            raise UnavailableError(f"journal can't be read: its database has not answered within {_PATIENCE_SECONDS:g} s")
        return document, session.currency, session.initial_equity, reading.result()

    async def _read_in_turn(self, read: Callable[[Database], T], database: Database) -> T:
        counts = self._facts.counts
        counts.operations[Component.DATABASE] += 1
        try:
            return await asyncio.to_thread(read, database)
        except sqlalchemy.exc.SQLAlchemyError as error:
            counts.errors[Component.DATABASE] += 1
            fault = environment_fault(error)
            if fault is None:
                raise
            raise UnavailableError(f"journal can't be read: {fault}") from error
        finally:
            self._turn.release()


def _forget(reading: asyncio.Task[Any]) -> None:
    """Take the outcome of a reading that nobody waits for any more."""
    if not reading.cancelled():
        reading.exception()


def _note(removed: int, what: str, field: str, kept: int) -> str:
    return f"{removed:,} older {what} were removed: {field} keeps {kept:,}" if removed else ""


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, TEXT, f"{text}\n".encode())
