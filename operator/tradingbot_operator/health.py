"""Is the engine healthy? True, False, or Unknown, with one reason.

Facts of the kubelet come first, because they need no observer; then the observer's findings. Without a fresh report the answer is
Unknown, and nothing follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Finding, Severity
from tradingbot_operator.bot_status import ConditionStatus
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import describe_crash, kubelet_waits
from tradingbot_operator.resource import BotHealth
from tradingbot_operator.world import PodFacts, ReportView


class Verdict(Struct, frozen=True):
    """The answer, and what it rests on."""

    status: ConditionStatus
    reason: Reason
    message: str
    findings: tuple[Finding, ...] = ()


Check = Callable[[PodFacts, ReportView, BotHealth], Verdict | None]


def crash_looping(pod: PodFacts, view: ReportView, _: BotHealth) -> Verdict | None:
    """The kubelet knows it, so no report is needed."""
    if not kubelet_waits(pod.engine):
        return None
    findings = view.report.findings if view.report else ()
    return Verdict(ConditionStatus.FALSE, Reason.CRASH_LOOPING, describe_crash(pod.name, pod.engine), findings)


def report_missing(_: PodFacts, view: ReportView, __: BotHealth) -> Verdict | None:
    return None if view.report else Verdict(ConditionStatus.UNKNOWN, view.missing, view.detail or view.missing.value)


def critically_ill(_: PodFacts, view: ReportView, __: BotHealth) -> Verdict | None:
    findings = view.report.findings if view.report else ()
    worst = next((finding for finding in findings if finding.severity is Severity.CRITICAL), None)
    return Verdict(ConditionStatus.FALSE, Reason(worst.reason.value), worst.message, findings) if worst else None


def score_low(_: PodFacts, view: ReportView, limits: BotHealth) -> Verdict | None:
    report = view.report
    if report is None or report.score is None or report.score >= limits.score.unhealthy:
        return None
    message = f"score is {report.score:.0f} (limit {limits.score.unhealthy:g})"
    return Verdict(ConditionStatus.FALSE, Reason.SCORE_LOW, message, report.findings)


def engine_unheard(_: PodFacts, view: ReportView, __: BotHealth) -> Verdict | None:
    if view.report is None or view.report.engine is not None:
        return None
    return Verdict(ConditionStatus.UNKNOWN, Reason.NOT_STARTED, "the engine has not answered its observer yet")


CHECKS: Final[tuple[Check, ...]] = (crash_looping, report_missing, critically_ill, score_low, engine_unheard)


def assess(pod: PodFacts | None, view: ReportView, limits: BotHealth) -> Verdict:
    """Return whether the engine of a pod is healthy."""
    if pod is None or pod.terminating:
        return Verdict(ConditionStatus.UNKNOWN, Reason.NOT_STARTED, "there is no running pod to look at")
    found = next((verdict for check in CHECKS if (verdict := check(pod, view, limits))), None)
    if found is not None:
        return found
    findings = view.report.findings if view.report else ()
    warnings = "; ".join(finding.message for finding in findings)
    return Verdict(ConditionStatus.TRUE, Reason.HEALTHY, warnings or "the observer finds nothing wrong", findings)
