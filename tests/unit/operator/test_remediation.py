"""When the operator recreates a pod, and everything that holds it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_contract.report import FindingReason, Severity
from tradingbot_operator.bot_status import HISTORY_LENGTH, Decision
from tradingbot_operator.health import CRASH_LOOP
from tradingbot_operator.operations import Remediation, RemediationMode
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.decide import (
    RESTART,
    Outcome,
    Situation,
    add_to_history,
    decide,
    remaining_budget,
)
from tradingbot_operator.resource import BotHealth
from tradingbot_operator.schema import schema_of
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import ContainerFacts, ReportView

Make = Callable[..., Any]
CRASHED = ContainerFacts(waiting_reason=CRASH_LOOP, restarts=1)


def restarted(*seconds_ago: float, now: float) -> tuple[Decision, ...]:
    return tuple(Decision(time=format_time(now - seconds), action=RESTART, reason="EngineSilent") for seconds in seconds_ago)


@pytest.fixture
def situation(make_pod: Make, make_report: Make, make_finding: Make, now: float) -> Callable[..., Situation]:
    """Return a function that makes the situation of an engine that has been silent for long enough."""

    def make(**changes: Any) -> Situation:
        silent = ReportView(report=make_report(make_finding(FindingReason.ENGINE_SILENT)))
        fields: dict[str, Any] = {
            "pod": make_pod(),
            "view": silent,
            "limits": BotHealth(),
            "history": (),
            "rolling_out": False,
            "now": now,
        }
        return Situation(**(fields | changes))

    return make


def restarts(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.decision is not None and outcome.decision.action == RESTART


def test_a_silent_engine_is_restarted_and_the_decision_says_why(situation: Callable[..., Situation], now: float) -> None:
    outcome = decide(situation())
    assert outcome is not None
    decision = outcome.decision
    assert decision is not None
    assert (decision.action, decision.reason, decision.pod, decision.pod_uid) == (RESTART, "EngineSilent", "calm-0", "pod-1")
    assert decision.time == format_time(now)
    assert "EngineSilent for 60 s" in decision.inputs


@pytest.mark.parametrize(
    ("reason", "needed"),
    [(FindingReason.ENGINE_SILENT, 10.0), (FindingReason.ENGINE_GONE, 20.0)],
)
def test_the_kubelet_comes_first(
    situation: Callable[..., Situation], make_report: Make, make_finding: Make, reason: FindingReason, needed: float
) -> None:
    for lasts, expected in ((needed - 1.0, False), (needed, True)):
        view = ReportView(report=make_report(make_finding(reason, lasts=lasts)))
        assert restarts(decide(situation(view=view))) is expected


@pytest.mark.parametrize("reason", [reason for reason in FindingReason if reason.value not in {"EngineSilent", "EngineGone"}])
def test_nothing_else_that_an_observer_finds_is_a_cause(
    situation: Callable[..., Situation], make_report: Make, make_finding: Make, reason: FindingReason
) -> None:
    view = ReportView(report=make_report(make_finding(reason, lasts=9999.0)))
    assert decide(situation(view=view)) is None


def test_a_silence_that_is_only_a_warning_is_no_cause(situation: Callable[..., Situation], make_report: Make, make_finding: Make) -> None:
    view = ReportView(report=make_report(make_finding(FindingReason.ENGINE_SILENT, Severity.WARNING)))
    assert decide(situation(view=view)) is None


@pytest.mark.parametrize("missing", [Reason.NOT_STARTED, Reason.OBSERVER_UNREACHABLE, Reason.REPORT_STALE, Reason.REPORT_INVALID])
def test_no_report_is_no_cause(situation: Callable[..., Situation], missing: Reason) -> None:
    assert decide(situation(view=ReportView(missing=missing))) is None


def test_an_engine_that_the_kubelet_lets_wait_is_restarted_at_once(situation: Callable[..., Situation], make_pod: Make) -> None:
    # The kubelet's word is enough: it needs no observer.
    for view in (ReportView(), situation().view):
        outcome = decide(situation(pod=make_pod(engine=CRASHED), view=view))
        assert restarts(outcome)
        assert outcome is not None
        assert outcome.cause.reason is Reason.CRASH_LOOPING


def test_a_refused_document_is_never_a_cause(
    situation: Callable[..., Situation], make_pod: Make, make_report: Make, make_finding: Make
) -> None:
    refused = make_report(make_finding(FindingReason.DOCUMENT_REFUSED), make_finding(FindingReason.ENGINE_SILENT))
    assert not restarts(decide(situation(view=ReportView(report=refused))))
    assert not restarts(decide(situation(view=ReportView(report=refused), pod=make_pod(engine=CRASHED))))


@pytest.mark.parametrize(("seconds", "expected"), [(29.0, False), (30.0, True)])
def test_an_engine_that_has_only_been_started_is_left_alone(
    situation: Callable[..., Situation], make_pod: Make, now: float, seconds: float, expected: bool
) -> None:
    pod = make_pod(engine=ContainerFacts(running_since=now - seconds, started=True))
    assert restarts(decide(situation(pod=pod))) is expected


def test_an_engine_that_has_not_passed_its_startup_probe_is_the_kubelets(
    situation: Callable[..., Situation], make_pod: Make, now: float
) -> None:
    pod = make_pod(engine=ContainerFacts(running_since=now - 1000.0, started=False))
    assert not restarts(decide(situation(pod=pod)))


def test_nothing_is_done_while_the_pod_is_replaced_anyway(situation: Callable[..., Situation], make_pod: Make) -> None:
    assert not restarts(decide(situation(rolling_out=True)))
    assert not restarts(decide(situation(pod=make_pod(terminating=True))))


def test_off_does_nothing_and_dry_run_only_says_so(situation: Callable[..., Situation]) -> None:
    off = decide(situation(limits=BotHealth(remediation=Remediation(mode=RemediationMode.OFF))))
    assert off is not None
    assert off.decision is None
    dry = decide(situation(limits=BotHealth(remediation=Remediation(mode=RemediationMode.DRY_RUN))))
    assert dry is not None
    assert dry.decision is not None
    assert dry.decision.action == "DryRun"


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ((9.0,), False),  # 5 · (1² + 1) = 10 s after the first
        ((10.0,), True),
        ((60.0, 29.0), False),  # 5 · (2² + 2) = 30 s after the second
        ((60.0, 30.0), True),
        ((3000.0, 2000.0, 1000.0), False),  # the budget of 3 in an hour is spent
        ((3601.0, 2000.0, 1000.0), True),  # and the first of them is over
    ],
)
def test_the_pauses_grow_and_the_budget_ends_them(
    situation: Callable[..., Situation], now: float, ago: tuple[float, ...], expected: bool
) -> None:
    assert restarts(decide(situation(history=restarted(*ago, now=now)))) is expected


def test_a_spent_budget_is_told_of_and_looked_at_again_when_it_refills(situation: Callable[..., Situation], now: float) -> None:
    outcome = decide(situation(history=restarted(3000.0, 2000.0, 1000.0, now=now)))
    assert outcome is not None
    assert outcome.hold is not None
    assert outcome.hold.reason is Reason.BUDGET_SPENT
    assert outcome.hold.seconds == 600.0


def test_the_budget_counts_what_is_left(now: float) -> None:
    rules = Remediation(max_actions=3, per_seconds=3600)
    assert remaining_budget((), rules, now).remaining == 3
    assert remaining_budget(restarted(5000.0, 10.0, now=now), rules, now).remaining == 2
    assert remaining_budget(restarted(4.0, 3.0, 2.0, 1.0, now=now), rules, now).remaining == 0


def test_the_history_keeps_the_last_ten() -> None:
    history: tuple[Decision, ...] = ()
    for number in range(15):
        history = add_to_history(history, Decision(time="", action=str(number), reason=""))
    assert [decision.action for decision in history] == [str(number) for number in range(5, 15)]


def test_a_budget_never_counts_more_than_the_history_holds() -> None:
    # A longer budget than the history would let restarts be forgotten.
    bounds = schema_of(Remediation)["properties"]["maxActions"]
    assert bounds["maximum"] <= HISTORY_LENGTH
