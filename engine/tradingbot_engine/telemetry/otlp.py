"""The engine's metrics on their way to an OpenTelemetry collector, beside the page for Prometheus; the address may change live.

A collector that is down costs nothing but its metrics: exports run on a thread of their own, are given up after a few seconds, and
the first failure is logged, not each.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tradingbot_contract.report import Dependency

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader

METRICS_PATH: Final = "/v1/metrics"
INTERVAL_SECONDS: Final = 15.0
ENV_INTERVAL_MILLISECONDS: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_TIMEOUT_SECONDS: Final = 5.0
_MOST_DIGITS: Final = 9
_logger = logging.getLogger(__name__)


def read_interval_seconds(environment: Mapping[str, str]) -> float:
    """Return how often figures are sent: what OpenTelemetry's own variable says, or else each 15 s."""
    text = environment.get(ENV_INTERVAL_MILLISECONDS, "").strip()
    if text and not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text)):
        _logger.warning("the time between exports is no number of milliseconds", extra={"fields": {ENV_INTERVAL_MILLISECONDS: text}})
        text = ""
    return int(text) / 1000.0 if text else INTERVAL_SECONDS


class OtlpExport:
    """Sends what `provider` knows to the collector of the spec; to nobody while there is none."""

    def __init__(self, provider: MeterProvider, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._provider = provider
        self._interval_seconds = interval_seconds
        self._endpoint: str | None = None
        self._pipeline: tuple[MetricReader, MetricExporter] | None = None
        self._state = Dependency(name="otlp", up=None, since=time.time())

    @property
    def dependency(self) -> Dependency | None:
        """How the collector does; None when there is none."""
        return None if self._endpoint is None else self._state

    async def follow(self, endpoint: str | None) -> None:
        """Send to this address from now on; the last figures still go to the one before."""
        if endpoint == self._endpoint:
            return
        before, answered = self._pipeline, self._state.up is True
        self._pipeline, self._endpoint = None, endpoint
        self._state = Dependency(name="otlp", up=None, since=time.time())
        if endpoint is not None:
            self._pipeline = await asyncio.to_thread(self._begin, endpoint)
        if before is not None:
            await asyncio.to_thread(self._end, *before, answers=answered)

    async def close(self) -> None:
        """Send the last figures, if there is somebody to send them to."""
        await self.follow(None)

    def _begin(self, endpoint: str) -> tuple[MetricReader, MetricExporter]:
        # Only who has a collector pays for the imports (17 MiB).
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
        from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader  # noqa: PLC0415

        # What the exporter logs, it logs at each failure; what there is to say, this class says once.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        # A reader that is removed tries a last collection when it is no longer part of the provider, and warns of it.
        logging.getLogger("opentelemetry.sdk.metrics._internal.export").setLevel(logging.ERROR)
        export = self

        class Watched(OTLPMetricExporter):
            """Tells how each export went."""

            def export(self, metrics_data: Any, timeout_millis: float | None = None, **kwargs: Any) -> MetricExportResult:
                started_at = time.perf_counter()
                result = super().export(metrics_data, timeout_millis, **kwargs)
                export.note(endpoint, succeeded=result is MetricExportResult.SUCCESS, seconds=time.perf_counter() - started_at)
                return result

        exporter = Watched(endpoint=endpoint.rstrip("/") + METRICS_PATH, timeout=_TIMEOUT_SECONDS)
        reader = PeriodicExportingMetricReader(exporter, self._interval_seconds * 1000.0, _TIMEOUT_SECONDS * 1000.0)
        self._provider.add_metric_reader(reader)
        return reader, exporter

    def _end(self, reader: MetricReader, exporter: MetricExporter, *, answers: bool) -> None:
        if answers:
            reader.force_flush(_TIMEOUT_SECONDS * 1000.0)
        exporter.shutdown()  # first: a collector that is down must not keep the engine from its end
        self._provider.remove_metric_reader(reader)

    def note(self, endpoint: str, *, succeeded: bool, seconds: float) -> None:
        """Take the result of an export; called on the exporter's thread."""
        before = self._state
        if endpoint != self._endpoint:
            return
        self._state = Dependency(
            name="otlp",
            up=succeeded,
            since=before.since if before.up is succeeded else time.time(),
            message="" if succeeded else f"{endpoint} takes no metrics",
            latency_seconds=seconds if succeeded else before.latency_seconds,
        )
        if before.up is not succeeded:
            level = logging.INFO if succeeded else logging.WARNING
            _logger.log(level, "collector answers" if succeeded else "collector can't be reached", extra={"fields": {"endpoint": endpoint}})
