from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tradingbot_contract.metrics import OBSERVER, Kind, prometheus_label, prometheus_name
from tradingbot_contract.report import Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_observer.findings import POSSIBLE
from tradingbot_observer.sinks.prometheus import Exposition, Facts
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
        engine=None,
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


def test_a_finding_is_1_and_every_other_that_could_be_is_0() -> None:
    findings = read(FULL)["tradingbot_observer_findings"]
    assert len(findings) == len(POSSIBLE)
    assert [labels for labels, value in findings.items() if value] == [(("reason", "CPUHigh"), ("severity", "warning"))]


def test_what_is_not_known_is_absent() -> None:
    page = read(EMPTY)
    assert set(page) == {
        "tradingbot_observer_findings",
        "tradingbot_observer_probes_total",
        "tradingbot_observer_samples_total",
        "tradingbot_observer_engine_up",
        "tradingbot_observer_engine_restarts_total",
    }
    assert page["tradingbot_observer_engine_up"] == {(): 0.0}
