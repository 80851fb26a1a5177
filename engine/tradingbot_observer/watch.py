"""Watches one engine: asks it every second, samples it every interval, and knows at any moment what is wrong with it.

A document that changes is seen within a tenth of a second, and the engine is asked again and again until it has answered for it.

Four loops that never wait for one another, so that an engine which holds an answer back delays neither the findings nor the
observer's own pages. All judging is in the pure modules; here are the clock, the sources and what was last seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from typing import Final

import msgspec

from tradingbot_contract.report import EngineStatus, Finding, ObserverReport, Sample
from tradingbot_observer.attention import Attention, Subject, follow, has_acknowledged, pause_seconds
from tradingbot_observer.awake import AwakeClock
from tradingbot_observer.findings import assess
from tradingbot_observer.history import SECONDS_PER_HOUR, History, Summary
from tradingbot_observer.page.meanings import RUNBOOKS
from tradingbot_observer.page.samples import Points, thin
from tradingbot_observer.page.state import PageState, build_state
from tradingbot_observer.sampler import ProcessReading, Reading, build_sample
from tradingbot_observer.score import compute_score
from tradingbot_observer.sinks.prometheus import Facts
from tradingbot_observer.sources.document import WatchedDocument
from tradingbot_observer.sources.engine_pages import EngineMetrics, read_metrics, read_status
from tradingbot_observer.sources.http import EngineAddress, NoAnswer, ProbeResult
from tradingbot_observer.sources.memory_limit import MemoryLimit
from tradingbot_observer.sources.process import EngineProcess
from tradingbot_observer.symptoms import Situation
from tradingbot_observer.waiters import Waiters

JUDGE_SECONDS: Final = 1.0
"""Between two looks at the engine's process."""
LOOK_SECONDS: Final = 0.1
"""Between two looks at the document."""
LEAST_TIMEOUT_SECONDS: Final = 2.0

_logger = logging.getLogger(__name__)


class Watch:
    """What is known about one engine."""

    def __init__(
        self,
        *,
        document: WatchedDocument,
        process: EngineProcess,
        address: EngineAddress,
        memory_limit: MemoryLimit,
        pod_uid: str,
        runbooks: str = RUNBOOKS,
    ) -> None:
        self._document = document
        self._process_source = process
        self._address = address
        self._memory_limit = memory_limit
        self._pod_uid = pod_uid
        self._runbooks = runbooks

        self._started_at = time.time()
        self._awake = AwakeClock(time.monotonic(), JUDGE_SECONDS)
        self._answered_awake: float | None = None
        self._seen_awake = 0.0
        self._documents = 0
        self._history = History()
        self._process: ProcessReading | None = None
        self._last_process: ProcessReading | None = None
        self._process_has_answered = False
        self._restarts = 0
        self._engine: EngineStatus | None = None
        self._last_answer_at: float | None = None
        self._last_result: ProbeResult | None = None
        self._probes: Counter[ProbeResult] = Counter()
        self._reading: Reading | None = None
        self._sample: Sample | None = None
        self._samples = 0
        self._findings: tuple[Finding, ...] = ()
        self._sample_due = asyncio.Event()
        self._probe_due = asyncio.Event()
        self._attention = Attention(Subject(), time.monotonic())
        self._waiters = Waiters(self.report)

    # What is known

    def report(self) -> ObserverReport:
        """Return everything that is known now."""
        document = self._document.document
        return ObserverReport(
            namespace=document.bot.namespace if document else "",
            bot=document.bot.name if document else "",
            shard=document.bot.shard if document else 0,
            pod_uid=self._pod_uid,
            observed_at=time.time(),
            generation=self._document.generation,
            observer_started_at=self._started_at,
            interval_seconds=self._document.observability.interval_seconds,
            engine_pid=self._process.pid if self._process else None,
            engine_restarts=self._restarts,
            last_answer_at=self._last_answer_at,
            score=self._sample.score if self._sample else None,
            findings=self._findings,
            sample=self._sample,
            engine=self._engine,
            samples=len(self._history),
        )

    async def acknowledgement(self, generation: int, seconds: float) -> ObserverReport:
        """Return the report as soon as the engine has answered for a document of this generation, or after so many seconds."""
        return await self._waiters.wait(lambda report: has_acknowledged(report.engine, generation), seconds)

    def facts(self) -> Facts:
        """Return what is exported as metrics now."""
        return Facts(
            report=self.report(),
            samples=self._samples,
            probes=self._probes,
            is_answering=self._last_result is ProbeResult.ANSWERED,
            response_p95_seconds=self._history.response_p95_seconds(),
            threads=self._process.threads if self._process else None,
        )

    def summarise(self, hours: float) -> Summary:
        """Return the samples of the last so many hours, in short."""
        return self._history.summarise(hours, time.time())

    def points(self, hours: float, count: int) -> Points:
        """Return the samples of the last so many hours in at most so many points."""
        now = time.time()
        samples = self._history.since(now - hours * SECONDS_PER_HOUR)
        return thin(samples, count, hours=hours, now=now, interval_seconds=self._document.observability.interval_seconds)

    def page_state(self) -> PageState:
        """Return what the page for people shows now."""
        return build_state(self.facts(), self._document.health, self._runbooks)

    # Looking

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._follow_document())
            loops.create_task(self._judge_each_second())
            loops.create_task(self._probe_when_due())
            loops.create_task(self._sample_each_interval())

    async def _follow_document(self) -> None:
        while True:
            self._look_at_document()
            await asyncio.sleep(LOOK_SECONDS)

    async def _judge_each_second(self) -> None:
        while True:
            self._look_at_process()
            self._judge()
            await asyncio.sleep(JUDGE_SECONDS)

    async def _probe_when_due(self) -> None:
        while True:
            started = time.monotonic()
            self._probe_due.clear()
            await self._probe()
            await _pause(self._probe_due, until=started + pause_seconds(self._attention, time.monotonic()))

    async def _sample_each_interval(self) -> None:
        while True:
            started = time.monotonic()
            self._sample_due.clear()
            await self._take_sample()
            await _pause(self._sample_due, until=started + self._document.observability.interval_seconds)

    def _look_at_document(self) -> None:
        if not self._document.look():
            return
        if self._document.error:
            _logger.warning("document refused: %s", self._document.error)
        else:
            _logger.info("document of generation %s counts", self._document.generation)
            self._sample_due.set()
        self._documents += 1
        self._pay_attention()
        self._probe_due.set()
        self._judge()

    def _pay_attention(self) -> None:
        engine = self._engine
        subject = Subject(
            document=self._documents,
            document_generation=self._document.generation,
            engine_started_at=engine.started_at if engine else None,
            engine_generation=engine.generation if engine else None,
            refused_generation=engine.refused_generation if engine else None,
        )
        self._attention = follow(self._attention, subject, time.monotonic())

    def _look_at_process(self) -> None:
        process = self._process_source.read()
        if process is not None and self._last_process is not None and not process.is_same_process(self._last_process):
            self._restarts += 1
            self._begin_process()
            _logger.warning("engine restarted: process %d in place of %d", process.pid, self._last_process.pid)
        elif process is None and self._process is not None:
            self._begin_process()
            _logger.warning("engine gone: process %d ended", self._process.pid)
        elif process is not None and self._last_process is None:
            self._seen_awake = self._awake.look(time.monotonic())
            _logger.info("engine found: process %d", process.pid)
        self._process = process
        self._last_process = process or self._last_process

    def _begin_process(self) -> None:
        self._history.begin_process()
        self._process_has_answered = False
        self._seen_awake = self._awake.look(time.monotonic())

    async def _probe(self) -> None:
        try:
            engine, seconds = await read_status(self._address, timeout_seconds=self._timeout_seconds())
        except NoAnswer as error:
            self._note_result(error.result, str(error))
            if error.result is ProbeResult.TIMEOUT:
                # It took at least that long, and that is above the limit that counts.
                self._history.add_response(error.seconds)
            return
        self._look_at_process()
        self._process_has_answered = True
        self._note_result(ProbeResult.ANSWERED, engine.state.value)
        self._history.add_response(seconds)
        self._last_answer_at = time.time()
        self._answered_awake = self._awake.look(time.monotonic())
        if self._engine is None or self._engine.started_at != engine.started_at:
            self._sample_due.set()  # the first words of a new engine: who waits for its score need not wait an interval
        self._engine = engine
        self._pay_attention()
        self._judge()

    def _note_result(self, result: ProbeResult, detail: str) -> None:
        self._probes[result] += 1
        if result is not self._last_result:
            _logger.info("engine %s: %s", result.value, detail)
        self._last_result = result

    def _timeout_seconds(self) -> float:
        """Return how long an answer may take: longer than what counts as slow needs nobody wait."""
        health = self._document.health
        return max(LEAST_TIMEOUT_SECONDS, min(health.response_seconds.high, health.silent_after_seconds))

    async def _take_sample(self) -> None:
        metrics = await self._read_metrics()
        if metrics is not None:
            self._memory_limit.report(metrics.memory_limit_bytes)
        self._look_at_process()
        reading = Reading(
            at=time.time(),
            monotonic_seconds=time.monotonic(),
            process=self._process,
            process_has_answered=self._process_has_answered,
            counters=metrics.counters if metrics else None,
            memory_limit_bytes=self._memory_limit.limit_bytes,
            response_p95_seconds=self._history.response_p95_seconds(),
        )
        sample = build_sample(self._reading, reading)
        self._reading = reading
        self._sample = msgspec.structs.replace(sample, score=compute_score(sample, self._document.health))
        self._samples += 1
        self._history.add(self._sample)
        self._judge()

    async def _read_metrics(self) -> EngineMetrics | None:
        try:
            return await read_metrics(self._address, timeout_seconds=self._timeout_seconds())
        except NoAnswer as error:
            _logger.debug("no metrics: %s", error)
            return None

    def _judge(self) -> None:
        process = self._process
        awake = self._awake.look(time.monotonic())
        now = Situation(
            at=time.time(),
            health=self._document.health,
            process_started_at=process.started_at if process else None,
            process_was_seen=self._last_process is not None,
            process_has_answered=self._process_has_answered,
            silent_seconds=None if self._answered_awake is None else awake - self._answered_awake,
            watched_seconds=awake - self._seen_awake,
            engine=self._engine,
            samples=self._history.newest_of_process(self._document.health.window.samples),
            document_error=self._document.error,
        )
        before = {finding.reason for finding in self._findings}
        self._findings = assess(now, self._findings)
        for finding in self._findings:
            if finding.reason not in before:
                _logger.warning("finding %s (%s): %s", finding.reason.value, finding.severity.value, finding.message)
        for reason in before - {finding.reason for finding in self._findings}:
            _logger.info("finding %s is over", reason.value)
        self._waiters.notice()


async def _pause(due: asyncio.Event, *, until: float) -> None:
    """Wait until it is due, or this time of the monotonic clock."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            await due.wait()
