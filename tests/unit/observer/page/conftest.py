from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tradingbot_contract.report import Dependency, EngineState, EngineStatus, ObserverReport, PoolUse, Sample
from tradingbot_observer.sinks.prometheus import Facts
from tradingbot_observer.sources.http import ProbeResult

NOW = 1_790_000_000.0


def make_engine(**changed: Any) -> EngineStatus:
    engine = EngineStatus(
        state=EngineState.RUNNING,
        generation=3,
        started_at=NOW - 7200,
        heartbeat_at=NOW,
        strategy="ema-cross",
        bars=1000,
        last_bar_at=NOW - 2,
        feed_due=True,
        equity=10_150.0,
        initial_equity=10_000.0,
        currency="USDT",
        drawdown=0.031,
        open_positions=2,
        symbols=("BTC/USDT", "ETH/USDT"),
        busy_symbols=("BTC/USDT",),
        activity="Trade",
        dependencies=(
            Dependency(name="database", up=True, since=NOW - 7000, latency_seconds=0.0012),
            Dependency(name="redis", up=False, since=NOW - 60, message="connection refused"),
        ),
        pools=(PoolUse(name="journal", used=5, max_connections=7, pending=0, timeouts=1),),
    )
    return msgspec.structs.replace(engine, **changed)


def make_facts(**changed: Any) -> Facts:
    report = ObserverReport(
        namespace="trading",
        bot="first",
        shard=1,
        pod_uid="0d6a3c1e",
        observed_at=NOW,
        generation=4,
        observer_started_at=NOW - 7300,
        interval_seconds=15.0,
        engine_pid=7,
        engine_restarts=2,
        last_answer_at=NOW - 1,
        score=95.0,
        findings=(),
        sample=Sample(
            at=NOW - 5, cpu_percent=12.5, memory_bytes=100 * 2**20, memory_limit_bytes=512 * 2**20, memory_percent=19.5, score=95.0
        ),
        engine=make_engine(),
        samples=480,
    )
    return Facts(
        report=msgspec.structs.replace(report, **changed),
        samples=480,
        probes={ProbeResult.ANSWERED: 7000},
        is_answering=True,
        response_p95_seconds=0.002,
        threads=9,
    )


@pytest.fixture
def facts() -> Facts:
    return make_facts()


@pytest.fixture
def facts_with() -> Callable[..., Facts]:
    return make_facts


@pytest.fixture
def engine_with() -> Callable[..., EngineStatus]:
    return make_engine
