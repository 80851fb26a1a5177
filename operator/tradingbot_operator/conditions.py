"""The conditions of a bot, each a function from what is known to status, reason and message.

Accepted: can the engines run what the resource says? Ready: do pods of the current spec trade? Healthy: what do the observers find?
Progressing: are children and pods being brought to what the resource wants? (TuningApplied: see :mod:`tradingbot_operator.tuning`.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState
from tradingbot_operator.accounts import Claim
from tradingbot_operator.bot_status import Condition, ConditionStatus, Quarantine, TradingBotStatus
from tradingbot_operator.deletion import DeletionPlan
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.reasons import Reason
from tradingbot_operator.rollout import Rollout
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import Problem

TRUE: Final = ConditionStatus.TRUE
FALSE: Final = ConditionStatus.FALSE
UNKNOWN: Final = ConditionStatus.UNKNOWN

_TAKES_ITS_DOCUMENT: Final = frozenset({EngineState.RUNNING, EngineState.FINISHED, EngineState.FENCED})


class Saying(Struct, frozen=True):
    """A condition without its history."""

    status: ConditionStatus
    reason: Reason
    message: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """What the conditions are judged from."""

    generation: int
    shards: tuple[ShardView, ...]
    """Those that should have a pod."""
    leaving: tuple[ShardView, ...] = ()
    """Those that have a pod and should have none."""
    rollout: Rollout
    moving: tuple[str, ...] = ()
    """Shards that are giving up symbols."""
    children_pending: bool
    problem: Problem | None
    rival: Claim | None = None
    """The bot that holds the account."""
    held_off: bool = False
    """Whether the annotation tradingbot.dev/paused holds the operator off."""
    namespace_terminating: bool = False
    deletion: DeletionPlan | None = None
    """For a bot that is being deleted."""
    quarantines: Mapping[str, Quarantine | None] = {}
    """By shard."""
    state: LifecycleState = LifecycleState.RUNNING

    def is_current(self, shard: ShardView) -> bool:
        """Return whether a shard's pod runs what the resource says now."""
        return shard.has_pod and shard.number not in self.rollout.outdated

    @property
    def absence(self) -> Saying | None:
        """Why there are no pods by intent; None: there should be."""
        if self.rival is not None and not self.shards:
            message = f"{told_rival(self.rival)}; there is no pod"
            return Saying(FALSE, Reason.ACCOUNT_CONFLICT, message)
        if self.state is LifecycleState.STOPPED:
            return Saying(FALSE, Reason.STOPPED, "spec.lifecycle.state is Stopped: there is no pod")
        return None


def told_rival(rival: Claim) -> str:
    return f"bot {rival.namespace}/{rival.name} trades account {rival.account} with a symbol of this one"


def accepted(evidence: Evidence, before: TradingBotStatus) -> Saying:
    """Judge by the engines themselves, because only they know their strategies and data; until they have spoken, the earlier word holds."""
    if evidence.rival is not None:
        message = f"{told_rival(evidence.rival)}: delete one of them, or give it other symbols"
        return Saying(FALSE, Reason.ACCOUNT_CONFLICT, message)
    words = [_accepted_by(shard, evidence) for shard in evidence.shards]
    refused = next((word for word in words if word is not None and word.status is FALSE), None)
    if refused is not None:
        return refused
    agreed = [word for word in words if word is not None]
    if agreed and len(agreed) == len(words):
        return agreed[0]
    earlier = before.condition("Accepted")
    holds = earlier is not None and earlier.observed_generation == evidence.generation and earlier.status is not UNKNOWN
    # What was said by somebody else than an engine does not outlast its cause.
    if holds and earlier is not None and earlier.reason not in {Reason.SPEC_INVALID.value, Reason.ACCOUNT_CONFLICT.value}:
        return Saying(earlier.status, Reason(earlier.reason), earlier.message)
    if evidence.absence is not None:
        return Saying(UNKNOWN, evidence.absence.reason, "there is no engine to say whether it can run this")
    return Saying(UNKNOWN, Reason.ENGINE_STARTING, "the engine has not said yet whether it can run this")


def _accepted_by(shard: ShardView, evidence: Evidence) -> Saying | None:
    engine = shard.engine
    if engine is None or not evidence.is_current(shard):
        return None
    if engine.state is EngineState.REFUSED:
        return Saying(FALSE, Reason.DOCUMENT_REFUSED, engine.message)
    runs_it = engine.generation == evidence.generation
    if runs_it and engine.state in _TAKES_ITS_DOCUMENT:
        return Saying(TRUE, Reason.ACCEPTED, "the engine runs what the resource says")
    if not runs_it and engine.document_refusal:
        message = f"{engine.document_refusal}; the engine goes on with generation {engine.generation}"
        return Saying(FALSE, Reason.DOCUMENT_REFUSED, message)
    return None


def healthy(evidence: Evidence) -> Saying:
    """Say how the worst engine is."""
    if evidence.absence is not None:
        return Saying(UNKNOWN, evidence.absence.reason, "there is no engine to look at")
    for shard in evidence.shards:
        quarantine = evidence.quarantines.get(shard.name)
        if quarantine is not None:
            # Its engine is fenced, and as well as an engine can be that trades nothing.
            return Saying(FALSE, Reason.QUARANTINED, f"{shard.name} is fenced: {quarantine.message or quarantine.reason}")
    by_severity = (FALSE, UNKNOWN, TRUE)
    worst = min(evidence.shards, key=lambda shard: by_severity.index(shard.verdict.status), default=None)
    if worst is None:
        return Saying(UNKNOWN, Reason.NOT_STARTED, "there is no running pod to look at")
    verdict = worst.verdict
    several = len(evidence.shards) > 1 and verdict.status is not TRUE
    return Saying(verdict.status, verdict.reason, f"{worst.name}: {verdict.message}" if several else verdict.message)


def operator_held_off(evidence: Evidence) -> Saying | None:
    message = "the annotation tradingbot.dev/paused holds the operator off"
    return Saying(FALSE, Reason.RECONCILE_PAUSED, message) if evidence.held_off else None


def namespace_goes(evidence: Evidence) -> Saying | None:
    message = "the namespace is being deleted, and the bot with it"
    return Saying(FALSE, Reason.NAMESPACE_TERMINATING, message) if evidence.namespace_terminating else None


def bot_goes(evidence: Evidence) -> Saying | None:
    if evidence.deletion is None:
        return None
    reason = Reason.DELETE_TIMEOUT if evidence.deletion.timed_out else Reason.DELETING
    return Saying(TRUE, reason, evidence.deletion.message or "the bot is being deleted")


def children_fail(evidence: Evidence) -> Saying | None:
    return Saying(FALSE, evidence.problem.reason, evidence.problem.message) if evidence.problem else None


def rollout_stalls(evidence: Evidence) -> Saying | None:
    standstill = evidence.rollout.standstill
    stalls = standstill is not None and standstill.reason is Reason.ROLLOUT_STALLED
    return Saying(FALSE, Reason.ROLLOUT_STALLED, standstill.message) if standstill is not None and stalls else None


def rollout_waits(evidence: Evidence) -> Saying | None:
    standstill = evidence.rollout.standstill
    return Saying(TRUE, standstill.reason, standstill.message) if standstill is not None else None


def symbols_move(evidence: Evidence) -> Saying | None:
    if not evidence.moving:
        return None
    message = f"{', '.join(evidence.moving)} gives up symbols; another engine gets them when that is done"
    return Saying(TRUE, Reason.WAITING_FOR_RELEASE, message)


def pods_come_and_go(evidence: Evidence) -> Saying | None:
    rolls = not all(evidence.is_current(shard) for shard in evidence.shards)
    if not (evidence.children_pending or rolls or evidence.leaving):
        return None
    return Saying(TRUE, Reason.ROLLING_OUT, "children or pods are being brought to what the resource wants")


PROGRESS_CHECKS: Final[tuple[Callable[[Evidence], Saying | None], ...]] = (
    operator_held_off,
    namespace_goes,
    bot_goes,
    children_fail,
    rollout_stalls,
    rollout_waits,
    symbols_move,
    pods_come_and_go,
)


def progressing(evidence: Evidence) -> Saying:
    """Judge by what is still to be done, and by what stops it."""
    found = next((saying for check in PROGRESS_CHECKS if (saying := check(evidence))), None)
    return found or Saying(FALSE, Reason.UP_TO_DATE, "every child and pod is as the resource wants it")


def settle(kind: str, saying: Saying, before: TradingBotStatus, *, generation: int, now: float) -> Condition:
    """Return the condition, with the time of its last transition carried over if its status did not change."""
    earlier = before.condition(kind)
    unchanged = earlier is not None and earlier.status is saying.status and earlier.last_transition_time
    since = earlier.last_transition_time if unchanged and earlier is not None else format_time(now)
    return Condition(
        type=kind,
        status=saying.status,
        reason=saying.reason.value,
        message=saying.message[:1024],
        observed_generation=generation,
        last_transition_time=since,
    )
