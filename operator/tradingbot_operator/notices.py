"""Which Events a change is worth. An Event tells what happened; what is so stands in the status.

There is one for a condition that turns, for each death of an engine, for each step of remediation and what became of it, for each pod
that is replaced, and for each thing that was put back. Steps on the way (a pod that is being made) are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tradingbot_operator.actions import Action, ApplyChild, DeleteChild, Notice, RestartPod
from tradingbot_operator.bot_status import Condition, ConditionStatus, Decision, TradingBotStatus
from tradingbot_operator.names import RESTART_REQUEST
from tradingbot_operator.publication import plain
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Outcome, Remedy, Step

ON_THE_WAY: Final = frozenset(
    {
        Reason.ENGINE_STARTING,
        Reason.POD_MISSING,
        Reason.POD_PENDING,
        Reason.POD_TERMINATING,
        Reason.ROLLING_OUT,
        Reason.NOT_STARTED,
        Reason.UP_TO_DATE,
        Reason.ACCEPTED,
        Reason.POD_NOT_READY,
        Reason.WAITING_FOR_ENGINE,
        Reason.WAITING_FOR_RELEASE,
        Reason.TUNING_APPLIED,
        Reason.PAUSED,
    }
)
"""Reasons that are no news by themselves."""

ASKED_FOR: Final = frozenset({Reason.STOPPED, Reason.RECONCILE_PAUSED, Reason.DELETING, Reason.WAITING_FOR_POSITIONS})
"""Reasons that are news and no warning: somebody wants it so."""

_STEPS: Final = {
    Step.SHRINK_CACHES.value: "shrinks the caches of",
    Step.GROW_MEMORY.value: "raises the memory limit of",
    Step.LOWER_MEMORY_MODE.value: "lowers the memory mode of",
    Step.RESTART_POD.value: "recreates pod",
    Step.RECREATE_ELSEWHERE.value: "recreates, on another node if it can, pod",
    Step.QUARANTINE.value: "puts in quarantine",
}
_RESULTS: Final = {
    Reason.HELPED.value: "it helped",
    Reason.DID_NOT_HELP.value: "it did not help",
}
_ROLLS: Final = {
    Reason.SPEC_CHANGED: "the spec wants something that only a new process reads",
    Reason.SYMBOLS_MOVED: "its symbols changed",
    Reason.RESTART_REQUESTED: f"the annotation {RESTART_REQUEST} has another value",
    Reason.POD_STUCK: "it is of an earlier spec and does not come up",
    Reason.RESIZE_INFEASIBLE: "its size can't be changed in place",
}


class Told(Struct, frozen=True, kw_only=True):
    """What there may be to tell of, beside the difference of two statuses."""

    actions: tuple[Action, ...] = ()
    remedy: Remedy | None = None
    rollout: RestartPod | None = None
    """The pod that a roll-out replaces."""
    held: tuple[Outcome, ...] = ()
    """Sick engines for which a step is held back, where that has just begun."""


def build_notices(before: TradingBotStatus, now: TradingBotStatus, told: Told) -> tuple[Notice, ...]:
    """Return the Events of one pass, each reason once.

    What happened and what is done about it may have one reason (OOMKilled): both are told then. A condition that turns for a reason that
    is told of anyway adds nothing.
    """
    found: dict[Reason, Notice] = {}
    for notice in (*_exits(before, now), *_remediation(before, now, told)):
        earlier = found.get(notice.reason)
        found[notice.reason] = notice if earlier is None else _together(earlier, notice)
    for notice in (*_rollout(told), *_turns(before, now), *_repairs(told.actions)):
        found.setdefault(notice.reason, notice)
    return tuple(found.values())


def _together(one: Notice, other: Notice) -> Notice:
    return Notice(one.reason, f"{one.message}; {other.message}"[:1024], warning=one.warning or other.warning)


def _exits(before: TradingBotStatus, now: TradingBotStatus) -> Iterator[Notice]:
    told = {shard.last_exit.container_id for shard in before.shards if shard.last_exit}
    for shard in now.shards:
        if shard.last_exit and shard.last_exit.container_id not in told:
            message = f"the engine in pod {shard.pod} ended with exit code {shard.last_exit.exit_code}"
            if shard.last_exit.reason == Reason.OOM_KILLED.value:
                message += ": it needed more memory than spec.engine.resources.limits.memory"
            yield Notice(Reason(shard.last_exit.reason), message, warning=True)
    counts = {shard.pod_uid: shard.pod_restarts for shard in before.shards}
    for shard in now.shards:
        if shard.last_restart_reason == Reason.EXIT_UNKNOWN.value and shard.pod_restarts > counts.get(shard.pod_uid, 0):
            message = f"the engine in pod {shard.pod} was started again; the kubelet does not say how it had ended"
            yield Notice(Reason.EXIT_UNKNOWN, message, warning=True)


def _remediation(before: TradingBotStatus, now: TradingBotStatus, told: Told) -> Iterator[Notice]:
    for outcome in told.remedy.outcomes if told.remedy else ():
        decision = outcome.decision
        if decision is not None:
            what = f"{_STEPS[decision.step or decision.action]} {decision.shard}"
            rehearsal = " (dry run: nothing is done)" if decision.action == Reason.DRY_RUN.value else ""
            left = now.remediation.budget.remaining if now.remediation.budget else 0
            message = f"{what}{rehearsal}: {decision.inputs}; {left} steps left"
            yield Notice(outcome.cause.reason, message[:1024], warning=True)
    for outcome in told.held:
        if outcome.hold is not None and outcome.hold.reason is not None:
            yield Notice(outcome.hold.reason, f"{outcome.hold.message}; {outcome.cause.message}"[:1024], warning=True)
    for judged in find_results(before, now):
        message = f"{judged.action} of {judged.shard}, because of {judged.reason}: {_RESULTS[judged.result]}"
        yield Notice(Reason(judged.result), message, warning=judged.result == Reason.DID_NOT_HELP.value)
    yield from _quarantines(before, now)


def find_held(before: TradingBotStatus, now: TradingBotStatus, remedy: Remedy | None) -> tuple[Outcome, ...]:
    """Return the sick engines for which a step is held back that people should hear of, where the status did not say so yet.

    What it does not say now, because there is something worse to say, would be news at every pass.
    """
    outcomes = remedy.outcomes if remedy else ()
    said, says = plain(before.message), plain(now.message)
    return tuple(outcome for outcome in outcomes if outcome.hold and outcome.hold.reason and _is_new(outcome.hold.message, said, says))


def _is_new(message: str, said: str, says: str) -> bool:
    return plain(message) in says and plain(message) not in said


def find_results(before: TradingBotStatus, now: TradingBotStatus) -> tuple[Decision, ...]:
    """Return the decisions of which it has become known whether they helped."""
    open_ones = {(decision.time, decision.shard) for decision in before.remediation.history if not decision.result}
    return tuple(decision for decision in now.remediation.history if decision.result and (decision.time, decision.shard) in open_ones)


def _quarantines(before: TradingBotStatus, now: TradingBotStatus) -> Iterator[Notice]:
    fenced = {shard.name for shard in before.shards if shard.quarantine}
    for shard in now.shards:
        if shard.quarantine and shard.name not in fenced:
            yield Notice(Reason.QUARANTINED, f"{shard.name} is fenced: {shard.quarantine.message}"[:1024], warning=True)
        elif not shard.quarantine and shard.name in fenced:
            yield Notice(Reason.QUARANTINE_ENDED, f"{shard.name} may trade again: the spec or the annotation {RESTART_REQUEST} changed")


def _rollout(told: Told) -> Iterator[Notice]:
    if told.rollout is not None:
        yield Notice(told.rollout.reason, f"replaces pod {told.rollout.name}: {_ROLLS[told.rollout.reason]}", of_action=True)


def _turns(before: TradingBotStatus, now: TradingBotStatus) -> Iterator[Notice]:
    for condition in now.conditions:
        earlier = before.condition(condition.type)
        reason = Reason(condition.reason)
        if reason in ON_THE_WAY or (earlier and (earlier.status, earlier.reason) == (condition.status, condition.reason)):
            continue
        if _is_good(condition):
            # The first look at a bot that is well is no recovery.
            if condition.type == "Ready" or (earlier and earlier.status is ConditionStatus.FALSE):
                yield Notice(reason, condition.message)
        else:
            yield Notice(reason, condition.message, warning=reason not in ASKED_FOR)


def _repairs(actions: tuple[Action, ...]) -> Iterator[Notice]:
    drifted = [action for action in actions if isinstance(action, ApplyChild) and action.reason is Reason.DRIFTED]
    if drifted:
        what = ", ".join(f"{action.manifest['kind']} {action.manifest['metadata']['name']}: {_places(action)}" for action in drifted)
        yield Notice(Reason.DRIFTED, f"put back what somebody changed ({what})"[:1024], of_action=True)
    unwanted = [str(action.key) for action in actions if isinstance(action, DeleteChild)]
    if unwanted:
        yield Notice(Reason.UNWANTED, f"removed what is no longer wanted ({', '.join(unwanted)})"[:1024], of_action=True)


def _places(action: ApplyChild) -> str:
    return ", ".join(str(difference) for difference in action.drift)


def _is_good(condition: Condition) -> bool:
    return condition.status is ConditionStatus.TRUE
