"""What the observer knows, as metrics. Every name, kind and meaning comes from the contract's table; what isn't known is absent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from tradingbot_contract import metrics
from tradingbot_contract.metrics import Instrument, Kind, prometheus_label, prometheus_name
from tradingbot_contract.report import ObserverReport, Sample
from tradingbot_observer.findings import POSSIBLE
from tradingbot_observer.sources.http import ProbeResult

_TYPES: Final = {Kind.COUNTER: "counter", Kind.UP_DOWN_COUNTER: "gauge", Kind.GAUGE: "gauge"}

Values = Mapping[tuple[str, ...], float]
"""Values by the values of their attributes, in the order of the table."""


class Facts(Struct, frozen=True, kw_only=True):
    """All that is exported, at one moment."""

    report: ObserverReport
    samples: int
    """Taken since the observer started, also those that are no longer remembered."""
    probes: Mapping[ProbeResult, int]
    is_answering: bool
    response_p95_seconds: float | None
    threads: int | None


def measure(facts: Facts) -> Iterator[tuple[Instrument, Values]]:
    """Yield every metric that has a value now, with its values."""
    report = facts.report
    sample = report.sample or Sample(at=report.observed_at)
    answer_age_seconds = None if report.last_answer_at is None else max(0.0, report.observed_at - report.last_answer_at)
    found = {(finding.reason, finding.severity) for finding in report.findings}
    single: tuple[tuple[Instrument, float | None], ...] = (
        (metrics.OBSERVER_SCORE, report.score),
        (metrics.OBSERVER_SAMPLES, facts.samples),
        (metrics.OBSERVER_RESPONSE_P95, facts.response_p95_seconds),
        (metrics.OBSERVER_ANSWER_AGE, answer_age_seconds),
        (metrics.OBSERVER_CONFIG_GENERATION, report.generation),
        (metrics.OBSERVER_ENGINE_UP, facts.is_answering),
        (metrics.OBSERVER_ENGINE_RESTARTS, report.engine_restarts),
        (metrics.OBSERVER_ENGINE_MEMORY, sample.memory_bytes),
        (metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION, _share(sample.memory_percent)),
        (metrics.OBSERVER_ENGINE_CPU_UTILIZATION, _share(sample.cpu_percent)),
        (metrics.OBSERVER_ENGINE_THREADS, facts.threads),
        (metrics.OBSERVER_ENGINE_ERROR_RATIO, _share(sample.error_percent)),
        (metrics.OBSERVER_ENGINE_CACHE_HIT_RATIO, _share(sample.cache_hit_percent)),
    )
    yield metrics.OBSERVER_FINDINGS, {(reason.value, severity.value): (reason, severity) in found for reason, severity in POSSIBLE}
    yield metrics.OBSERVER_PROBES, {(result.value,): facts.probes.get(result, 0) for result in ProbeResult}
    for instrument, value in single:
        if value is not None:
            yield instrument, {(): value}


class _Exporter(Collector):
    def __init__(self, gather: Callable[[], Facts]) -> None:
        self._gather = gather

    def collect(self) -> Iterable[Metric]:
        for instrument, values in measure(self._gather()):
            name = prometheus_name(instrument)
            family = Metric(name.removesuffix("_total"), instrument.description, _TYPES[instrument.kind])
            labels = [prometheus_label(attribute) for attribute in instrument.attributes]
            for attribute_values, value in values.items():
                family.add_sample(name, dict(zip(labels, attribute_values, strict=True)), float(value))
            yield family


class Exposition:
    """Renders the facts of the moment in Prometheus' text format."""

    def __init__(self, gather: Callable[[], Facts]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Exporter(gather))

    def render(self) -> bytes:
        """Return the page."""
        return generate_latest(self._registry)


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100.0
