"""The four conditions of a bot, each a function from what is known to status, reason and message.

Accepted: can the engine run what the resource says? Ready: does a pod of the current spec trade? Healthy: what does the observer find?
Progressing: are children and pod being brought to what the resource wants?
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_operator.bot_status import Condition, ConditionStatus, TradingBotStatus
from tradingbot_operator.health import Verdict
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import PodFacts, Problem

TRUE: Final = ConditionStatus.TRUE
FALSE: Final = ConditionStatus.FALSE
UNKNOWN: Final = ConditionStatus.UNKNOWN


class Saying(Struct, frozen=True):
    """A condition without its history."""

    status: ConditionStatus
    reason: Reason
    message: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """What the conditions are judged from."""

    generation: int
    pod: PodFacts | None
    pod_is_current: bool
    """Whether the pod runs what the resource says now."""
    engine: EngineStatus | None
    """The engine's own account, when it is fresh."""
    verdict: Verdict
    children_pending: bool
    problem: Problem | None


def accepted(evidence: Evidence, before: TradingBotStatus) -> Saying:
    """Judge by the engine itself, because only it knows its strategies and data; until it has spoken, the earlier word holds."""
    engine = evidence.engine
    if evidence.pod_is_current and engine is not None:
        if engine.state is EngineState.REFUSED:
            return Saying(FALSE, Reason.DOCUMENT_REFUSED, engine.message)
        runs_it = engine.generation == evidence.generation
        if runs_it and engine.state in {EngineState.RUNNING, EngineState.FINISHED}:
            return Saying(TRUE, Reason.ACCEPTED, "the engine runs what the resource says")
        if not runs_it and engine.document_refusal:
            message = f"{engine.document_refusal}; the engine goes on with generation {engine.generation}"
            return Saying(FALSE, Reason.DOCUMENT_REFUSED, message)
    earlier = before.condition("Accepted")
    known = earlier is not None and earlier.observed_generation == evidence.generation and earlier.status is not UNKNOWN
    if known and earlier is not None and earlier.reason != Reason.SPEC_INVALID.value:
        return Saying(earlier.status, Reason(earlier.reason), earlier.message)
    return Saying(UNKNOWN, Reason.ENGINE_STARTING, "the engine has not said yet whether it can run this")


def healthy(evidence: Evidence) -> Saying:
    return Saying(evidence.verdict.status, evidence.verdict.reason, evidence.verdict.message)


def progressing(evidence: Evidence) -> Saying:
    """Judge by what is still to be done; what the API server does not take stops it."""
    if evidence.problem is not None:
        return Saying(FALSE, evidence.problem.reason, evidence.problem.message)
    if evidence.children_pending or not evidence.pod_is_current:
        return Saying(TRUE, Reason.ROLLING_OUT, "children or pod are being brought to what the resource wants")
    return Saying(FALSE, Reason.UP_TO_DATE, "every child and the pod are as the resource wants them")


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
