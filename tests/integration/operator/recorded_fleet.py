"""A fleet as its observers saw it, a bot for each kind of report, served by the observer's own pages: as JSON, and as metrics.

Times are relative to when the fleet is made, because both sources judge how old things are.
"""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from tradingbot_contract.endpoints import METRICS_PATH, REPORT_PATH
from tradingbot_contract.report import (
    Dependency,
    EngineState,
    EngineStatus,
    Finding,
    FindingReason,
    ObserverReport,
    Sample,
    Severity,
)
from tradingbot_contract.serving import JSON, PROMETHEUS, Answer, PageServer
from tradingbot_observer.sinks.prometheus import Exposition, Facts
from tradingbot_observer.sources.http import ProbeResult

NAMESPACE: Final = "desk"


def engine(now: float, **changes: Any) -> EngineStatus:
    """Return the word of an engine that trades."""
    fields: dict[str, Any] = {
        "state": EngineState.RUNNING,
        "generation": 3,
        "started_at": now - 900.0,
        "heartbeat_at": now,
        "bars": 1200,
        "bars_this_run": 900,
        "last_bar_at": now - 1.0,
        "feed_due": True,
        "fills": 14,
        "equity": 100_250.5,
        "currency": "USD",
        "open_positions": 1,
        "revision": "r1",
        "grant": 2,
        "symbols": ("AAPL", "MSFT"),
        "busy_symbols": ("AAPL",),
        "activity": "Trade",
        "memory_mode": "Full",
        "dependencies": (Dependency(name="database", up=True, since=now - 900.0), Dependency(name="redis", up=None, since=now - 900.0)),
    }
    return EngineStatus(**(fields | changes))


def report(now: float, name: str, *findings: tuple[FindingReason, Severity, float], **changes: Any) -> ObserverReport:
    """Return the report of a bot; a finding is given with the seconds that it has lasted."""
    fields: dict[str, Any] = {
        "namespace": NAMESPACE,
        "bot": name,
        "shard": 0,
        "pod_uid": f"uid-{name}",
        "observed_at": now,
        "generation": 3,
        "observer_started_at": now - 1000.0,
        "interval_seconds": 15.0,
        "engine_pid": 7,
        "engine_restarts": 1,
        "last_answer_at": now,
        "score": 95.0,
        "findings": tuple(
            sorted(
                (Finding(reason, severity, f"{reason.value} for {lasts:.0f} s", now - lasts) for reason, severity, lasts in findings),
                key=lambda finding: (list(Severity).index(finding.severity), finding.reason.value),
            )
        ),
        "sample": Sample(
            at=now - 2.0,
            cpu_percent=12.5,
            memory_bytes=64 * 2**20,
            memory_limit_bytes=512 * 2**20,
            memory_percent=12.5,
            error_percent=0.0,
            score=changes.get("score", 95.0),
        ),
        "engine": engine(now),
    }
    return ObserverReport(**(fields | changes))


def record_fleet() -> dict[str, ObserverReport]:
    """Return a report of every kind, by the bot's name."""
    now = float(int(time.time()))
    critical, warning = Severity.CRITICAL, Severity.WARNING
    back = (Dependency(name="database", up=True, since=now - 5.0),)
    fleet = (
        report(now, "well"),
        report(now, "silent", (FindingReason.ENGINE_SILENT, critical, 40.0), score=None, last_answer_at=now - 42.0),
        report(now, "gone", (FindingReason.ENGINE_GONE, critical, 20.0), score=None, engine_pid=None, last_answer_at=now - 22.0),
        report(now, "never-heard", engine=None, last_answer_at=None, score=None, sample=None),
        report(
            now, "starting", engine=engine(now, state=EngineState.STARTING, equity=None, revision=None, symbols=None, busy_symbols=None)
        ),
        report(now, "hungry", (FindingReason.MEMORY_HIGH, warning, 400.0), score=70.0),
        report(now, "exhausted", (FindingReason.POOL_EXHAUSTED, warning, 400.0)),
        report(now, "exhausted-and-back", (FindingReason.POOL_EXHAUSTED, warning, 400.0), engine=engine(now, dependencies=back)),
        report(now, "database", (FindingReason.DATABASE_DOWN, critical, 60.0), (FindingReason.POOL_EXHAUSTED, warning, 400.0)),
        report(now, "stale", (FindingReason.FEED_STALE, critical, 60.0)),
        report(now, "low", (FindingReason.SCORE_LOW, warning, 30.0), score=30.0),
        report(now, "refusing", engine=engine(now, document_refusal="it is too large", refused_generation=4)),
        report(
            now,
            "refused",
            (FindingReason.DOCUMENT_REFUSED, critical, 60.0),
            engine=engine(now, state=EngineState.REFUSED, message="strategy.name", symbols=(), busy_symbols=()),
        ),
        report(now, "fenced", engine=engine(now, state=EngineState.FENCED, activity="Fence", symbols=(), busy_symbols=None)),
        report(now, "finished", engine=engine(now, state=EngineState.FINISHED, feed_due=False, open_positions=0, busy_symbols=())),
    )
    return {each.bot: each for each in fleet}


class ObserverPages:
    """One observer's pages. What it says may be changed, and it goes on with the time unless it is frozen."""

    def __init__(self, said: ObserverReport) -> None:
        self.said = said
        self.frozen = False
        self.broken = False
        self._made_at = time.time()
        self._server = PageServer({REPORT_PATH: self._report, METRICS_PATH: self._metrics})
        self._exposition = Exposition(self._facts)

    async def start(self) -> int:
        return await self._server.start("127.0.0.1", 0)

    async def stop(self) -> None:
        await self._server.stop()

    def _now(self) -> ObserverReport:
        """Return what it says, moved on: nothing else changes, so that both sources are told the same at any moment."""
        passed = 0.0 if self.frozen else time.time() - self._made_at
        return msgspec.structs.replace(self.said, observed_at=self.said.observed_at + passed)

    def _facts(self) -> Facts:
        return Facts(
            report=self._now(),
            samples=9,
            probes={ProbeResult.ANSWERED: 9},
            is_answering=True,
            response_p95_seconds=None,
            threads=3,
        )

    async def _report(self) -> Answer:
        return Answer(200, JSON, b"garbage" if self.broken else msgspec.json.encode(self._now()))

    async def _metrics(self) -> Answer:
        return Answer(200, PROMETHEUS, b"gar{bage" if self.broken else self._exposition.render())
