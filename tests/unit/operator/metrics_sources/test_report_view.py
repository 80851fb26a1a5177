from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tradingbot_contract.report import Finding, FindingReason, ObserverReport, Severity
from tradingbot_operator.metrics_sources.report_view import (
    Answers,
    Target,
    add_failure,
    add_report,
    build_view,
    fingerprint,
    is_calm,
    parse_report,
)
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import ReportView

Make = Callable[..., Any]
TARGET = Target(namespace="bots", bot="calm", pod="calm-0", uid="pod-1", ip="10.0.0.7")


def missing(answers: Answers, now: float) -> Reason | None:
    view = build_view(answers, now=now)
    return None if view.report else view.missing


def later(report: ObserverReport, seconds: float) -> ObserverReport:
    return msgspec.structs.replace(report, observed_at=report.observed_at + seconds)


def test_a_fresh_answer_is_believed_and_an_old_one_is_not(make_report: Make) -> None:
    answers = add_report(Answers(since=0.0), make_report(), now=100.0)
    assert missing(answers, 100.0) is None
    assert missing(answers, 115.0) is None
    assert missing(answers, 115.1) is Reason.OBSERVER_UNREACHABLE


def test_one_failure_does_not_take_the_last_answer_away(make_report: Make) -> None:
    answers = add_failure(add_report(Answers(since=0.0), make_report(), now=100.0), "refused", invalid=False)
    assert missing(answers, 110.0) is None
    assert missing(answers, 116.0) is Reason.OBSERVER_UNREACHABLE
    assert "refused" in build_view(answers, now=116.0).detail


def test_an_observer_that_always_says_the_same_is_stuck(make_report: Make) -> None:
    report = make_report()
    answers = add_report(Answers(since=0.0), report, now=100.0)
    answers = add_report(answers, report, now=131.0)
    assert missing(answers, 131.0) is Reason.REPORT_STALE
    assert missing(add_report(answers, later(report, 1.0), now=132.0), 132.0) is None


def test_an_observer_that_started_anew_moves_even_if_its_clock_went_back(make_report: Make) -> None:
    answers = add_report(Answers(since=0.0), make_report(), now=100.0)
    anew = msgspec.structs.replace(later(make_report(), -500.0), observer_started_at=1.0)
    assert missing(add_report(answers, anew, now=140.0), 140.0) is None


def test_an_observer_gets_time_to_start() -> None:
    refused = add_failure(Answers(since=100.0), "refused", invalid=False)
    assert missing(Answers(since=100.0), 100.0) is Reason.NOT_STARTED
    assert missing(refused, 115.0) is Reason.NOT_STARTED
    assert missing(refused, 115.1) is Reason.OBSERVER_UNREACHABLE
    assert missing(add_failure(Answers(since=100.0), "no JSON", invalid=True), 100.0) is Reason.REPORT_INVALID


def test_a_report_of_another_pod_is_refused(make_report: Make) -> None:
    body = msgspec.json.encode(make_report())
    assert parse_report(body, TARGET).bot == "calm"
    for other in ({"uid": "pod-2"}, {"bot": "another"}, {"namespace": "elsewhere"}):
        with pytest.raises(ValueError, match="the report is of bots/calm"):
            parse_report(body, msgspec.structs.replace(TARGET, **other))


@pytest.mark.parametrize("body", [b"", b"garbage", b"{}", b"\xff\xfe", b'{"namespace": 7}', b"[" * 1000, b'{"x": ' + b"[" * 100_000])
def test_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):  # which msgspec's errors are, too
        parse_report(body, TARGET)


@pytest.mark.parametrize(
    "change",
    [
        {"score": 101.0},
        {"score": -1.0},
        {"observed_at": 1e300},
        {"findings": (Finding(FindingReason.CPU_HIGH, Severity.INFO, "", since=1e18),)},
    ],
)
def test_a_figure_that_cannot_be_is_refused(make_report: Make, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="can't be"):
        parse_report(msgspec.json.encode(make_report(**change)), TARGET)


def test_a_count_that_cannot_be_is_refused(make_report: Make) -> None:
    report = make_report()
    broken = msgspec.structs.replace(report, engine=msgspec.structs.replace(report.engine, unknown_orders=-1))
    with pytest.raises(ValueError, match="unknown_orders can't be"):
        parse_report(msgspec.json.encode(broken), TARGET)


def test_a_bot_is_woken_by_what_matters_and_not_by_figures(make_report: Make, make_finding: Make) -> None:
    def mark(report: ObserverReport | None, reason: Reason = Reason.NOT_STARTED) -> tuple[object, ...]:
        return fingerprint(ReportView(report=report, missing=reason))

    report = make_report()
    assert mark(report) == mark(later(msgspec.structs.replace(report, score=50.0, samples=9), 5.0))
    assert mark(report) != mark(make_report(make_finding(FindingReason.FEED_STALE)))
    assert mark(report) != mark(msgspec.structs.replace(report, score=None))
    assert mark(report) != mark(None)
    assert mark(None, Reason.REPORT_STALE) != mark(None, Reason.REPORT_INVALID)
    assert report.engine is not None
    unknown = msgspec.structs.replace(report, engine=msgspec.structs.replace(report.engine, unknown_orders=1))
    assert mark(report) != mark(unknown)


def test_who_is_calm(make_report: Make, make_finding: Make) -> None:
    assert is_calm(ReportView(report=make_report()))
    assert is_calm(ReportView(report=make_report(make_finding(FindingReason.CPU_HIGH, Severity.WARNING))))
    assert not is_calm(ReportView(report=make_report(make_finding(FindingReason.ENGINE_SILENT))))
    assert not is_calm(ReportView(report=make_report(score=None)))
    assert not is_calm(ReportView())
