"""The engine's pages: probes for the kubelet, metrics for Prometheus, status for the observer, views for people."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import msgspec
import sqlalchemy

from tradingbot_contract.endpoints import LIVENESS_PATH, METRICS_PATH, PERFORMANCE_PATH, READINESS_PATH, STATUS_PATH
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import JSON, PROMETHEUS, TEXT, Answer, Page
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.counts import Component
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.views import build_performance, summarise_symbols

LOOP_STUCK_AFTER_SECONDS: Final = 10.0
"""The main loop turns at least each second; that it hasn't for this long means that it doesn't turn."""


class Pages:
    """Makes the pages from the facts."""

    def __init__(self, facts: EngineFacts, telemetry: Telemetry) -> None:
        self.journal: Journal | None = None
        self._facts = facts
        self._telemetry = telemetry
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")

    def routes(self) -> dict[str, Page]:
        return {
            LIVENESS_PATH: self.liveness,
            READINESS_PATH: self.readiness,
            METRICS_PATH: self.metrics,
            STATUS_PATH: self.status,
            PERFORMANCE_PATH: self.performance,
        }

    def close(self) -> None:
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def liveness(self) -> Answer:
        """Is it any use to wait for this process? Refused and finished engines are fine as they are."""
        facts = self._facts
        silence = time.monotonic() - facts.heartbeat_monotonic
        if facts.state is EngineState.RUNNING and silence > LOOP_STUCK_AFTER_SECONDS:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"the main loop has not turned for {silence:.1f} s")
        return _text(HTTPStatus.OK, facts.state.value)

    async def readiness(self) -> Answer:
        """Does it do what it is for?"""
        facts = self._facts
        if facts.journal_trouble:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, facts.status_message())
        if facts.state in {EngineState.RUNNING, EngineState.FINISHED}:
            return _text(HTTPStatus.OK, facts.state.value)
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, ": ".join(part for part in (facts.state.value, facts.message) if part))

    async def metrics(self) -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, self._telemetry.render())

    async def status(self) -> Answer:
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(self._facts.status()))

    async def performance(self) -> Answer:
        """The journal's part is read anew only when it has new fills."""
        facts = self._facts
        session, cache, writer, journal = facts.session, facts.cache, facts.writer, self.journal
        if session is None or cache is None or writer is None or journal is None:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, ": ".join(part for part in (facts.state.value, facts.message) if part))
        version = writer.written_fills
        symbols = cache.get("performance", version)
        if symbols is None:
            facts.counts.operations[Component.DATABASE] += 1
            try:
                statistics = await asyncio.get_running_loop().run_in_executor(self._reader, journal.read_trade_statistics)
            except sqlalchemy.exc.SQLAlchemyError as error:
                facts.counts.errors[Component.DATABASE] += 1
                return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"journal can't be read: {error}")
            symbols = summarise_symbols(statistics)
            cache.put("performance", version, symbols)
        view = build_performance(
            currency=session.currency,
            initial_equity=session.initial_equity,
            equity=session.last_equity,
            max_drawdown=session.max_drawdown,
            totals=session.totals,
            symbols=symbols,
        )
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(view))


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, TEXT, f"{text}\n".encode())
