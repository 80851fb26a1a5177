"""What an engine may say to its observer: whatever it is, the observer goes on, and all that it tells of it can be told."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from mutation import encoded, mutated_bytes, mutated_tree, refusal

from tradingbot_contract.report import Dependency, EngineState, EngineStatus, ObserverReport, PoolUse
from tradingbot_contract.spec import Health
from tradingbot_observer.findings import assess
from tradingbot_observer.page.files import PageFiles
from tradingbot_observer.page.state import build_state
from tradingbot_observer.sampler import ProcessReading, Reading, build_sample
from tradingbot_observer.score import compute_score
from tradingbot_observer.sinks.prometheus import Exposition, Facts
from tradingbot_observer.sources.engine_pages import parse_metrics, parse_status
from tradingbot_observer.sources.http import ProbeResult, _parse_head
from tradingbot_observer.symptoms import Situation

NOW = 1_790_000_000.0
ENGINE = EngineStatus(
    state=EngineState.RUNNING,
    generation=3,
    started_at=NOW - 7200,
    heartbeat_at=NOW,
    last_bar_at=NOW - 2,
    equity=10_150.0,
    initial_equity=10_000.0,
    symbols=("BTC/USDT",),
    dependencies=(Dependency(name="redis", up=False, since=NOW - 60, message="refused"),),
    pools=(PoolUse(name="journal", used=5, max_connections=7, pending=0, timeouts=1, exhausted_since=NOW - 9),),
)
STATUS = msgspec.to_builtins(ENGINE)
METRICS = b"""# HELP tradingbot_operations_total Operations
# TYPE tradingbot_operations_total counter
tradingbot_operations_total{operation="order",result="ok"} 12.0
tradingbot_errors_total{operation="order"} 1.0 1600000000000
tradingbot_cache_lookups_total{cache="views",result="hit"} 5.0
# TYPE tradingbot_memory_limit_bytes gauge
tradingbot_memory_limit_bytes 5.36870912e+08
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
FILES = PageFiles()


def tell_all(engine: EngineStatus) -> None:
    """Do with an engine's word all that the observer does with it."""
    situation = Situation(
        at=NOW,
        health=Health(),
        process_started_at=NOW - 50,
        process_was_seen=True,
        process_has_answered=True,
        silent_seconds=0.0,
        watched_seconds=50.0,
        engine=engine,
    )
    report = ObserverReport(
        namespace="trading", bot="first", shard=0, pod_uid="u", observed_at=NOW, generation=1, observer_started_at=NOW - 100,
        interval_seconds=15.0, engine_pid=7, engine_restarts=0, last_answer_at=NOW, score=None, findings=assess(situation, ()),
        sample=None, engine=engine,
    )  # fmt: skip
    facts = Facts(report=report, samples=1, probes={ProbeResult.ANSWERED: 1}, is_answering=True, response_p95_seconds=0.1, threads=1)
    assert Exposition(lambda: facts).render()
    assert FILES.render(build_state(facts, Health()))
    assert msgspec.json.decode(msgspec.json.encode(report), type=ObserverReport) == report


@given(mutated_tree(STATUS))
def test_odd_values_of_a_status_are_told_or_refused(tree: object) -> None:
    engine, _ = refusal(lambda: parse_status(encoded(tree)), ValueError)
    if engine is not None:
        tell_all(engine)


@given(mutated_bytes([encoded(STATUS)]) | st.binary(max_size=100) | st.integers(1, 60_000).map(lambda depth: b'{"a":' * depth))
@example(b'{"a":' * 12_000)
def test_a_status_is_read_or_refused(body: bytes) -> None:
    engine, _ = refusal(lambda: parse_status(body), ValueError)
    if engine is not None:
        tell_all(engine)


@given(mutated_bytes([METRICS]) | st.binary(max_size=200))
@example(b"tradingbot_memory_limit_bytes +Inf\n")
@example(b"tradingbot_memory_limit_bytes 1e308\ntradingbot_memory_limit_bytes 1e308\n")
def test_metrics_are_read_or_refused_and_make_a_sample(body: bytes) -> None:
    found, _ = refusal(lambda: parse_metrics(body.decode()), ValueError)
    if found is None:
        return
    process = ProcessReading(pid=7, started_at=NOW - 50, cpu_seconds=1.0, memory_bytes=2**20, threads=3)
    readings = [
        Reading(
            at=NOW + each, monotonic_seconds=each, process=process, process_has_answered=True, counters=counters,
            memory_limit_bytes=found.memory_limit_bytes, response_p95_seconds=0.1,
        )
        for each, counters in ((0.0, None), (15.0, found.counters), (30.0, found.counters))
    ]  # fmt: skip
    for before, now in pairwise(readings):
        sample = build_sample(before, now)
        score = compute_score(sample, Health())
        assert score is None or 0.0 <= score <= 100.0
        assert msgspec.json.encode(sample)


@given(mutated_bytes([HEAD]))
def test_the_head_of_an_answer_has_a_length_that_can_be_read_or_is_refused(head: bytes) -> None:
    length, said = refusal(lambda: _parse_head(head), ValueError)
    assert said or length is None or length >= 0
