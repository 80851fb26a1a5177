from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_contract.report import Finding, FindingReason, ObserverReport, Severity
from tradingbot_operator.bot_status import ConditionStatus, EngineExit
from tradingbot_operator.health import assess
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import CRASH_LOOP
from tradingbot_operator.resource import BotHealth
from tradingbot_operator.world import ContainerFacts, PodFacts, ReportView

LIMITS = BotHealth()
Make = Callable[..., Any]


def judged(pod: PodFacts | None, view: ReportView) -> tuple[ConditionStatus, Reason]:
    verdict = assess(pod, view, LIMITS)
    return verdict.status, verdict.reason


def test_an_engine_without_findings_is_healthy(make_pod: Make, make_report: Make) -> None:
    assert judged(make_pod(), ReportView(report=make_report())) == (ConditionStatus.TRUE, Reason.HEALTHY)


@pytest.mark.parametrize("missing", [Reason.NOT_STARTED, Reason.OBSERVER_UNREACHABLE, Reason.REPORT_STALE, Reason.REPORT_INVALID])
def test_without_a_report_nothing_is_known(make_pod: Make, missing: Reason) -> None:
    assert judged(make_pod(), ReportView(missing=missing)) == (ConditionStatus.UNKNOWN, missing)


def test_without_a_pod_nothing_is_known(make_pod: Make, make_report: Make) -> None:
    view = ReportView(report=make_report())
    assert judged(None, view) == (ConditionStatus.UNKNOWN, Reason.NOT_STARTED)
    assert judged(make_pod(terminating=True), view) == (ConditionStatus.UNKNOWN, Reason.NOT_STARTED)


def test_an_engine_that_never_answered_its_observer_is_unknown(make_pod: Make, make_report: Make) -> None:
    view = ReportView(report=make_report(engine=None, score=None, sample=None))
    assert judged(make_pod(), view) == (ConditionStatus.UNKNOWN, Reason.NOT_STARTED)


@pytest.mark.parametrize("reason", FindingReason)
def test_only_critical_findings_make_it_unhealthy(
    make_pod: Make, make_report: Callable[..., ObserverReport], make_finding: Callable[..., Finding], reason: FindingReason
) -> None:
    pod = make_pod()
    critical = ReportView(report=make_report(make_finding(reason, Severity.CRITICAL)))
    warning = ReportView(report=make_report(make_finding(reason, Severity.WARNING)))
    assert judged(pod, critical) == (ConditionStatus.FALSE, Reason(reason.value))
    assert judged(pod, warning) == (ConditionStatus.TRUE, Reason.HEALTHY)
    assert reason.value in assess(pod, warning, LIMITS).message, "a warning is told of, even so"


@pytest.mark.parametrize(("score", "status"), [(70.0, ConditionStatus.TRUE), (69.9, ConditionStatus.FALSE)])
def test_a_low_score_makes_it_unhealthy(make_pod: Make, make_report: Make, score: float, status: ConditionStatus) -> None:
    verdict = assess(make_pod(), ReportView(report=make_report(score=score)), LIMITS)
    assert verdict.status is status


def test_a_crash_loop_needs_no_report(make_pod: Make) -> None:
    died = EngineExit(container_id="c", reason="OOMKilled", exit_code=137)
    pod = make_pod(engine=ContainerFacts(waiting_reason=CRASH_LOOP, restarts=2, exit=died))
    verdict = assess(pod, ReportView(missing=Reason.OBSERVER_UNREACHABLE), LIMITS)
    assert (verdict.status, verdict.reason) == (ConditionStatus.FALSE, Reason.CRASH_LOOPING)
    assert "died 3 times" in verdict.message
    assert "OOMKilled" in verdict.message
