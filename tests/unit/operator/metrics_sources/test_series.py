"""Series as Prometheus has them, made by the observer's own exposition: what is read of them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tradingbot_contract.report import FindingReason, ObserverReport
from tradingbot_observer.sinks.prometheus import Exposition, Facts
from tradingbot_operator.metrics_sources.fleet_view import Known, build_known_view, take_failure, take_round
from tradingbot_operator.metrics_sources.series import QueryAnswer, Round, Sample, read_round
from tradingbot_operator.reasons import Reason

Make = Callable[..., Any]
INFO = "tradingbot_observer_info"


def scraped(report: ObserverReport, **target: str) -> list[Sample]:
    """Return what Prometheus answers about one observer, whose target has labels."""
    facts = Facts(report=report, samples=1, probes={}, is_answering=True, response_p95_seconds=None, threads=None)
    page = Exposition(lambda: facts).render().decode()
    return [
        Sample({"__name__": sample.name} | sample.labels | target, 1000.0, sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    ]


def ages(facts: list[Sample], age_seconds: float = 1.0) -> list[Sample]:
    """Return the answer to the question how old it is: time() takes the name away."""
    return [
        Sample({name: value for name, value in sample.labels.items() if name != "__name__"}, 1000.0, age_seconds)
        for sample in facts
        if sample.labels["__name__"] == INFO
    ]


def read(facts: list[Sample], age_seconds: float = 1.0) -> Round:
    return read_round(ages(facts, age_seconds), facts)


@pytest.fixture
def facts(make_report: Make, make_finding: Make) -> list[Sample]:
    return scraped(make_report(make_finding(FindingReason.FEED_STALE)), job="observers", instance="10.0.0.7:8081")


def without(facts: list[Sample], *names: str) -> list[Sample]:
    return [sample for sample in facts if sample.labels["__name__"].removeprefix("tradingbot_observer_") not in names]


def test_a_report_is_made_of_its_series(make_report: Make, facts: list[Sample]) -> None:
    report = read(facts).readings["pod-1"].report
    expected = make_report()
    assert (report.namespace, report.bot, report.pod_uid, report.observed_at) == ("bots", "calm", "pod-1", expected.observed_at)
    assert [(finding.reason, finding.since) for finding in report.findings] == [(FindingReason.FEED_STALE, expected.observed_at - 60.0)]
    assert report.engine is not None
    assert (report.engine.state, report.engine.symbols) == (expected.engine.state, expected.engine.symbols)


def test_observers_are_told_apart_by_the_labels_of_their_targets(make_report: Make) -> None:
    both = [
        *scraped(make_report(score=10.0), job="observers", instance="a", zone="x"),
        *scraped(make_report(bot="lucky", pod_uid="pod-2", score=90.0), job="observers", instance="b", zone="x"),
    ]
    assert {uid: reading.report.score for uid, reading in read(both).readings.items()} == {"pod-1": 10.0, "pod-2": 90.0}


def test_of_two_accounts_of_one_pod_the_younger_counts(make_report: Make) -> None:
    old, new = scraped(make_report(score=10.0), replica="a"), scraped(make_report(score=90.0), replica="b")
    for order in ([*ages(old, 50.0), *ages(new, 2.0)], [*ages(new, 2.0), *ages(old, 50.0)]):
        assert read_round(order, [*old, *new]).readings["pod-1"].report.score == 90.0


@pytest.mark.parametrize(
    "name",
    [
        "time_seconds",
        "start_time_seconds",
        "interval_seconds",
        "findings",
        "finding_since_seconds",
        "engine_restarts_total",
        "engine_config_generation",
        "engine_config_refused",
        "engine_positions_open",
        "engine_orders_open",
        "engine_orders_unknown",
    ],
)
def test_without_a_fact_that_decisions_rest_on_there_is_no_report(facts: list[Sample], name: str) -> None:
    found = read(without(facts, name))
    assert not found.readings
    assert "Prometheus" in found.broken["pod-1"]


@pytest.mark.parametrize(
    ("name", "field"),
    [("score", "score"), ("engine_state", "engine"), ("sample_time_seconds", "sample"), ("engine_answer_time_seconds", "last_answer_at")],
)
def test_what_may_be_missing_is_not_known(facts: list[Sample], name: str, field: str) -> None:
    assert getattr(read(without(facts, name)).readings["pod-1"].report, field) is None


def test_symbols_that_are_not_all_there_are_not_known(make_report: Make) -> None:
    facts = scraped(make_report())
    names = [sample for sample in facts if sample.labels["__name__"] == "tradingbot_observer_engine_symbol"]
    assert names
    engine = read([sample for sample in facts if sample is not names[0]]).readings["pod-1"].report.engine
    assert engine is not None
    assert engine.symbols is None


@pytest.mark.parametrize("value", [float("nan"), 1e300, -5.0])
def test_a_figure_that_cannot_be_is_refused(facts: list[Sample], value: float) -> None:
    name = "tradingbot_observer_time_seconds"
    changed = [msgspec.structs.replace(sample, value=value) if sample.labels["__name__"] == name else sample for sample in facts]
    assert "pod-1" in read(changed).broken


def test_a_word_that_is_not_known_is_refused(facts: list[Sample]) -> None:
    def unknown(sample: Sample) -> Sample:
        return msgspec.structs.replace(sample, labels=sample.labels | {"reason": "BadMood"})

    changed = [unknown(sample) if sample.labels.get("reason") == "FeedStale" else sample for sample in facts]
    assert "BadMood" in read(changed).broken["pod-1"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"status":"error","data":{"resultType":"vector","result":[]}}', "error"),
        (b'{"status":"success","data":{"resultType":"matrix","result":[]}}', "matrix"),
        (b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}', "could not convert"),
    ],
)
def test_an_answer_of_another_kind_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        msgspec.json.decode(body, type=QueryAnswer).samples()


def missing(known: Known, now: float) -> Reason | None:
    view = build_known_view(known, "pod-1", now=now, max_age_seconds=60.0)
    return None if view.report else view.missing


def test_a_report_is_as_old_as_prometheus_says(facts: list[Sample]) -> None:
    known = take_round(Known(), read(facts, 50.0), now=1000.0)
    assert missing(known, 1010.0) is None
    assert missing(known, 1010.1) is Reason.OBSERVER_UNREACHABLE
    assert missing(take_round(Known(), read(facts, 70.0), now=1000.0), 1000.0) is Reason.OBSERVER_UNREACHABLE
    gone = take_round(known, Round({}, {}), now=1005.0)
    assert missing(gone, 1005.0) is None, "one scrape that failed takes nothing away"
    assert missing(gone, 1010.1) is Reason.OBSERVER_UNREACHABLE


def test_a_prometheus_that_fails_is_the_reason_only_when_its_last_word_is_too_old(facts: list[Sample]) -> None:
    assert missing(Known(), 0.0) is Reason.NOT_STARTED
    assert missing(take_failure(Known(), "refused"), 0.0) is Reason.PROMETHEUS_UNREACHABLE
    failed = take_failure(take_round(Known(), read(facts), now=1000.0), "refused")
    assert missing(failed, 1059.0) is None
    assert missing(failed, 1059.1) is Reason.PROMETHEUS_UNREACHABLE
    assert missing(take_round(failed, Round({}, {}), now=1060.0), 1060.0) is Reason.OBSERVER_UNREACHABLE


def test_an_observer_that_says_the_same_although_it_is_scraped_is_stuck(facts: list[Sample], make_report: Make) -> None:
    known = take_round(Known(), read(facts), now=1000.0)
    stuck = take_round(known, read(facts), now=1091.0)
    assert missing(stuck, 1091.0) is Reason.REPORT_STALE
    moved = scraped(make_report(observed_at=make_report().observed_at + 1.0))
    assert missing(take_round(stuck, read(moved), now=1092.0), 1092.0) is None


def test_a_report_that_cannot_be_understood_is_invalid_and_another_pod_is_not_it(facts: list[Sample]) -> None:
    known = take_round(Known(), read(without(facts, "findings")), now=1000.0)
    assert missing(known, 1000.0) is Reason.REPORT_INVALID
    other = build_known_view(take_round(Known(), read(facts), now=1000.0), "pod-2", now=1000.0, max_age_seconds=60.0)
    assert (other.report, other.missing) == (None, Reason.NOT_STARTED)
