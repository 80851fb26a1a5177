"""Metrics: OpenTelemetry's SDK in the middle, numbers of the engine on one side, a Prometheus page on the other, and OTLP when asked for.

An instrument is made only from the table in :mod:`tradingbot_contract.metrics`. All but histograms are read when somebody
asks for the page; a histogram is recorded where it is measured. ``OTEL_SDK_DISABLED=true``, OpenTelemetry's own switch, turns all
of it off: the page is empty then, and health is judged without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from tradingbot_contract.metrics import ENGINE, Instrument, Kind
from tradingbot_engine.telemetry.record import NO_ATTRIBUTES, Attributes

Readings = Iterable[tuple[float, Mapping[str, str]]]
"""Values with their attributes; none of them: the metric is absent."""
Read = Callable[[], Readings]


class UndeclaredMetricError(LookupError):
    """Code and table disagree: an instrument is read that isn't the engine's, or the other way about."""


class Telemetry:
    """The metrics of this process."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        """`resource` says whose metrics these are, by OpenTelemetry's attributes."""
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)
        self.provider = MeterProvider(
            metric_readers=[reader],
            resource=Resource(resource),
            exemplar_filter=AlwaysOffExemplarFilter(),
            shutdown_on_exit=False,
        )
        self._meter = self.provider.get_meter("tradingbot_engine")
        self._histograms: dict[str, Histogram] = {
            instrument.name: self._meter.create_histogram(
                instrument.name, instrument.unit, instrument.description, explicit_bucket_boundaries_advisory=instrument.buckets
            )
            for instrument in ENGINE
            if instrument.kind is Kind.HISTOGRAM
        }

    def record(self, instrument: Instrument, value: float, attributes: Attributes = NO_ATTRIBUTES, /) -> None:
        """Add one measurement to a histogram. Any thread may."""
        self._histograms[instrument.name].record(value, attributes)

    def observe(self, reads: Mapping[Instrument, Read]) -> None:
        """Export these from now on.

        Raises:
            UndeclaredMetricError: an instrument of the engine's table is missing, or one is there that isn't in it.
        """
        expected = {instrument.name for instrument in ENGINE if instrument.kind is not Kind.HISTOGRAM}
        given = {instrument.name for instrument in reads}
        if expected != given:
            raise UndeclaredMetricError(", ".join(sorted(expected ^ given)))
        for instrument, read in reads.items():
            _create(self._meter, instrument, read)

    def render(self) -> bytes:
        """Return the Prometheus page."""
        return generate_latest(self._registry)

    def shutdown(self) -> None:
        self.provider.shutdown()


def _create(meter: Meter, instrument: Instrument, read: Read) -> None:
    def callback(_options: CallbackOptions) -> Sequence[Observation]:
        # One kind of number: OTLP knows no truth values, and one of them would keep all figures from the collector.
        return [Observation(float(value), dict(attributes)) for value, attributes in read()]

    arguments = (instrument.name, [callback], instrument.unit, instrument.description)
    match instrument.kind:
        case Kind.COUNTER:
            meter.create_observable_counter(*arguments)
        case Kind.UP_DOWN_COUNTER:
            meter.create_observable_up_down_counter(*arguments)
        case Kind.GAUGE:
            meter.create_observable_gauge(*arguments)
        case Kind.HISTOGRAM:
            raise UndeclaredMetricError(instrument.name)
