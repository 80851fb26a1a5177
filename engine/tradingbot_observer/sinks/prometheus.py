"""What the observer knows, as metrics. Every name, kind and meaning comes from the contract's table; what isn't known is absent.

All of a report that a decision rests on is here, but no text: who reads these metrics from Prometheus decides as one who reads the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from tradingbot_contract import metrics
from tradingbot_contract.metrics import Instrument, Kind, prometheus_label, prometheus_name
from tradingbot_contract.report import EngineState, EngineStatus, ObserverReport, Sample
from tradingbot_observer.findings import POSSIBLE
from tradingbot_observer.sources.http import ProbeResult

MOST_SYMBOLS: Final = 64
"""As many as a spec may name."""
_MOST_CHARACTERS: Final = 64
_MOST_DEPENDENCIES: Final = 8
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
    found = {(finding.reason, finding.severity): finding for finding in report.findings}
    if report.bot:
        yield metrics.OBSERVER_INFO, {(report.namespace, report.bot, str(report.shard), report.pod_uid): 1.0}
    yield metrics.OBSERVER_FINDINGS, {(reason.value, severity.value): (reason, severity) in found for reason, severity in POSSIBLE}
    since: Values = {(reason.value, severity.value): finding.since for (reason, severity), finding in found.items()}
    if since:
        yield metrics.OBSERVER_FINDING_SINCE, since
    yield metrics.OBSERVER_PROBES, {(result.value,): facts.probes.get(result, 0) for result in ProbeResult}
    yield from _single(_measure_observer(facts))
    if report.engine is not None:
        yield from _measure_told(report.engine)


def _measure_observer(facts: Facts) -> Iterable[tuple[Instrument, float | None]]:
    report = facts.report
    sample = report.sample
    measured = sample or Sample(at=report.observed_at)
    return (
        (metrics.OBSERVER_TIME, report.observed_at),
        (metrics.OBSERVER_START_TIME, report.observer_started_at),
        (metrics.OBSERVER_INTERVAL, report.interval_seconds),
        (metrics.OBSERVER_SCORE, report.score),
        (metrics.OBSERVER_SAMPLES, facts.samples),
        (metrics.OBSERVER_SAMPLE_TIME, sample.at if sample else None),
        (metrics.OBSERVER_RESPONSE_P95, facts.response_p95_seconds),
        (metrics.OBSERVER_ANSWER_AGE, None if report.last_answer_at is None else max(0.0, report.observed_at - report.last_answer_at)),
        (metrics.OBSERVER_CONFIG_GENERATION, report.generation),
        (metrics.OBSERVER_ENGINE_UP, facts.is_answering),
        (metrics.OBSERVER_ENGINE_PID, report.engine_pid),
        (metrics.OBSERVER_ENGINE_ANSWER_TIME, report.last_answer_at),
        (metrics.OBSERVER_ENGINE_RESTARTS, report.engine_restarts),
        (metrics.OBSERVER_ENGINE_MEMORY, measured.memory_bytes),
        (metrics.OBSERVER_ENGINE_MEMORY_LIMIT, measured.memory_limit_bytes),
        (metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION, _share(measured.memory_percent)),
        (metrics.OBSERVER_ENGINE_CPU_UTILIZATION, _share(measured.cpu_percent)),
        (metrics.OBSERVER_ENGINE_THREADS, facts.threads),
        (metrics.OBSERVER_ENGINE_ERROR_RATIO, _share(measured.error_percent)),
        (metrics.OBSERVER_ENGINE_CACHE_HIT_RATIO, _share(measured.cache_hit_percent)),
    )


def _measure_told(engine: EngineStatus) -> Iterator[tuple[Instrument, Values]]:
    """Yield what the engine said when it last answered."""
    yield metrics.OBSERVER_ENGINE_STATE, {(state.value,): state is engine.state for state in EngineState}
    yield metrics.OBSERVER_ENGINE_INFO, {(_word(engine.activity), _word(engine.memory_mode), _word(engine.currency)): 1.0}
    if engine.revision is not None:
        yield metrics.OBSERVER_ENGINE_REVISION, {(_word(engine.revision),): 1.0}
    dependencies = engine.dependencies[:_MOST_DEPENDENCIES]
    if dependencies:
        yield metrics.OBSERVER_ENGINE_DEPENDENCY_SINCE, {(_word(each.name),): each.since for each in dependencies}
        yield metrics.OBSERVER_ENGINE_DEPENDENCY_UP, {(_word(each.name),): each.up for each in dependencies if each.up is not None}
    known = {use: names for use, names in (("held", engine.symbols), ("busy", engine.busy_symbols)) if names is not None}
    if known:
        yield metrics.OBSERVER_ENGINE_SYMBOLS, {(use,): len(names) for use, names in known.items()}
        yield metrics.OBSERVER_ENGINE_SYMBOL, {(use, _word(name)): 1.0 for use, names in known.items() for name in names[:MOST_SYMBOLS]}
    yield from _single(
        (
            (metrics.OBSERVER_ENGINE_CONFIG_GENERATION, engine.generation),
            (metrics.OBSERVER_ENGINE_CONFIG_REFUSED, bool(engine.document_refusal)),
            (metrics.OBSERVER_ENGINE_CONFIG_REFUSED_GENERATION, engine.refused_generation),
            (metrics.OBSERVER_ENGINE_GRANT, engine.grant),
            (metrics.OBSERVER_ENGINE_START_TIME, engine.started_at),
            (metrics.OBSERVER_ENGINE_HEARTBEAT_TIME, engine.heartbeat_at),
            (metrics.OBSERVER_ENGINE_BARS, engine.bars),
            (metrics.OBSERVER_ENGINE_BARS_THIS_RUN, engine.bars_this_run),
            (metrics.OBSERVER_ENGINE_LAST_BAR_TIME, engine.last_bar_at),
            (metrics.OBSERVER_ENGINE_FEED_DUE, engine.feed_due),
            (metrics.OBSERVER_ENGINE_FILLS, engine.fills),
            (metrics.OBSERVER_ENGINE_EQUITY, engine.equity),
            (metrics.OBSERVER_ENGINE_POSITIONS_OPEN, engine.open_positions),
            (metrics.OBSERVER_ENGINE_ORDERS_OPEN, engine.open_orders),
            (metrics.OBSERVER_ENGINE_ORDERS_UNKNOWN, engine.unknown_orders),
            (metrics.OBSERVER_ENGINE_MEMORY_MODE_LOWERED, bool(engine.memory_mode_reason)),
        )
    )


def _single(values: Iterable[tuple[Instrument, float | None]]) -> Iterator[tuple[Instrument, Values]]:
    """Yield those without labels that have a value."""
    for instrument, value in values:
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


def _word(text: str) -> str:
    """Return the value of a label; no engine of ours says more."""
    return text[:_MOST_CHARACTERS]
