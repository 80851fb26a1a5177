"""Should a sick engine's pod be recreated now?

The kubelet comes first: its liveness probe restarts an engine whose loop has stopped. The operator steps in where that does not help:
when the engine is silent or gone for longer than the kubelet needs, or when the kubelet waits ever longer before it starts it again
(a new pod starts at once). Every reason to hold back is a function in one tuple. What counts is in the history that stands in the
resource's status, so a new operator holds back like its predecessor.

Missing, old or unreadable reports are no cause, nor is a refused document, a database that is gone, or stale prices: a restart would
help none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import FindingReason, Severity
from tradingbot_operator.bot_status import HISTORY_LENGTH, Budget, Decision
from tradingbot_operator.health import CRASH_LOOP, crash_message
from tradingbot_operator.operations import Remediation, RemediationMode
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import BotHealth
from tradingbot_operator.timestamp import format_time, parse_time
from tradingbot_operator.world import PodFacts, ReportView

PATIENCE_SECONDS: Final = 10.0
"""How much longer than `silentAfterSeconds` the operator waits for the kubelet to restart the engine."""
STABILISATION_SECONDS: Final = 30.0
"""How long an engine is left alone after its container started."""
BACKOFF_UNIT_SECONDS: Final = 5.0
GRACE_SECONDS: Final = 1
"""Time that the pod gets to end: its engine is dead, or does not answer."""

RESTART: Final = "RestartPod"


class Cause(Struct, frozen=True):
    """Why the pod should be recreated."""

    reason: Reason
    message: str


class Situation(Struct, frozen=True, kw_only=True):
    """What is looked at for one pod."""

    pod: PodFacts
    view: ReportView
    limits: BotHealth
    history: tuple[Decision, ...]
    rolling_out: bool
    now: float

    @property
    def rules(self) -> Remediation:
        return self.limits.remediation

    @property
    def recent(self) -> tuple[float, ...]:
        """Times of the decisions that count against the budget."""
        times = (parse_time(decision.time) for decision in self.history)
        return tuple(time for time in times if time > self.now - self.rules.per_seconds)


class Hold(Struct, frozen=True):
    """Why nothing is done although there is a cause."""

    message: str
    seconds: float | None
    """When to look again; None: only when something changes."""
    reason: Reason | None = None
    """Set where people should hear of it."""


class Outcome(Struct, frozen=True):
    """What is to be done."""

    cause: Cause
    hold: Hold | None
    decision: Decision | None
    """What goes into the history; None while it is held back."""


def crash_looping(now: Situation) -> Cause | None:
    """The kubelet waits before it starts the engine again."""
    if now.pod.engine.waiting_reason != CRASH_LOOP:
        return None
    return Cause(Reason.CRASH_LOOPING, crash_message(now.pod))


def engine_unresponsive(now: Situation) -> Cause | None:
    """The observer finds the engine silent or gone."""
    report = now.view.report
    for finding in report.findings if report else ():
        if finding.severity is Severity.CRITICAL and finding.reason in {FindingReason.ENGINE_SILENT, FindingReason.ENGINE_GONE}:
            return Cause(Reason(finding.reason.value), finding.message)
    return None


CAUSES: Final[tuple[Callable[[Situation], Cause | None], ...]] = (crash_looping, engine_unresponsive)


def mode_is_off(now: Situation, _: Cause) -> Hold | None:
    """Hold what the user has switched off."""
    return Hold("spec.health.remediation.mode is Off", None) if now.rules.mode is RemediationMode.OFF else None


def rolls_out(now: Situation, _: Cause) -> Hold | None:
    """Hold while the pod is being replaced anyway."""
    return Hold("a roll-out replaces the pod", None) if now.rolling_out or now.pod.terminating else None


def document_refused(now: Situation, _: Cause) -> Hold | None:
    """Hold what a restart would not help."""
    report = now.view.report
    refused = report is not None and any(
        finding.reason is FindingReason.DOCUMENT_REFUSED and finding.severity is Severity.CRITICAL for finding in report.findings
    )
    return Hold("the engine refuses its document", None) if refused else None


def stabilises(now: Situation, _: Cause) -> Hold | None:
    """Hold while the engine may still be coming up: until its startup probe has passed that is the kubelet's to judge."""
    since = now.pod.engine.running_since
    if since is not None and not now.pod.engine.started:
        return Hold("the engine is starting", None)
    return _until("the engine has only been started", since + STABILISATION_SECONDS, now.now) if since is not None else None


def kubelet_is_first(now: Situation, cause: Cause) -> Hold | None:
    """Hold until the kubelet has had its time; both times are the observer's, so clocks need not agree."""
    report = now.view.report
    if cause.reason is Reason.CRASH_LOOPING or report is None:
        return None
    lasted = max(
        (report.observed_at - finding.since for finding in report.findings if finding.reason.value == cause.reason.value), default=0.0
    )
    # EngineSilent is only found once `silentAfterSeconds` have passed, EngineGone at once.
    needed = PATIENCE_SECONDS + (now.limits.silent_after_seconds if cause.reason is Reason.ENGINE_GONE else 0.0)
    return _until("the kubelet comes first", now.now + needed - lasted, now.now)


def budget_is_spent(now: Situation, _: Cause) -> Hold | None:
    """Hold when the period has had its restarts."""
    recent = sorted(now.recent)
    if len(recent) < now.rules.max_actions:
        return None
    message = f"{len(recent)} restarts within {now.rules.per_seconds} s, which is all that spec.health.remediation allows"
    freed_at = recent[len(recent) - now.rules.max_actions] + now.rules.per_seconds
    return Hold(message, max(1.0, freed_at - now.now), Reason.BUDGET_SPENT)


def backs_off(now: Situation, _: Cause) -> Hold | None:
    """Hold for n² + n units after the n-th restart."""
    count = len(now.recent)
    if not count:
        return None
    return _until(f"after {count} restarts", max(now.recent) + BACKOFF_UNIT_SECONDS * (count * count + count), now.now)


HOLDS: Final[tuple[Callable[[Situation, Cause], Hold | None], ...]] = (
    mode_is_off,
    rolls_out,
    document_refused,
    stabilises,
    kubelet_is_first,
    budget_is_spent,
    backs_off,
)


def decide(now: Situation) -> Outcome | None:
    """Return what is to be done about a pod, or None when there is no cause to do anything."""
    cause = next((found for check in CAUSES if (found := check(now))), None)
    if cause is None:
        return None
    hold = next((held for check in HOLDS if (held := check(now, cause))), None)
    return Outcome(cause, hold, None if hold else _decision(now, cause))


def add_to_history(history: tuple[Decision, ...], decision: Decision) -> tuple[Decision, ...]:
    return (*history, decision)[-HISTORY_LENGTH:]


def remaining_budget(history: tuple[Decision, ...], rules: Remediation, now: float) -> Budget:
    """Return what the rules still allow."""
    recent = sum(parse_time(decision.time) > now - rules.per_seconds for decision in history)
    return Budget(max_actions=rules.max_actions, per_seconds=rules.per_seconds, remaining=max(0, rules.max_actions - recent))


def _decision(now: Situation, cause: Cause) -> Decision:
    action = Reason.DRY_RUN.value if now.rules.mode is RemediationMode.DRY_RUN else RESTART
    engine = now.pod.engine
    inputs = f"{cause.message} (engine: {engine.waiting_reason or 'running'}, {engine.restarts} restarts in this pod)"
    return Decision(
        time=format_time(now.now), action=action, reason=cause.reason.value, pod=now.pod.name, pod_uid=now.pod.uid, inputs=inputs[:1024]
    )


def _until(message: str, moment: float, now: float) -> Hold | None:
    return Hold(message, moment - now) if moment > now else None
