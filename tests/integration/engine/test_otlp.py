"""Metrics reach a collector by OTLP over HTTP, follow a changed address, and nothing breaks where there is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tradingbot_contract.metrics import DECISION_DURATION
from tradingbot_engine.readings import build_readings
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.telemetry.otlp import OtlpExport

DEADLINE_SECONDS = 20.0


class Collector:
    """Takes what is sent, as a collector does."""

    def __init__(self) -> None:
        self.requests: list[ExportMetricsServiceRequest] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/metrics":
                    collector.requests.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(HTTPStatus.OK if self.path == "/v1/metrics" else HTTPStatus.NOT_FOUND)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def names(self) -> set[str]:
        return {
            metric.name
            for request in list(self.requests)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collectors() -> Iterator[tuple[Collector, Collector]]:
    both = Collector(), Collector()
    yield both
    for collector in both:
        collector.close()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry("pod-1")
    telemetry.observe(build_readings(EngineFacts(), lambda: 1024))
    yield telemetry
    telemetry.shutdown()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the exporter's and the collector's threads make it true
            await asyncio.sleep(0.02)


def test_figures_reach_the_collector_of_the_spec_and_follow_its_address(
    collectors: tuple[Collector, Collector], telemetry: Telemetry
) -> None:
    first, second = collectors

    async def scenario() -> None:
        export = OtlpExport(telemetry.provider, interval_seconds=0.1)
        assert export.dependency is None
        await export.follow(first.endpoint)
        telemetry.record(DECISION_DURATION, 2e-5)
        await _until(lambda: "tradingbot.decision.duration" in first.names() and "tradingbot.memory.limit" in first.names())
        assert export.dependency is not None
        assert export.dependency.up is True
        await export.follow(second.endpoint + "/")
        await _until(lambda: bool(second.requests))
        seen = len(first.requests)
        await _until(lambda: len(second.requests) > 3)
        assert len(first.requests) == seen
        await export.close()

    asyncio.run(scenario())
    resource = first.requests[0].resource_metrics[0].resource
    assert {pair.key: pair.value.string_value for pair in resource.attributes}["service.instance.id"] == "pod-1"


def test_a_collector_that_is_gone_is_a_fact_and_no_trouble(telemetry: Telemetry, caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector()
    collector.close()

    async def scenario() -> None:
        export = OtlpExport(telemetry.provider, interval_seconds=0.05)
        await export.follow(collector.endpoint)
        await _until(lambda: export.dependency is not None and export.dependency.up is False)
        assert export.dependency is not None
        assert collector.endpoint in export.dependency.message
        await export.close()

    asyncio.run(scenario())
    assert [record.getMessage() for record in caplog.records] == ["collector can't be reached"]
    assert b"tradingbot_memory_limit_bytes" in telemetry.render()
