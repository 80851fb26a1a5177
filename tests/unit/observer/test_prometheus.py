from __future__ import annotations

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from tradingbot_contract.metrics import OBSERVER, Kind, prometheus_label, prometheus_name
from tradingbot_contract.report import Dependency, EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_observer.findings import POSSIBLE
from tradingbot_observer.sinks.prometheus import MOST_SYMBOLS, Exposition, Facts
from tradingbot_observer.sources.http import ProbeResult

FULL = Facts(
    report=ObserverReport(
        namespace="trading",
        bot="first",
        shard=0,
        pod_uid="p",
        observed_at=1000.0,
        generation=4,
        observer_started_at=500.0,
        interval_seconds=15.0,
        engine_pid=7,
        engine_restarts=2,
        last_answer_at=999.5,
        score=85.0,
        findings=(Finding(FindingReason.CPU_HIGH, Severity.WARNING, "high", since=1.0),),
        sample=Sample(
            at=990.0,
            cpu_percent=90.0,
            memory_bytes=1024,
            memory_limit_bytes=4096,
            memory_percent=25.0,
            error_percent=0.5,
            response_p95_seconds=0.2,
            cache_hit_percent=75.0,
            score=85.0,
        ),
        engine=EngineStatus(
            state=EngineState.RUNNING,
            generation=3,
            started_at=600.0,
            heartbeat_at=999.0,
            bars=5000,
            bars_this_run=400,
            last_bar_at=998.5,
            feed_due=True,
            equity=101_000.25,
            currency="USD",
            open_positions=2,
            open_orders=1,
            unknown_orders=0,
            fills=70,
            document_refusal="memory: too much",
            refused_generation=4,
            memory_mode="Minimal",
            memory_mode_reason="memory is short",
            revision="abc",
            symbols=("AAPL", "BTC/USDT"),
            busy_symbols=("AAPL",),
            activity="Trade",
            grant=6,
            dependencies=(Dependency(name="database", up=True, since=700.0), Dependency(name="news", up=None, since=600.0)),
        ),
        samples=3,
    ),
    samples=3,
    probes={ProbeResult.ANSWERED: 40, ProbeResult.TIMEOUT: 2},
    is_answering=True,
    response_p95_seconds=0.2,
    threads=3,
)
EMPTY = Facts(
    report=ObserverReport(
        namespace="",
        bot="",
        shard=0,
        pod_uid="",
        observed_at=1000.0,
        generation=None,
        observer_started_at=999.0,
        interval_seconds=15.0,
        engine_pid=None,
        engine_restarts=0,
        last_answer_at=None,
        score=None,
        findings=(),
        sample=None,
        engine=None,
    ),
    samples=0,
    probes={},
    is_answering=False,
    response_p95_seconds=None,
    threads=None,
)


def read(facts: Facts) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    text = Exposition(lambda: facts).render().decode()
    page: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            page.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return page


def test_every_metric_of_the_table_and_no_other_is_exported() -> None:
    page = read(FULL)
    assert set(page) == {prometheus_name(instrument) for instrument in OBSERVER}
    for instrument in OBSERVER:
        for labels in page[prometheus_name(instrument)]:
            assert {name for name, _ in labels} == {prometheus_label(attribute) for attribute in instrument.attributes}


def test_types_are_those_of_the_table() -> None:
    text = Exposition(lambda: FULL).render().decode()
    for instrument in OBSERVER:
        kind = "counter" if instrument.kind is Kind.COUNTER else "gauge"
        assert f"# TYPE {prometheus_name(instrument)} {kind}\n" in text


def test_values() -> None:
    page = {name: next(iter(values.values())) for name, values in read(FULL).items() if len(values) == 1}
    assert page["tradingbot_observer_score"] == 85
    assert page["tradingbot_observer_samples_total"] == 3
    assert page["tradingbot_observer_answer_age_seconds"] == 0.5
    assert page["tradingbot_observer_engine_up"] == 1
    assert page["tradingbot_observer_engine_restarts_total"] == 2
    assert page["tradingbot_observer_engine_memory_bytes"] == 1024
    assert page["tradingbot_observer_engine_memory_utilization"] == 0.25
    assert page["tradingbot_observer_engine_cpu_utilization"] == 0.9
    assert page["tradingbot_observer_engine_error_ratio"] == 0.005
    assert page["tradingbot_observer_engine_cache_hit_ratio"] == 0.75


def test_a_decision_can_be_made_from_the_page_as_from_the_report() -> None:
    page, report = read(FULL), FULL.report
    assert report.engine is not None

    def single(name: str) -> float:
        return page[f"tradingbot_observer_{name}"][()]

    def labels(name: str) -> list[dict[str, str]]:
        return [dict(pairs) for pairs, value in page[f"tradingbot_observer_{name}"].items() if value]

    assert labels("info") == [
        {"k8s_namespace_name": "trading", "tradingbot_bot": "first", "tradingbot_shard": "0", "k8s_pod_uid": "p"},
    ]
    assert single("time_seconds") == report.observed_at
    assert single("start_time_seconds") == report.observer_started_at
    assert single("interval_seconds") == report.interval_seconds
    assert single("engine_answer_time_seconds") == report.last_answer_at
    assert single("engine_pid") == report.engine_pid
    assert single("engine_memory_limit_bytes") == 4096
    assert single("sample_time_seconds") == 990.0
    assert page["tradingbot_observer_finding_since_seconds"] == {(("reason", "CPUHigh"), ("severity", "warning")): 1.0}

    engine = report.engine
    assert labels("engine_state") == [{"state": "Running"}]
    assert labels("engine_info") == [{"activity": "Trade", "memory_mode": "Minimal", "currency": "USD"}]
    assert labels("engine_revision") == [{"revision": "abc"}]
    assert single("engine_config_generation") == engine.generation
    assert (single("engine_config_refused"), single("engine_config_refused_generation")) == (1, 4)
    assert (single("engine_start_time_seconds"), single("engine_heartbeat_time_seconds")) == (engine.started_at, engine.heartbeat_at)
    assert (single("engine_bars"), single("engine_bars_this_run"), single("engine_fills")) == (5000, 400, 70)
    assert (single("engine_last_bar_time_seconds"), single("engine_feed_due")) == (engine.last_bar_at, 1)
    assert single("engine_equity") == engine.equity
    assert (single("engine_positions_open"), single("engine_orders_open"), single("engine_orders_unknown")) == (2, 1, 0)
    assert single("engine_memory_mode_lowered") == 1
    assert single("engine_grant") == 6
    assert page["tradingbot_observer_engine_dependency_up"] == {(("dependency", "database"),): 1}
    assert page["tradingbot_observer_engine_dependency_since_seconds"] == {
        (("dependency", "database"),): 700.0,
        (("dependency", "news"),): 600.0,
    }
    assert page["tradingbot_observer_engine_symbols"] == {(("use", "held"),): 2, (("use", "busy"),): 1}
    assert labels("engine_symbol") == [
        {"symbol": "AAPL", "use": "held"},
        {"symbol": "BTC/USDT", "use": "held"},
        {"symbol": "AAPL", "use": "busy"},
    ]


def test_symbols_that_are_not_known_are_absent_and_no_symbols_are_zero() -> None:
    assert FULL.report.engine is not None
    engine = msgspec.structs.replace(FULL.report.engine, symbols=(), busy_symbols=None, revision=None, refused_generation=None)
    page = read(msgspec.structs.replace(FULL, report=msgspec.structs.replace(FULL.report, engine=engine)))
    assert page["tradingbot_observer_engine_symbols"] == {(("use", "held"),): 0}
    for absent in ("engine_symbol", "engine_revision", "engine_config_refused_generation"):
        assert f"tradingbot_observer_{absent}" not in page


def test_no_engine_makes_more_series_than_a_spec_has_symbols() -> None:
    assert FULL.report.engine is not None
    names = tuple(f"S{number}" for number in range(1000))
    engine = msgspec.structs.replace(FULL.report.engine, symbols=names, busy_symbols=(), currency="X" * 1000)
    page = read(msgspec.structs.replace(FULL, report=msgspec.structs.replace(FULL.report, engine=engine)))
    assert len(page["tradingbot_observer_engine_symbol"]) == MOST_SYMBOLS
    assert page["tradingbot_observer_engine_symbols"][(("use", "held"),)] == 1000
    assert all(len(value) <= 64 for labels in page["tradingbot_observer_engine_info"] for _, value in labels)


def test_a_finding_is_1_and_every_other_that_could_be_is_0() -> None:
    findings = read(FULL)["tradingbot_observer_findings"]
    assert len(findings) == len(POSSIBLE)
    assert [labels for labels, value in findings.items() if value] == [(("reason", "CPUHigh"), ("severity", "warning"))]


def test_what_is_not_known_is_absent() -> None:
    page = read(EMPTY)
    assert set(page) == {
        "tradingbot_observer_time_seconds",
        "tradingbot_observer_start_time_seconds",
        "tradingbot_observer_interval_seconds",
        "tradingbot_observer_findings",
        "tradingbot_observer_probes_total",
        "tradingbot_observer_samples_total",
        "tradingbot_observer_engine_up",
        "tradingbot_observer_engine_restarts_total",
    }
    assert page["tradingbot_observer_engine_up"] == {(): 0.0}
