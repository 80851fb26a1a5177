"""The engine's pages: probes for the kubelet, metrics for Prometheus, status for the observer, views for people."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import Final

import msgspec

from tradingbot_contract.endpoints import LIVENESS_PATH, METRICS_PATH, NEWS_PATH, PERFORMANCE_PATH, READINESS_PATH, STATUS_PATH
from tradingbot_contract.report import EngineState
from tradingbot_contract.serving import JSON, PROMETHEUS, TEXT, Answer, Page
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.unavailable import UnavailableError

LOOP_STUCK_AFTER_SECONDS: Final = 10.0
"""The main loop turns at least each second; that it hasn't for this long means that it doesn't turn."""
NEWS_SHOWN_SECONDS: Final = 86_400.0
NEWS_SHOWN: Final = 200


class Pages:
    """Makes the pages from the facts."""

    def __init__(self, facts: EngineFacts, telemetry: Telemetry) -> None:
        self._facts = facts
        self._telemetry = telemetry

    def routes(self) -> dict[str, Page]:
        return {
            LIVENESS_PATH: self.liveness,
            READINESS_PATH: self.readiness,
            METRICS_PATH: self.metrics,
            STATUS_PATH: self.status,
            PERFORMANCE_PATH: self.performance,
            NEWS_PATH: self.news,
        }

    async def liveness(self) -> Answer:
        """Is it any use to wait for this process? Refused, fenced and finished engines are fine as they are."""
        facts = self._facts
        silence = time.monotonic() - facts.heartbeat_monotonic
        if facts.state is EngineState.RUNNING and silence > LOOP_STUCK_AFTER_SECONDS:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, f"the main loop has not turned for {silence:.1f} s")
        return _text(HTTPStatus.OK, facts.state.value)

    async def readiness(self) -> Answer:
        """Does it do what it is for?"""
        facts = self._facts
        if facts.journal_trouble or facts.database_trouble():
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, facts.status_message())
        if facts.state in {EngineState.RUNNING, EngineState.FINISHED}:
            return _text(HTTPStatus.OK, facts.state.value)
        return self._idle()

    async def metrics(self) -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, self._telemetry.render())

    async def status(self) -> Answer:
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(self._facts.status()))

    async def performance(self) -> Answer:
        facts = self._facts
        if facts.equipment is None:
            return self._idle()
        try:
            view = await facts.equipment.performance.read()
        except UnavailableError as error:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(view))

    async def news(self) -> Answer:
        """What the strategy was told lately, and how it was judged; the newest first."""
        if self._facts.equipment is None:
            return self._idle()
        desk = self._facts.equipment.news
        if desk is None:
            return _text(HTTPStatus.NOT_FOUND, "the bot's spec names no news")
        try:
            rows = await asyncio.to_thread(desk.history.recent, NEWS_SHOWN_SECONDS, int(time.time() * 1000), most=NEWS_SHOWN)
        except UnavailableError as error:
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode([row._asdict() for row in reversed(rows)]))

    def _idle(self) -> Answer:
        facts = self._facts
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, ": ".join(part for part in (facts.state.value, facts.message) if part))


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, TEXT, f"{text}\n".encode())
