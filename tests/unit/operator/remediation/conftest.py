"""Engines for the tests of remediation: single moments of one, and a ward in which time passes, with a kubelet that restarts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from tradingbot_contract.document import VERSION
from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_operator.bot_status import Adjustment, Decision, Effort, EngineExit, Quarantine, RemediationRecord, Shard
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Remedy, ShardSituation, Situation, remediate
from tradingbot_operator.remediation.situation import Case
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import ContainerFacts, FleetFacts, PodFacts, ReportView

NOW = 1_800_000_000.0
KILLED, FAILED, OUT_OF_MEMORY = 137, 1, -1
"""Exit codes; the last stands for a kill by the kernel."""


def make_bot(*, annotations: dict[str, str] | None = None, generation: int = 1, **sections: Any) -> TradingBot:
    """Return a bot; the arguments are sections of its spec, and `remediation` is that of `health`."""
    if "remediation" in sections:
        sections["health"] = {"remediation": sections.pop("remediation")}
    body = {
        "apiVersion": VERSION,
        "kind": "TradingBot",
        "metadata": {"name": "calm", "namespace": "bots", "uid": "bot", "generation": generation, "annotations": annotations or {}},
        "spec": {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL", "MSFT"]}} | sections,
    }
    return parse_bot(body)


def make_exit(code: int = KILLED, container: str = "c1", finished_at: float = NOW - 1.0) -> EngineExit:
    """Return how an engine ended."""
    reason = {OUT_OF_MEMORY: Reason.OOM_KILLED, FAILED: Reason.ENGINE_EXITED}.get(code, Reason.ENGINE_KILLED)
    exit_code = KILLED if code == OUT_OF_MEMORY else code
    return EngineExit(container_id=container, reason=reason.value, exit_code=exit_code, finished_at=format_time(finished_at))


def make_finding(reason: str, severity: str = "critical", *, lasts: float = 120.0, at: float = NOW) -> Finding:
    return Finding(FindingReason(reason), Severity(severity), f"{reason} for {lasts:.0f} s", since=at - lasts)


def make_report(*findings: Finding, at: float = NOW, memory: str = "64Mi", **engine: Any) -> ObserverReport:
    """Return the report of an engine that trades; the arguments change what the engine says of itself."""
    fields: dict[str, Any] = {
        "state": EngineState.RUNNING,
        "generation": 1,
        "started_at": at - 1000.0,
        "heartbeat_at": at,
        "bars_this_run": 100,
    }
    return ObserverReport(
        namespace="bots",
        bot="calm",
        shard=0,
        pod_uid="pod-1",
        observed_at=at,
        generation=1,
        observer_started_at=at - 1000.0,
        interval_seconds=15.0,
        engine_pid=7,
        engine_restarts=0,
        last_answer_at=at,
        score=95.0,
        findings=findings,
        sample=Sample(at=at, memory_bytes=parse_bytes(memory)),
        engine=EngineStatus(**(fields | engine)),
    )


def make_pod(**changes: Any) -> PodFacts:
    """Return a pod that has been trading for a while; a container's facts may be given as `engine`."""
    fields: dict[str, Any] = {
        "name": "calm-0",
        "uid": "pod-1",
        "node": "worker",
        "ready": True,
        "ready_since": NOW - 1000.0,
        "engine": ContainerFacts(running_since=NOW - 1000.0, started=True),
    }
    return PodFacts(**(fields | changes))


def make_dead_pod(code: int = FAILED, **changes: Any) -> PodFacts:
    """Return a pod whose engine died for the second time, with the kubelet waiting."""
    engine = ContainerFacts(waiting_reason="CrashLoopBackOff", restarts=1, exit=make_exit(code), ran_seconds=5.0)
    return make_pod(**({"ready": False, "ready_since": None, "engine": engine} | changes))


@pytest.fixture(scope="session")
def moment() -> type[Moment]:
    return Moment


class Moment:
    """Builders of one moment, as one name for tests."""

    now = NOW
    bot = staticmethod(make_bot)
    exit = staticmethod(make_exit)
    finding = staticmethod(make_finding)
    report = staticmethod(make_report)
    pod = staticmethod(make_pod)
    dead_pod = staticmethod(make_dead_pod)
    KILLED, FAILED, OUT_OF_MEMORY = KILLED, FAILED, OUT_OF_MEMORY

    @staticmethod
    def ago(seconds: float) -> str:
        return format_time(NOW - seconds)

    @staticmethod
    def shard(
        *findings: Finding, pod: PodFacts | None = None, report: ObserverReport | None = None, unheard: bool = False, **changes: Any
    ) -> ShardSituation:
        """Return the situation of a shard; without arguments it trades."""
        rolling_out = changes.pop("rolling_out", False)
        given = make_pod() if pod is None else pod
        view = ReportView(missing=Reason.OBSERVER_UNREACHABLE) if unheard else ReportView(report=report or make_report(*findings))
        name = changes.pop("name", given.name)
        return ShardSituation(name=name, before=Shard(name=name, **changes), pod=given, view=view, rolling_out=rolling_out)

    @staticmethod
    def situation(*shards: ShardSituation, bot: TradingBot | None = None, **changes: Any) -> Situation:
        fields: dict[str, Any] = {
            "bot": bot or make_bot(),
            "shards": shards or (Moment.shard(),),
            "record": RemediationRecord(),
            "fleet": FleetFacts(judged=10, sick=1),
            "max_unhealthy_percent": 40.0,
            "now": NOW,
        }
        return Situation(**(fields | changes))

    @staticmethod
    def case(shard: ShardSituation | None = None, *, effort: Effort | None = None, **situation: Any) -> Case:
        """Return one engine of a bot as causes, ladder and brakes see it."""
        shard = shard or Moment.shard()
        assert shard.pod is not None
        return Case(now=Moment.situation(shard, **situation), shard=shard, pod=shard.pod, effort=effort or Effort(shard=shard.name))

    @staticmethod
    def take_over(before: Situation, remedy: Remedy) -> Situation:
        """Return the situation as it is right after the status with the remedy is written."""
        shards = tuple(
            msgspec.structs.replace(
                shard,
                before=msgspec.structs.replace(
                    shard.before, adjustment=remedy.adjustments[shard.name], quarantine=remedy.quarantines[shard.name]
                ),
            )
            for shard in before.shards
        )
        return msgspec.structs.replace(before, shards=shards, record=remedy.record)


def never(_: Engine) -> int | None:
    return None


@dataclass
class Engine:
    """One engine with its pod, and what the kubelet does about it. It is up two seconds after its process started."""

    name: str = "calm-0"
    fate: Callable[[Engine], int | None] = never
    """Asked each second: the code with which the process ends now, or None."""
    findings: Callable[[Engine], Iterable[Finding]] = lambda _: ()
    now: float = NOW
    pods: int = 1
    processes: int = 1
    restarts: int = 0
    running_since: float | None = NOW
    exit: EngineExit | None = None
    ran_seconds: float | None = None
    starts_at: float | None = None
    gone_until: float | None = None
    started_pods: float = NOW
    limit_bytes: int = 512 * 2**20
    cache_percent: int = 100
    trading_seconds: int = 0
    """Seconds in which it traded, in all."""
    last_report: ObserverReport | None = None
    before: Shard = field(init=False)
    adjustment: Adjustment | None = None
    quarantine: Quarantine | None = None

    def __post_init__(self) -> None:
        self.before = Shard(name=self.name)

    @property
    def age(self) -> float:
        """Seconds that the process has run."""
        return -1.0 if self.running_since is None else self.now - self.running_since

    @property
    def is_up(self) -> bool:
        return self.age >= 2.0

    def pass_second(self) -> None:
        """Let one second pass: the kubelet starts what is due, and the process may end."""
        self.now += 1.0
        if self.gone_until is not None:
            if self.now < self.gone_until:
                return
            self._start_pod()
        if self.running_since is None and self.starts_at is not None and self.now >= self.starts_at:
            self.running_since, self.starts_at = self.now, None
            self.restarts += 1
            self.processes += 1
        code = self.fate(self) if self.running_since is not None else None
        if code is not None:
            self._end(code)
        self.trading_seconds += 1 if self.is_up and self.quarantine is None else 0

    def delete_pod(self) -> None:
        self.running_since, self.gone_until = None, self.now + 1.0

    def situation(self) -> ShardSituation:
        pod = None if self.gone_until is not None else self._pod()
        shard = ShardSituation(name=self.name, before=self.before, pod=pod, view=ReportView(report=self._report()), rolling_out=False)
        # What the operator would write of this pass.
        self.before = msgspec.structs.replace(self.before, ready=bool(pod and pod.ready), pod_uid=pod.uid if pod else self.before.pod_uid)
        return shard

    def _start_pod(self) -> None:
        self.pods += 1
        self.processes += 1
        self.restarts, self.exit, self.ran_seconds, self.starts_at, self.gone_until, self.last_report = 0, None, None, None, None, None
        self.running_since = self.now

    def _end(self, code: int) -> None:
        assert self.running_since is not None
        self.ran_seconds = self.now - self.running_since
        self.exit = make_exit(code, f"{self.pods}/{self.processes}", self.now)
        self.running_since = None
        self.starts_at = self.now + (1.0 if self.restarts == 0 else 10.0 * 2 ** (self.restarts - 1))

    def _pod(self) -> PodFacts:
        since = self.running_since
        engine = ContainerFacts(
            restarts=self.restarts, running_since=since, started=self.age >= 1.0, exit=self.exit, ran_seconds=self.ran_seconds
        )
        ready_since = since + 2.0 if since is not None and self.is_up else None
        return PodFacts(
            name=self.name, uid=f"{self.name}-{self.pods}", node="worker", ready=self.is_up, ready_since=ready_since, engine=engine
        )

    def _report(self) -> ObserverReport | None:
        if self.gone_until is not None:
            return None
        if self.is_up:
            state = EngineState.FENCED if self.quarantine else EngineState.RUNNING
            assert self.running_since is not None
            engine: dict[str, Any] = {"state": state, "started_at": self.running_since, "bars_this_run": int(self.age)}
            self.last_report = make_report(*self.findings(self), at=self.now, **engine)
        return msgspec.structs.replace(self.last_report, observed_at=self.now) if self.last_report else None


@dataclass
class Ward:
    """A bot with its engines, looked at by the operator each second."""

    engines: list[Engine]
    bot: TradingBot = field(default_factory=make_bot)
    fleet: FleetFacts = field(default_factory=lambda: FleetFacts(judged=10, sick=1))
    now: float = NOW
    record: RemediationRecord = field(default_factory=RemediationRecord)
    decisions: list[Decision] = field(default_factory=list)
    held: set[Reason] = field(default_factory=set)

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            for engine in self.engines:
                engine.pass_second()
            self.look()

    def look(self) -> None:
        """One pass of the operator, which takes its own answer over; the pass after it, at the same moment, must decide nothing."""
        before = self._situation()
        remedy = remediate(before)
        again = remediate(Moment.take_over(before, remedy))
        assert not [outcome for outcome in again.outcomes if outcome.decision]
        assert again.restart is None
        self.held.update(outcome.hold.reason for outcome in remedy.outcomes if outcome.hold and outcome.hold.reason)
        made = [outcome.decision for outcome in remedy.outcomes if outcome.decision]
        assert len(made) <= 1
        self.decisions.extend(made)
        self.record = remedy.record
        for engine in self.engines:
            adjustment = remedy.adjustments[engine.name]
            engine.quarantine = remedy.quarantines[engine.name]
            engine.before = msgspec.structs.replace(engine.before, adjustment=adjustment, quarantine=engine.quarantine)
            granted = adjustment.memory_limit if adjustment else ""
            engine.limit_bytes = parse_bytes(granted or self.bot.spec.engine.resources.limits.memory)
            engine.cache_percent = adjustment.cache_percent if adjustment else 100
            if remedy.restart is not None and remedy.restart.shard == engine.name:
                engine.delete_pod()

    @property
    def steps(self) -> list[str]:
        return [decision.action for decision in self.decisions]

    def _situation(self) -> Situation:
        return Situation(
            bot=self.bot,
            shards=tuple(engine.situation() for engine in self.engines),
            record=self.record,
            fleet=self.fleet,
            max_unhealthy_percent=40.0,
            now=self.now,
        )


@pytest.fixture(scope="session")
def make_engine() -> type[Engine]:
    return Engine


@pytest.fixture(scope="session")
def make_ward() -> type[Ward]:
    return Ward
