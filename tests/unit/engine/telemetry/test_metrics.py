"""The engine's metrics: made from the table and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tradingbot_contract.metrics import BARS, DECISION_DURATION, ENGINE, EQUITY, POOL_WAIT_TIME, Kind, prometheus_label, prometheus_name
from tradingbot_engine.readings import build_readings
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.metrics import Telemetry, UndeclaredMetricError


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry({"service.name": "tradingbot-engine", "service.instance.id": "pod-1"})
    yield telemetry
    telemetry.shutdown()


def test_a_fresh_engine_shows_what_it_knows_and_nothing_else(telemetry: Telemetry) -> None:
    facts = EngineFacts()
    telemetry.observe(build_readings(facts, lambda: 1024))
    facts.counts.bars["A"] += 3
    telemetry.record(DECISION_DURATION, 2e-5)
    families = {family.name: family for family in text_string_to_metric_families(telemetry.render().decode())}
    declared = {prometheus_name(instrument).removesuffix("_total"): instrument for instrument in ENGINE}
    assert set(families) - {"target_info"} <= set(declared)
    assert families["tradingbot_bars"].samples[0].labels == {"symbol": "A"}
    assert families["tradingbot_bars"].samples[0].value == 3
    assert families["tradingbot_memory_limit_bytes"].samples[0].value == 1024
    assert prometheus_name(EQUITY) not in families  # there is no session yet: unknown is not 0
    assert families["target_info"].samples[0].labels == {"service_name": "tradingbot-engine", "service_instance_id": "pod-1"}
    for name, family in families.items():
        if name != "target_info":
            allowed = {prometheus_label(attribute) for attribute in declared[name].attributes} | {"le"}
            assert {label for sample in family.samples for label in sample.labels} <= allowed
    buckets = [sample.labels["le"] for sample in families[prometheus_name(DECISION_DURATION)].samples if sample.name.endswith("_bucket")]
    assert [float(bound) for bound in buckets[:-1]] == list(DECISION_DURATION.buckets)


def test_what_is_not_in_the_table_is_refused(telemetry: Telemetry) -> None:
    with pytest.raises(UndeclaredMetricError, match=re.escape("tradingbot.cache.entries")):
        telemetry.observe({BARS: lambda: ()})


def test_no_histogram_is_read() -> None:
    reads = build_readings(EngineFacts(), lambda: None)
    assert all(instrument.kind is not Kind.HISTOGRAM for instrument in reads)


def test_a_histogram_takes_attributes(telemetry: Telemetry) -> None:
    telemetry.record(POOL_WAIT_TIME, 0.002, {"db.client.connection.pool.name": "journal"})
    telemetry.record(POOL_WAIT_TIME, 0.004, {"db.client.connection.pool.name": "redis"})
    families = {family.name: family for family in text_string_to_metric_families(telemetry.render().decode())}
    sums = {
        sample.labels["db_client_connection_pool_name"]: sample.value
        for sample in families[prometheus_name(POOL_WAIT_TIME)].samples
        if sample.name.endswith("_sum")
    }
    assert sums == {"journal": 0.002, "redis": 0.004}


def test_opentelemetrys_own_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    telemetry = Telemetry({"service.name": "tradingbot-engine", "service.instance.id": "pod-1"})
    telemetry.observe(build_readings(EngineFacts(), lambda: 1024))
    telemetry.record(DECISION_DURATION, 2e-5)
    assert b"tradingbot" not in telemetry.render().replace(b"tradingbot-engine", b"")
    telemetry.shutdown()
