"""Which Events a change is worth. An Event tells what happened; what is so stands in the status.

There is one for a condition that turns, one for each death of an engine, one for each step of remediation, and one for each thing
that was put back. Steps on the way (a pod that is being made) are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tradingbot_operator.actions import Action, ApplyChild, DeleteChild, Notice
from tradingbot_operator.bot_status import Condition, ConditionStatus, TradingBotStatus
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import RESTART, Outcome

_ON_THE_WAY: Final = frozenset(
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
    }
)
"""Reasons that are no news by themselves."""


def build_notices(
    before: TradingBotStatus, now: TradingBotStatus, actions: tuple[Action, ...], outcome: Outcome | None
) -> tuple[Notice, ...]:
    """Return the Events of one pass, each reason once."""
    found: dict[Reason, Notice] = {}
    for notice in (*_exits(before, now), *_remediation(before, now, outcome), *_turns(before, now), *_repairs(actions)):
        found.setdefault(notice.reason, notice)
    return tuple(found.values())


def _exits(before: TradingBotStatus, now: TradingBotStatus) -> Iterator[Notice]:
    told = {shard.last_exit.container_id for shard in before.shards if shard.last_exit}
    for shard in now.shards:
        if shard.last_exit and shard.last_exit.container_id not in told:
            message = f"the engine in pod {shard.pod} ended with exit code {shard.last_exit.exit_code}"
            if shard.last_exit.reason == Reason.OOM_KILLED.value:
                message += ": it needed more memory than spec.engine.resources.limits.memory"
            yield Notice(Reason(shard.last_exit.reason), message, warning=True)


def _remediation(before: TradingBotStatus, now: TradingBotStatus, outcome: Outcome | None) -> Iterator[Notice]:
    if outcome is None:
        return
    decision = outcome.decision
    if decision is not None:
        what = f"recreates pod {decision.pod}" if decision.action == RESTART else f"would recreate pod {decision.pod} (dry run)"
        left = now.remediation.budget.remaining if now.remediation.budget else 0
        yield Notice(outcome.cause.reason, f"{what}: {outcome.cause.message}; {left} restarts left", warning=True)
    elif outcome.hold is not None and outcome.hold.reason is not None and before.phase is not now.phase:
        yield Notice(outcome.hold.reason, f"{outcome.hold.message}; {outcome.cause.message}", warning=True)


def _turns(before: TradingBotStatus, now: TradingBotStatus) -> Iterator[Notice]:
    for condition in now.conditions:
        earlier = before.condition(condition.type)
        reason = Reason(condition.reason)
        if reason in _ON_THE_WAY or (earlier and (earlier.status, earlier.reason) == (condition.status, condition.reason)):
            continue
        if _is_good(condition):
            # The first look at a bot that is well is no recovery.
            if condition.type == "Ready" or (earlier and earlier.status is ConditionStatus.FALSE):
                yield Notice(reason, condition.message)
        else:
            yield Notice(reason, condition.message, warning=True)


def _repairs(actions: tuple[Action, ...]) -> Iterator[Notice]:
    drifted = [action for action in actions if isinstance(action, ApplyChild) and action.reason is Reason.DRIFTED]
    if drifted:
        what = ", ".join(f"{action.manifest['kind']} {action.manifest['metadata']['name']}: {_places(action)}" for action in drifted)
        yield Notice(Reason.DRIFTED, f"put back what somebody changed ({what})"[:1024])
    unwanted = [str(action.key) for action in actions if isinstance(action, DeleteChild)]
    if unwanted:
        yield Notice(Reason.UNWANTED, f"removed what is no longer wanted ({', '.join(unwanted)})"[:1024])


def _places(action: ApplyChild) -> str:
    return ", ".join(str(difference) for difference in action.drift)


def _is_good(condition: Condition) -> bool:
    return condition.status is ConditionStatus.TRUE
