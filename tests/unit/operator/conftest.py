"""Bots, pods and reports for the operator's tests: each with everything as it should be, and with what a test changes."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradingbot_contract.document import VERSION
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.desired import build_children
from tradingbot_operator.desired.revision import pod_revision, shard_revision
from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.world import ContainerFacts, PodFacts, ReportView, World

sys.path.insert(0, str(Path(__file__).parent))  # for plan_worlds and simulated_cluster

from plan_worlds import first_layout

NOW = 1_800_000_000.0

Body = dict[str, Any]


@pytest.fixture
def now() -> float:
    return NOW


@pytest.fixture
def settings() -> OperatorSettings:
    return OperatorSettings(engine_image="tradingbot/engine:1")


@pytest.fixture
def make_body() -> Callable[..., Body]:
    """Return a function that makes a resource; its arguments are sections of the spec."""

    def make(*, generation: int = 1, **sections: Any) -> Body:
        return {
            "apiVersion": VERSION,
            "kind": "TradingBot",
            "metadata": {"name": "calm", "namespace": "bots", "uid": "bot-uid", "generation": generation},
            "spec": {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL", "MSFT"]}} | sections,
        }

    return make


@pytest.fixture
def make_bot(make_body: Callable[..., Body]) -> Callable[..., TradingBot]:
    return lambda **changes: parse_bot(make_body(**changes))


@pytest.fixture
def make_report(make_bot: Callable[..., TradingBot]) -> Callable[..., ObserverReport]:
    """Return a function that makes the report of an engine that trades."""

    def make(*findings: Finding, **changes: Any) -> ObserverReport:
        engine = EngineStatus(
            state=EngineState.RUNNING,
            generation=1,
            started_at=NOW - 1000,
            heartbeat_at=NOW,
            bars=100,
            fills=4,
            equity=100_500.0,
            currency="USD",
            revision=shard_revision(make_bot(), ("AAPL", "MSFT")),
            symbols=("AAPL", "MSFT"),
            busy_symbols=(),
            activity="Trade",
            grant=1,
        )
        fields: dict[str, Any] = {
            "namespace": "bots",
            "bot": "calm",
            "shard": 0,
            "pod_uid": "pod-1",
            "observed_at": NOW,
            "generation": 1,
            "observer_started_at": NOW - 1000,
            "interval_seconds": 15.0,
            "engine_pid": 7,
            "engine_restarts": 0,
            "last_answer_at": NOW,
            "score": 95.0,
            "findings": findings,
            "sample": Sample(at=NOW, memory_bytes=64 * 2**20, memory_limit_bytes=512 * 2**20, score=95.0),
            "engine": engine,
        }
        return ObserverReport(**(fields | changes))

    return make


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    def make(reason: FindingReason, severity: Severity = Severity.CRITICAL, *, lasts: float = 60.0) -> Finding:
        return Finding(reason, severity, f"{reason.value} for {lasts:.0f} s", since=NOW - lasts)

    return make


@pytest.fixture
def make_pod(make_bot: Callable[..., TradingBot]) -> Callable[..., PodFacts]:
    """Return a function that makes a pod that has been trading for a while, of the bot that `make_bot` makes."""

    def make(*, engine: ContainerFacts | None = None, **changes: Any) -> PodFacts:
        running = ContainerFacts(running_since=NOW - 1000, started=True)
        fields: dict[str, Any] = {
            "name": "calm-0",
            "uid": "pod-1",
            "ip": "10.0.0.7",
            "node": "worker",
            "ready": True,
            "restart_hash": pod_revision(make_bot()),
            "created_at": NOW - 1010,
            "ready_since": NOW - 995,
            "engine": engine or running,
            "observer": running,
        }
        return PodFacts(**(fields | changes))

    return make


@pytest.fixture
def live_children(settings: OperatorSettings) -> Callable[[TradingBot], dict[ObjectKey, Body]]:
    """Return a function that gives a bot's children as the API server would hold them."""

    def make(bot: TradingBot) -> dict[ObjectKey, Body]:
        return {key_of(manifest): as_stored(manifest) for manifest in build_children(bot, settings, first_layout(bot))}

    return make


def as_stored(manifest: Body) -> Body:
    """Return a manifest as the API server gives it back: with fields of its own."""
    stored: Body = json.loads(json.dumps(manifest))
    stored["metadata"] |= {"uid": f"uid-of-{manifest['kind']}", "resourceVersion": "5", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if manifest["kind"] == "StatefulSet":
        stored["status"] = {"replicas": stored["spec"]["replicas"]}
        pod = stored["spec"]["template"]["spec"]
        pod |= {"dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "restartPolicy": "Always"}
        pod["containers"][0] |= {"terminationMessagePath": "/dev/termination-log"}
        pod["volumes"][0]["configMap"]["defaultMode"] = 420
    return stored


@pytest.fixture
def make_world(
    make_bot: Callable[..., TradingBot],
    make_pod: Callable[..., PodFacts],
    make_report: Callable[..., ObserverReport],
    live_children: Callable[[TradingBot], dict[ObjectKey, Body]],
) -> Callable[..., World]:
    """Return a function that makes the world of a bot that is well."""

    def make(*, bot: TradingBot | None = None, report: ObserverReport | None = None, **changes: Any) -> World:
        made = bot or make_bot()
        fields: dict[str, Any] = {
            "bot": made,
            "status": TradingBotStatus(),
            "children": copy.deepcopy(live_children(made)),
            "pods": (make_pod(restart_hash=pod_revision(made)),),
            "reports": {"pod-1": ReportView(report=report or make_report())},
            "now": NOW,
        }
        return World(**(fields | changes))

    return make


@pytest.fixture
def change() -> Callable[..., Any]:
    """Return a function that gives a struct with some fields changed."""
    return msgspec.structs.replace
