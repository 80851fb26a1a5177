"""Metrics reach a real OpenTelemetry collector by OTLP over HTTP, follow a changed address, and nothing breaks where there is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families

from collector_server import CollectorServer, Delivered
from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.metrics import DECISION_DURATION, ENGINE, Kind, prometheus_name
from tradingbot_contract.spec import Observability
from tradingbot_engine.readings import build_readings
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.telemetry.otlp import OtlpExport

DEADLINE_SECONDS = 60.0
OFTEN = {"OTEL_METRIC_EXPORT_INTERVAL": "100"}
POD = {"TRADINGBOT_POD_UID": "pod-1", "TRADINGBOT_POD_NAME": "first-0"}
RESOURCE = {
    "service.name": "tradingbot-engine",
    "service.instance.id": "pod-1",
    "tradingbot.bot": "first",
    "tradingbot.shard": "0",
    "k8s.namespace.name": "trading",
    "k8s.statefulset.name": "first",
    "k8s.pod.name": "first-0",
    "k8s.pod.uid": "pod-1",
    "k8s.container.name": "engine",
}
KINDS = {Kind.COUNTER: "sum", Kind.UP_DOWN_COUNTER: "sum", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram"}

BEFORE_THE_EXPORT = {"db_client_connection_create_time_seconds"}
"""Histograms of what happens once, when an engine starts: a reader counts from when it is there."""
DECLARED = {instrument.name: instrument for instrument in ENGINE}


@pytest.fixture
def collector() -> Iterator[CollectorServer]:
    with CollectorServer() as collector:
        yield collector


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry({"service.name": "tradingbot-engine", "service.instance.id": "pod-1"})
    telemetry.observe(build_readings(EngineFacts(), lambda: 1024))
    yield telemetry
    telemetry.shutdown()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the exporter's thread and the collector make it true
            await asyncio.sleep(0.02)


def wait_until(condition: Callable[[], bool], explain: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def observed(document: EngineDocument, endpoint: str | None) -> EngineDocument:
    return structs.replace(document, observability=Observability(otlp_endpoint=endpoint))


def newest(collector: CollectorServer) -> dict[str, Delivered]:
    """Return the metrics of the last delivery, by name."""
    deliveries = collector.deliveries()
    return {metric.name: metric for metric in deliveries[-1]} if deliveries else {}


def scraped_names(names: Iterable[str]) -> set[str]:
    """Return what metrics are called on a Prometheus page, as the parser gives it back."""
    return {prometheus_name(DECLARED[name]).removesuffix("_total") for name in names}


def page_names(page: str) -> set[str]:
    """Return the names of the families that a Prometheus page has samples of, without what a collector can't get."""
    return {family.name for family in text_string_to_metric_families(page) if family.samples} - {"target_info", *BEFORE_THE_EXPORT}


def otlp_of(status: dict[str, Any]) -> dict[str, Any]:
    (found,) = [dependency for dependency in status["dependencies"] if dependency["name"] == "otlp"]
    assert isinstance(found, dict)
    return found


def test_figures_reach_the_collector_of_the_spec_and_follow_its_address(collector: CollectorServer, telemetry: Telemetry) -> None:
    with CollectorServer() as second:

        async def scenario() -> None:
            export = OtlpExport(telemetry.provider, interval_seconds=0.1)
            assert export.dependency is None
            await export.follow(collector.endpoint)
            telemetry.record(DECISION_DURATION, 2e-5)
            await _until(lambda: {"tradingbot.decision.duration", "tradingbot.memory.limit"} <= collector.names())
            assert export.dependency is not None
            assert export.dependency.up is True
            await export.follow(second.endpoint + "/")
            await _until(lambda: bool(second.deliveries()))
            seen = len(collector.deliveries())
            await _until(lambda: len(second.deliveries()) > 3)
            assert len(collector.deliveries()) == seen
            await export.close()

        asyncio.run(scenario())


def test_an_engine_delivers_all_that_its_page_shows_and_says_whose_it_is(engines: Any, collector: CollectorServer) -> None:
    engine = engines.start(observed(engines.with_replay(loop=False), collector.endpoint), environment=OFTEN | POD)
    engine.until_state("Finished")
    # Some of the page's metrics appear only a while after the start.
    wait_until(
        lambda: scraped_names(newest(collector)) == page_names(engine.get("/metrics")[1]),
        lambda: f"the collector has others than the page: {scraped_names(newest(collector)) ^ page_names(engine.get('/metrics')[1])}",
    )
    last = newest(collector)
    for name, metric in last.items():
        assert metric.resource == RESOURCE
        assert (metric.unit, metric.kind) == (DECLARED[name].unit, KINDS[DECLARED[name].kind])
    bars = {point["attributes"][0]["value"]["stringValue"]: point["asDouble"] for point in last["tradingbot.bars"].points}
    assert set(bars) == {"AAPL", "GOOG", "IBM", "MSFT"}
    assert sum(bars.values()) == engine.status()["bars"]


def test_a_collector_that_comes_late_or_is_restarted_misses_some_figures_and_no_engine(engines: Any, collector: CollectorServer) -> None:
    collector.stop()
    document = observed(engines.with_replay(loop=True, speed=50.0), collector.endpoint)
    engine = engines.start(document, environment=OFTEN | POD)
    engine.until(lambda: engine.status()["bars"] > 0, "trading")
    engine.until(lambda: "collector can't be reached" in engine.log, "word of it")
    assert engine.get("/readyz")[0] == 200, "it trades without"
    assert otlp_of(engine.status())["up"] is False

    collector.start()
    engine.until(lambda: otlp_of(engine.status())["up"] is True, "the collector")
    engine.until(lambda: bool(collector.deliveries()), "deliveries")
    collector.restart()
    seen = len(collector.deliveries())
    engine.until(lambda: len(collector.deliveries()) > seen, "deliveries after the restart")

    collector.kill()
    engine.until(lambda: otlp_of(engine.status())["up"] is False, "its absence")
    bars = engine.status()["bars"]
    engine.until(lambda: engine.status()["bars"] > bars, "trading without it")
    assert engine.log.count("collector can't be reached") <= 3, "each time that it goes is told once"
    assert engine.terminate() == 0


def test_an_engine_is_told_of_a_collector_while_it_runs(engines: Any, collector: CollectorServer) -> None:
    engine = engines.start(observed(engines.document, None), environment=OFTEN | POD)
    engine.until(lambda: engine.status()["bars"] > 0, "trading")
    assert "otlp" not in {dependency["name"] for dependency in engine.status()["dependencies"]}
    engine.config.write_text(render_document(structs.replace(observed(engines.document, collector.endpoint), generation=2)))
    engine.until(lambda: bool(collector.deliveries()), "deliveries")
    assert collector.deliveries()[0][0].resource == RESOURCE


def test_a_collector_that_is_gone_is_a_fact_and_no_trouble(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    gone = CollectorServer()
    gone.close()

    async def scenario() -> None:
        export = OtlpExport(telemetry.provider, interval_seconds=0.05)
        await export.follow(gone.endpoint)
        await _until(lambda: export.dependency is not None and export.dependency.up is False)
        assert export.dependency is not None
        assert gone.endpoint in export.dependency.message
        await export.close()

    asyncio.run(scenario())
    assert [record.getMessage() for record in caplog.records] == ["collector can't be reached"]
