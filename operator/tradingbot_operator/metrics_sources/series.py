"""Makes reports of the series that a Prometheus has of all observers.

The series of one observer are those with the same labels of its target, whatever these are; who it is stands in its `info` series, with the
pod's uid, so that a pod that has another's name or address is never taken for it. Facts without which a report would say something else
(its time, its findings) must be there, or there is no report. Texts are not in Prometheus; what rests on them has a short one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tradingbot_contract import metrics
from tradingbot_contract.metrics import Instrument, prometheus_label, prometheus_name
from tradingbot_contract.report import Dependency, EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Severity
from tradingbot_contract.report import Sample as ObserverSample
from tradingbot_operator.metrics_sources.report_view import implausible

READ: Final = (
    metrics.OBSERVER_INFO,
    metrics.OBSERVER_TIME,
    metrics.OBSERVER_START_TIME,
    metrics.OBSERVER_INTERVAL,
    metrics.OBSERVER_CONFIG_GENERATION,
    metrics.OBSERVER_SCORE,
    metrics.OBSERVER_FINDINGS,
    metrics.OBSERVER_FINDING_SINCE,
    metrics.OBSERVER_RESPONSE_P95,
    metrics.OBSERVER_SAMPLE_TIME,
    metrics.OBSERVER_ENGINE_PID,
    metrics.OBSERVER_ENGINE_RESTARTS,
    metrics.OBSERVER_ENGINE_ANSWER_TIME,
    metrics.OBSERVER_ENGINE_CPU_UTILIZATION,
    metrics.OBSERVER_ENGINE_MEMORY,
    metrics.OBSERVER_ENGINE_MEMORY_LIMIT,
    metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION,
    metrics.OBSERVER_ENGINE_ERROR_RATIO,
    metrics.OBSERVER_ENGINE_CACHE_HIT_RATIO,
    metrics.OBSERVER_ENGINE_STATE,
    metrics.OBSERVER_ENGINE_INFO,
    metrics.OBSERVER_ENGINE_REVISION,
    metrics.OBSERVER_ENGINE_GRANT,
    metrics.OBSERVER_ENGINE_CONFIG_GENERATION,
    metrics.OBSERVER_ENGINE_CONFIG_REFUSED,
    metrics.OBSERVER_ENGINE_CONFIG_REFUSED_GENERATION,
    metrics.OBSERVER_ENGINE_START_TIME,
    metrics.OBSERVER_ENGINE_HEARTBEAT_TIME,
    metrics.OBSERVER_ENGINE_LAST_BAR_TIME,
    metrics.OBSERVER_ENGINE_FEED_DUE,
    metrics.OBSERVER_ENGINE_BARS,
    metrics.OBSERVER_ENGINE_BARS_THIS_RUN,
    metrics.OBSERVER_ENGINE_FILLS,
    metrics.OBSERVER_ENGINE_EQUITY,
    metrics.OBSERVER_ENGINE_POSITIONS_OPEN,
    metrics.OBSERVER_ENGINE_ORDERS_OPEN,
    metrics.OBSERVER_ENGINE_ORDERS_UNKNOWN,
    metrics.OBSERVER_ENGINE_SYMBOLS,
    metrics.OBSERVER_ENGINE_SYMBOL,
    metrics.OBSERVER_ENGINE_DEPENDENCY_UP,
    metrics.OBSERVER_ENGINE_DEPENDENCY_SINCE,
    metrics.OBSERVER_ENGINE_MEMORY_MODE_LOWERED,
)
_LABELS: Final = {prometheus_name(each): tuple(prometheus_label(attribute) for attribute in each.attributes) for each in READ}
_NAME: Final = "__name__"

AGES_QUERY: Final = f"time() - timestamp({prometheus_name(metrics.OBSERVER_INFO)})"
FACTS_QUERY: Final = f'{{__name__=~"{"|".join(_LABELS)}"}}'


class Sample(Struct, frozen=True):
    """One element of an answer: a series, and its value at the moment of the query."""

    labels: dict[str, str]
    at: float
    value: float


class _Element(Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(Struct, frozen=True, rename="camel"):
    result_type: str
    result: list[_Element]


class QueryAnswer(Struct, frozen=True):
    """What Prometheus answers to an instant query that it could carry out."""

    data: _Data
    status: str
    warnings: list[str] = []

    def samples(self) -> tuple[Sample, ...]:
        """Return its elements.

        Raises:
            ValueError: it is of another kind, or a value is no number.
        """
        if self.status != "success" or self.data.result_type != "vector":
            raise ValueError(f"the answer is a {self.status} of type {self.data.result_type}")
        return tuple(Sample(element.metric, element.value[0], float(element.value[1])) for element in self.data.result)


Target = frozenset[tuple[str, str]]
"""Labels that all series of one observer have in common."""
_Values = Mapping[tuple[str, ...], float]


class Identity(Struct, frozen=True):
    """Whose observer it is."""

    namespace: str
    bot: str
    shard: int
    pod_uid: str


class Reading(Struct, frozen=True):
    """What one observer said when it was last scraped."""

    report: ObserverReport
    age_seconds: float
    """How old that was at the moment of the query."""


class Round(Struct, frozen=True):
    """What one round of queries gave, by the uid of the pod."""

    readings: dict[str, Reading]
    broken: dict[str, str]
    """What can't be understood, and why."""


def read_round(ages: Sequence[Sample], facts: Sequence[Sample]) -> Round:
    """Return the reports that two answers about the same moment hold.

    Args:
        ages: of every observer's info, from :data:`AGES_QUERY`.
        facts: from :data:`FACTS_QUERY`.
    """
    series: defaultdict[Target, dict[str, dict[tuple[str, ...], float]]] = defaultdict(lambda: defaultdict(dict))
    for sample in facts:
        name = sample.labels.get(_NAME, "")
        own = _LABELS.get(name)
        if own is not None and math.isfinite(sample.value):  # what is none, or has no end, is not known
            series[_target(sample.labels, own)][name][tuple(sample.labels.get(label, "") for label in own)] = sample.value
    readings: dict[str, Reading] = {}
    broken: dict[str, str] = {}
    info_labels = _LABELS[prometheus_name(metrics.OBSERVER_INFO)]
    for sample in ages:
        uid = sample.labels.get(info_labels[3], "")
        values = _Series(series.get(_target(sample.labels, info_labels), {}))
        earlier = readings.get(uid)
        if earlier is not None and earlier.age_seconds <= sample.value:
            continue  # it was scraped twice, or was another target before; the younger word counts
        try:
            readings[uid] = Reading(_build_report(values, _read_identity(sample.labels, info_labels)), sample.value)
        except ValueError as error:
            broken[uid] = str(error)
    return Round(readings, {uid: why for uid, why in broken.items() if uid not in readings})


class _Series:
    """The series of one observer, by instrument."""

    def __init__(self, series: Mapping[str, _Values]) -> None:
        self._series = series

    def values(self, instrument: Instrument) -> _Values:
        return self._series.get(prometheus_name(instrument), {})

    def number(self, instrument: Instrument) -> float | None:
        return self.values(instrument).get(())

    def count(self, instrument: Instrument) -> int | None:
        number = self.number(instrument)
        return None if number is None else int(number)

    def needed(self, instrument: Instrument) -> float:
        """Return a value without which there is no report.

        Raises:
            ValueError: it is not there.
        """
        number = self.number(instrument)
        if number is None:
            raise ValueError(f"Prometheus has no {prometheus_name(instrument)} of it")
        return number

    def needed_count(self, instrument: Instrument) -> int:
        return int(self.needed(instrument))

    def percent(self, instrument: Instrument) -> float | None:
        number = self.number(instrument)
        return None if number is None else number * 100.0

    def only(self, instrument: Instrument) -> tuple[str, ...] | None:
        """Return the labels of the one series that is not 0."""
        return next((labels for labels, value in self.values(instrument).items() if value), None)


def _target(labels: Mapping[str, str], own: tuple[str, ...]) -> Target:
    return frozenset((name, value) for name, value in labels.items() if name not in own and name != _NAME)


def _read_identity(labels: Mapping[str, str], names: tuple[str, ...]) -> Identity:
    namespace, bot, shard, pod_uid = (labels.get(name, "") for name in names)
    return Identity(namespace, bot, int(shard), pod_uid)


def _build_report(series: _Series, identity: Identity) -> ObserverReport:
    report = ObserverReport(
        namespace=identity.namespace,
        bot=identity.bot,
        shard=identity.shard,
        pod_uid=identity.pod_uid,
        observed_at=series.needed(metrics.OBSERVER_TIME),
        generation=series.count(metrics.OBSERVER_CONFIG_GENERATION),
        observer_started_at=series.needed(metrics.OBSERVER_START_TIME),
        interval_seconds=series.needed(metrics.OBSERVER_INTERVAL),
        engine_pid=series.count(metrics.OBSERVER_ENGINE_PID),
        engine_restarts=series.needed_count(metrics.OBSERVER_ENGINE_RESTARTS),
        last_answer_at=series.number(metrics.OBSERVER_ENGINE_ANSWER_TIME),
        score=series.number(metrics.OBSERVER_SCORE),
        findings=_read_findings(series),
        sample=_read_sample(series),
        engine=_read_engine(series),
    )
    wrong = implausible(report)
    if wrong:
        raise ValueError(f"the report's {wrong} can't be")
    return report


def _read_findings(series: _Series) -> tuple[Finding, ...]:
    """Return what is wrong; that nothing is must have been said, too."""
    possible, since = series.values(metrics.OBSERVER_FINDINGS), series.values(metrics.OBSERVER_FINDING_SINCE)
    if not possible:
        raise ValueError(f"Prometheus has no {prometheus_name(metrics.OBSERVER_FINDINGS)} of it")
    found = []
    for labels, value in possible.items():
        if not value:
            continue
        if labels not in since:
            raise ValueError(f"Prometheus does not know since when {labels[0]} is so")
        # A word that this release does not know is an error of its own: ValueError.
        found.append(Finding(FindingReason(labels[0]), Severity(labels[1]), f"{labels[0]}, says Prometheus", since[labels]))
    severities = list(Severity)
    return tuple(sorted(found, key=lambda finding: (severities.index(finding.severity), finding.reason.value)))


def _read_sample(series: _Series) -> ObserverSample | None:
    at = series.number(metrics.OBSERVER_SAMPLE_TIME)
    if at is None:
        return None
    return ObserverSample(
        at=at,
        cpu_percent=series.percent(metrics.OBSERVER_ENGINE_CPU_UTILIZATION),
        memory_bytes=series.count(metrics.OBSERVER_ENGINE_MEMORY),
        memory_limit_bytes=series.count(metrics.OBSERVER_ENGINE_MEMORY_LIMIT),
        memory_percent=series.percent(metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION),
        error_percent=series.percent(metrics.OBSERVER_ENGINE_ERROR_RATIO),
        response_p95_seconds=series.number(metrics.OBSERVER_RESPONSE_P95),
        cache_hit_percent=series.percent(metrics.OBSERVER_ENGINE_CACHE_HIT_RATIO),
        score=series.number(metrics.OBSERVER_SCORE),
    )


def _read_engine(series: _Series) -> EngineStatus | None:
    state = series.only(metrics.OBSERVER_ENGINE_STATE)
    if state is None:
        return None
    activity, memory_mode, currency = series.only(metrics.OBSERVER_ENGINE_INFO) or ("", "", "")
    revision = series.only(metrics.OBSERVER_ENGINE_REVISION)
    lowered = bool(series.number(metrics.OBSERVER_ENGINE_MEMORY_MODE_LOWERED))
    refuses = bool(series.needed(metrics.OBSERVER_ENGINE_CONFIG_REFUSED))
    return EngineStatus(
        state=EngineState(state[0]),
        generation=series.needed_count(metrics.OBSERVER_ENGINE_CONFIG_GENERATION),
        started_at=series.needed(metrics.OBSERVER_ENGINE_START_TIME),
        heartbeat_at=series.needed(metrics.OBSERVER_ENGINE_HEARTBEAT_TIME),
        bars=series.needed_count(metrics.OBSERVER_ENGINE_BARS),
        bars_this_run=series.count(metrics.OBSERVER_ENGINE_BARS_THIS_RUN) or 0,
        last_bar_at=series.number(metrics.OBSERVER_ENGINE_LAST_BAR_TIME),
        feed_due=bool(series.number(metrics.OBSERVER_ENGINE_FEED_DUE)),
        equity=series.number(metrics.OBSERVER_ENGINE_EQUITY),
        currency=currency,
        # What a roll-out or a hand-over waits for: it must have been said that there is none.
        open_positions=series.needed_count(metrics.OBSERVER_ENGINE_POSITIONS_OPEN),
        open_orders=series.needed_count(metrics.OBSERVER_ENGINE_ORDERS_OPEN),
        unknown_orders=series.needed_count(metrics.OBSERVER_ENGINE_ORDERS_UNKNOWN),
        fills=series.needed_count(metrics.OBSERVER_ENGINE_FILLS),
        message="its log says why" if EngineState(state[0]) is EngineState.REFUSED else "",
        document_refusal="its log says why" if refuses else "",
        refused_generation=series.count(metrics.OBSERVER_ENGINE_CONFIG_REFUSED_GENERATION),
        dependencies=_read_dependencies(series),
        memory_mode=memory_mode,
        memory_mode_reason="its log says why" if lowered else "",
        revision=revision[0] if revision else None,
        grant=series.count(metrics.OBSERVER_ENGINE_GRANT),
        symbols=_read_symbols(series, "held"),
        busy_symbols=_read_symbols(series, "busy"),
        activity=activity,
    )


def _read_dependencies(series: _Series) -> tuple[Dependency, ...]:
    up = series.values(metrics.OBSERVER_ENGINE_DEPENDENCY_UP)
    return tuple(
        Dependency(name=labels[0], up=bool(up[labels]) if labels in up else None, since=since)
        for labels, since in sorted(series.values(metrics.OBSERVER_ENGINE_DEPENDENCY_SINCE).items())
    )


def _read_symbols(series: _Series, use: str) -> tuple[str, ...] | None:
    """Return the symbols of a use; None when it is not known, or when not all of them are there."""
    count = series.values(metrics.OBSERVER_ENGINE_SYMBOLS).get((use,))
    names = _names(series.values(metrics.OBSERVER_ENGINE_SYMBOL), use)
    return names if count is not None and len(names) == int(count) else None


def _names(values: Iterable[tuple[str, ...]], use: str) -> tuple[str, ...]:
    return tuple(sorted(labels[1] for labels in values if labels[0] == use))
