"""How the bot has done, for people: what the session knows now, and what the journal has to be read for, which is cached.

The journal's part is of the fills that are in it. It is computed anew when there are newer ones, or when it is too old, and by a
background job while somebody keeps asking, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import sqlalchemy

from tradingbot_engine.cache.cache import Cache
from tradingbot_engine.database.faults import environment_fault
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.session import TradingSession
from tradingbot_engine.telemetry.counts import Component, Counts
from tradingbot_engine.unavailable import UnavailableError
from tradingbot_engine.views import Performance, SymbolPerformance, build_performance, summarise_symbols

REFRESH_SECONDS: Final = 30.0
_ASKED_WITHIN_SECONDS: Final = 300.0
_KEY: Final = "performance"


class PerformanceView:
    """See the module."""

    def __init__(
        self,
        session: TradingSession,
        journal: Journal,
        writer: JournalWriter,
        cache: Cache[str, list[SymbolPerformance]],
        counts: Counts,
    ) -> None:
        self._session = session
        self._journal = journal
        self._writer = writer
        self._cache = cache
        self._counts = counts
        self._asked_at = -_ASKED_WITHIN_SECONDS

    async def read(self) -> Performance:
        """Return the view as it is now.

        Raises:
            UnavailableError: the journal can't be read now.
        """
        self._asked_at = time.monotonic()
        session = self._session
        symbols = await self._symbols()
        return build_performance(
            currency=session.currency,
            initial_equity=session.initial_equity,
            equity=session.last_equity,
            max_drawdown=session.max_drawdown,
            totals=session.totals,
            symbols=symbols,
        )

    async def refresh(self) -> None:
        """Compute what is outdated, if somebody has asked for it lately. For a background job.

        Raises:
            UnavailableError: the journal can't be read now.
        """
        if time.monotonic() - self._asked_at < _ASKED_WITHIN_SECONDS:
            await self._symbols()

    async def _symbols(self) -> list[SymbolPerformance]:
        # With the epoch: another journal has other fills of the same number.
        version = f"{self._journal.epoch}-{self._writer.written_fills}"
        return await self._cache.get_or_load(_KEY, self._load, version=version)

    async def _load(self) -> list[SymbolPerformance]:
        self._counts.operations[Component.DATABASE] += 1
        try:
            return summarise_symbols(await asyncio.to_thread(self._journal.read_trade_statistics))
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._counts.errors[Component.DATABASE] += 1
            fault = environment_fault(error)
            if fault is None:
                raise
            raise UnavailableError(f"journal can't be read: {fault}") from error
