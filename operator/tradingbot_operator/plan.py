"""The one function with opinions: from everything that is known of a bot to everything that is to be done.

It is deterministic, and idempotent: over the world that its plan makes it plans nothing. What it remembers stands in the status that
it returns, so an operator that starts anew decides like its predecessor.

Its order: what each shard may trade; which pod is outdated; what is wrong with which engine; from these the children, and from all of it
the status. Then what is done: finalizer, children, touches, sizes, restarts.
"""

from __future__ import annotations

import math
from typing import Any, Final

from tradingbot_contract.document import SpecError
from tradingbot_operator.actions import Action, ApplyChild, Plan, RestartPod, SetFinalizers, Tally
from tradingbot_operator.bot_figures import build_figures
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.child_plan import ChildPlan, plan_children
from tradingbot_operator.conditions import Evidence
from tradingbot_operator.deletion import DeletionPlan, wanted_finalizers
from tradingbot_operator.desired import build_children
from tradingbot_operator.desired.pod import STOP_SECONDS
from tradingbot_operator.grants import is_observed, stored_floor
from tradingbot_operator.judgement import Judgement, judge
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.names import FINALIZER, config_name, workload_name
from tradingbot_operator.notices import Told, build_notices, find_held, find_results
from tradingbot_operator.publication import is_worth_writing
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import GRACE_SECONDS, PLIGHTS, Plight
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.status import Findings, build_refused_status, build_status
from tradingbot_operator.touch import plan_touches
from tradingbot_operator.world import World

Manifests = tuple[dict[str, Any], ...]

RECHECK_SECONDS: Final = 60.0
"""How often a bot is looked at when nothing happens."""
SOON_SECONDS: Final = 2.0
"""How often while something waits for an engine."""
AT_ONCE_SECONDS: Final = 0.1


def plan(world: World, settings: OperatorSettings) -> Plan:
    """Return what is to be done about a bot now."""
    before = world.status
    judged = judge(world, settings)
    desired = build_children(world.bot, settings, judged.layout)
    children = _plan_children(world, judged, desired)
    restart = _restart(judged)
    status = build_status(
        Findings(
            bot=world.bot,
            before=before,
            evidence=_evidence(world, judged, children),
            shares=judged.shares,
            resizes=judged.resizes,
            record=judged.record,
            ownership=judged.ownership,
            pods=len(world.pods),
            outcomes=judged.remedy.outcomes if judged.remedy else (),
            now=world.now,
        )
    )
    actions = _actions(world, judged, desired, children, restart)
    # What tells the next pass from this one (an action, an exit that was told of) is always news, so nothing is told of twice.
    worth = is_worth_writing(before, status, at=world.now)
    held = find_held(before, status, judged.remedy)
    told = Told(actions=children.actions, remedy=judged.remedy, rollout=judged.rollout.restart if restart else None, held=held)
    silent = world.namespace_terminating or not (worth or actions)
    return Plan(
        status=status if worth else None,
        actions=actions,
        notices=() if silent else build_notices(before, status, told),
        tally=_tally(before, status, judged) if worth else Tally(judged=judged.is_known, sick=judged.is_sick),
        figures=build_figures(
            status, lifecycle=world.bot.spec.lifecycle.state.value, shards_desired=judged.replicas, held=_held_back(judged)
        ),
        attend=tuple(shard.pod.uid for shard in judged.awaited if shard.pod is not None),
        recheck_seconds=_recheck(judged, children, changes=worth or bool(actions)),
        due_seconds=math.inf if judged.recheck_seconds is None else judged.recheck_seconds,
    )


def plan_refused(before: TradingBotStatus, error: SpecError, *, generation: int, now: float, deleting: bool = False) -> Plan:
    """Return what is to be done about a stored resource that can't be read: say so, and touch nothing; and never keep it from going."""
    if deleting:
        return Plan(actions=(SetFinalizers(present=False, reason=Reason.SPEC_INVALID),), recheck_seconds=RECHECK_SECONDS)
    status = build_refused_status(before, generation=generation, message=str(error), now=now)
    worth = is_worth_writing(before, status, at=now)
    return Plan(
        status=status if worth else None,
        notices=build_notices(before, status, Told()) if worth else (),
        figures=build_figures(status),
        recheck_seconds=RECHECK_SECONDS,
    )


def _plan_children(world: World, judged: Judgement, desired: Manifests) -> ChildPlan:
    nothing = ChildPlan((), pending=False, late=frozenset(), recheck_seconds=math.inf)
    if world.namespace_terminating or judged.held_off or (judged.deletion is not None and judged.deletion.done):
        return nothing
    if judged.deletion is None:
        return _in_order(world, judged, plan_children(world, desired))
    # The garbage collector may be at work already, so nothing is made; the engines still have to hear what is wanted of them.
    config = ObjectKey("ConfigMap", config_name(world.bot))
    found = plan_children(world, tuple(manifest for manifest in desired if manifest["kind"] == config.kind))
    actions = tuple(action for action in found.actions if isinstance(action, ApplyChild) and action.resource_version)
    return ChildPlan(actions, pending=bool(actions), late=found.late, recheck_seconds=found.recheck_seconds)


def _in_order(world: World, judged: Judgement, children: ChildPlan) -> ChildPlan:
    """Put off the change of documents until no pod that is made from now on can start with those of before.

    A node may have kept an old ConfigMap. So when symbols move, the lowest number that a new pod may start with has to be in force first.
    """
    workload = world.children.get(ObjectKey("StatefulSet", workload_name(world.bot)))
    if workload is None or (stored_floor(workload) >= judged.layout.floor and is_observed(workload)):
        return children
    actions = tuple(action for action in children.actions if not _changes_documents(action))
    if len(actions) == len(children.actions):
        return children
    return ChildPlan(actions, pending=True, late=children.late, recheck_seconds=children.recheck_seconds, put_off=True)


def _changes_documents(action: Action) -> bool:
    return isinstance(action, ApplyChild) and action.manifest["kind"] == "ConfigMap" and bool(action.resource_version)


def _evidence(world: World, judged: Judgement, children: ChildPlan) -> Evidence:
    return Evidence(
        generation=world.bot.metadata.generation,
        shards=judged.expected,
        leaving=tuple(shard for shard in judged.shards[judged.replicas :] if shard.pod is not None),
        rollout=judged.rollout,
        moving=tuple(judged.shards[number].name for number in judged.grants.moving) if judged.replicas else (),
        children_pending=children.pending,
        problem=world.problem,
        rival=judged.ownership.rival,
        held_off=judged.held_off,
        namespace_terminating=world.namespace_terminating,
        deletion=judged.deletion,
        quarantines=judged.care.quarantines,
        state=world.bot.spec.lifecycle.state,
    )


def _actions(world: World, judged: Judgement, desired: Manifests, children: ChildPlan, restart: RestartPod | None) -> tuple[Action, ...]:
    actions: list[Action] = [*_finalizers(world, judged), *children.actions]
    if judged.held_off or world.namespace_terminating:
        return tuple(actions)
    config = world.children.get(ObjectKey("ConfigMap", config_name(world.bot)))
    is_applied_now = any(isinstance(action, ApplyChild) and action.manifest["kind"] == "ConfigMap" for action in children.actions)
    stays = tuple(shard for shard in judged.expected if restart is None or shard.name != restart.name)
    told = tuple((shard, judged.layout.documents[shard.number]) for shard in stays)
    texts = next(manifest["data"] for manifest in desired if manifest["kind"] == "ConfigMap")
    actions += plan_touches(world.bot, told, texts, config, is_applied_now=is_applied_now)
    sized = zip(judged.expected, judged.resizes, strict=True)
    actions += [resize.action for shard, resize in sized if resize.action is not None and shard in stays]
    return (*actions, restart) if restart is not None else tuple(actions)


def _finalizers(world: World, judged: Judgement) -> tuple[SetFinalizers, ...]:
    metadata, deletion = world.bot.metadata, judged.deletion
    present = tuple(metadata.finalizers)
    if deletion is not None:
        goes = deletion.done and (not world.namespace_terminating or not world.pods or deletion.timed_out)
        return (SetFinalizers(present=False, reason=_why_it_goes(world, deletion)),) if goes and FINALIZER in present else ()
    if judged.held_off or world.namespace_terminating:
        return ()
    wanted = wanted_finalizers(world.bot.spec.lifecycle.on_delete, present)
    return (SetFinalizers(present=FINALIZER in wanted, reason=Reason.CHANGED),) if wanted != present else ()


def _why_it_goes(world: World, deletion: DeletionPlan) -> Reason:
    if world.namespace_terminating:
        return Reason.NAMESPACE_TERMINATING
    return Reason.DELETE_TIMEOUT if deletion.timed_out else Reason.DELETING


def _restart(judged: Judgement) -> RestartPod | None:
    """Return the one pod that is replaced now: for a sick engine, or else by the roll-out."""
    outcome = judged.remedy.restart if judged.remedy else None
    if outcome is None or outcome.decision is None:
        return judged.rollout.restart
    grace_seconds = STOP_SECONDS if PLIGHTS[outcome.cause.reason] is Plight.ALIVE else GRACE_SECONDS
    return RestartPod(outcome.decision.pod, outcome.decision.pod_uid, grace_seconds, outcome.cause.reason)


def _tally(before: TradingBotStatus, status: TradingBotStatus, judged: Judgement) -> Tally:
    outcomes = judged.remedy.outcomes if judged.remedy else ()
    return Tally(
        judged=judged.is_known,
        sick=judged.is_sick,
        decisions=tuple(outcome.decision for outcome in outcomes if outcome.decision is not None),
        results=find_results(before, status),
        held=tuple(outcome.hold.reason for outcome in find_held(before, status, judged.remedy) if outcome.hold and outcome.hold.reason),
    )


def _held_back(judged: Judgement) -> tuple[Reason, ...]:
    """Return why steps that are due are held back now, whether that is news or not."""
    outcomes = judged.remedy.outcomes if judged.remedy else ()
    return tuple(outcome.hold.reason for outcome in outcomes if outcome.hold and outcome.hold.reason)


def _recheck(judged: Judgement, children: ChildPlan, *, changes: bool) -> float:
    """Return when to look again; `changes`: whether this plan changes what the next step waits for."""
    due = [RECHECK_SECONDS, children.recheck_seconds]
    due += [seconds for seconds in (judged.rollout.recheck_seconds, judged.recheck_seconds) if seconds is not None]
    due += [resize.recheck_seconds for resize in judged.resizes if resize.recheck_seconds is not None]
    waits_for_own_doing = (
        # The next pod would not be as wanted, or would have no document, or starts with an old one.
        (judged.rollout.outdated and not judged.template_is_there) or judged.layout.replicas < judged.replicas or children.put_off,
        # The claim is written first, and then read back.
        not judged.ownership.may_take and judged.ownership.rival is None,
    )
    if any(waits_for_own_doing):
        due.append(AT_ONCE_SECONDS if changes else SOON_SECONDS)
    if judged.grants.moving:
        due.append(SOON_SECONDS)
    return max(AT_ONCE_SECONDS, min(due))
