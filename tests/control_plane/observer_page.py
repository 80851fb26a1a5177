"""A pod's observer: the page that the operator asks, at the pod's own address, with the real report and every way in which it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from simulated_engine import BotName, Conduct, SimulatedEngine
from tradingbot_contract.document import EngineDocument
from tradingbot_contract.endpoints import OBSERVER_PORT, REPORT_PATH
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_contract.serving import JSON, TEXT, Answer, PageServer

SILENT_AFTER_SECONDS: Final = 10.0
ACKNOWLEDGEMENT_SECONDS: Final = 0.05
HANGING_SECONDS: Final = 20.0
"""Longer than anybody waits; not for ever, because the page has room for so many only."""


class ObserverPage:
    """One observer. `engine` gives the process that it watches, None while there is none."""

    def __init__(self, bot: BotName, shard: int, pod_uid: str, conduct: Conduct, engine: Callable[[], SimulatedEngine | None]) -> None:
        self._bot = bot
        self._shard = shard
        self._pod_uid = pod_uid
        self._conduct = conduct
        self._engine = engine
        self._started_at = time.time()
        self._frozen: bytes = b""
        self._since: dict[FindingReason, float] = {}
        self._last: SimulatedEngine | None = None
        self._told: EngineStatus | None = None
        self._server: PageServer | None = None
        self.memory_limit_bytes: int | None = None
        self.document: EngineDocument | None = None
        self.asked = 0
        """How often it was asked."""

    async def follow(self, ip: str) -> None:
        """Listen, or not, as the conduct says."""
        if self._conduct.page == "refuses":
            await self.close()
        elif self._server is None:
            server = PageServer({}, queries={REPORT_PATH: self._answer})
            await server.start(ip, OBSERVER_PORT)
            self._server = server

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def _answer(self, query: Mapping[str, str]) -> Answer:
        """Answer at once, or as soon as the engine has taken or refused the generation that the query names, but not later than it says."""
        self.asked += 1
        deadline = time.monotonic() + float(query.get("wait", "0"))
        while not self._acknowledges(int(query.get("generation", "0"))) and time.monotonic() < deadline:  # noqa: ASYNC110 - the engine need not know
            await asyncio.sleep(ACKNOWLEDGEMENT_SECONDS)
        match self._conduct.page:
            case "hangs":
                await asyncio.sleep(HANGING_SECONDS)
            case "garbage":
                return Answer(HTTPStatus.OK, JSON, b'{"namespace": "\xff\x00')
            case "empty":
                return Answer(HTTPStatus.OK, JSON, b"{}")
            case "error":
                return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, b"no\n")
            case "stranger":
                return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(msgspec.structs.replace(self._report(), pod_uid="another")))
            case "frozen":
                self._frozen = self._frozen or msgspec.json.encode(self._report())
                return Answer(HTTPStatus.OK, JSON, self._frozen)
        self._frozen = b""
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(self._report()))

    def _acknowledges(self, generation: int) -> bool:
        engine = self._engine()
        return engine is not None and engine.acknowledged >= generation

    def _report(self) -> ObserverReport:
        now, engine = time.time(), self._engine()
        if engine is not None:
            self._last = engine
        if self._last is not None and engine is not None and not engine.hangs:
            self._told = engine.status()
        answered_at = engine.answered_at if engine is not None else None
        memory = self._conduct.memory_bytes if engine is not None else None
        limit = self.memory_limit_bytes
        return ObserverReport(
            namespace=self._bot.namespace,
            bot=self._bot.name,
            shard=self._shard,
            pod_uid=self._pod_uid,
            observed_at=now,
            generation=self.document.generation if self.document else None,
            observer_started_at=self._started_at,
            interval_seconds=1.0,
            engine_pid=7 if engine is not None else None,
            engine_restarts=0,
            last_answer_at=answered_at,
            score=self._conduct.score if engine is not None else None,
            findings=self._findings(engine, now),
            sample=Sample(
                at=now,
                memory_bytes=memory,
                memory_limit_bytes=limit,
                memory_percent=100.0 * memory / limit if memory is not None and limit else None,
                score=self._conduct.score,
            ),
            engine=self._told,
            samples=100,
        )

    def _findings(self, engine: SimulatedEngine | None, now: float) -> tuple[Finding, ...]:
        seen: dict[FindingReason, tuple[Severity, str]] = {}
        if engine is None and self._last is not None:
            seen[FindingReason.ENGINE_GONE] = (Severity.CRITICAL, "there is no engine process any more")
        elif engine is not None and engine.hangs and now - (engine.answered_at or engine.started_at) > SILENT_AFTER_SECONDS:
            seen[FindingReason.ENGINE_SILENT] = (Severity.CRITICAL, "the engine does not answer")
        elif self._told is not None and self._told.state is EngineState.REFUSED:
            seen[FindingReason.DOCUMENT_REFUSED] = (Severity.CRITICAL, self._told.message)
        elif self._told is not None and self._told.document_refusal:
            seen[FindingReason.DOCUMENT_REFUSED] = (Severity.WARNING, self._told.document_refusal)
        self._since = {reason: self._since.get(reason, now) for reason in seen}
        own = (Finding(reason, *what, since=self._since[reason]) for reason, what in seen.items())
        return (*own, *self._conduct.findings)
