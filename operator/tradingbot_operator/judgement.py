"""What a pass makes of the world, before it says so and acts on it: one value with every decision of the pass in it.

The order matters. What each shard may trade comes first, because documents and revisions follow from it; then which pod is outdated,
because an engine that is being replaced is not treated; then the treatment of sick engines, from which sizes and documents follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tradingbot_contract.bounded_yaml import decode_yaml
from tradingbot_operator.bot_status import ConditionStatus, Decision, RemediationRecord
from tradingbot_operator.child_plan import plan_children
from tradingbot_operator.deletion import DeletionPlan
from tradingbot_operator.deletion_facts import judge_deletion
from tradingbot_operator.desired.children import build_child
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.desired.revision import pod_revision
from tradingbot_operator.desired.workload import build_workload
from tradingbot_operator.grants import Grants, decide_grants, is_observed, read_grants
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.layout_plan import Care, plan_layout, plan_revisions
from tradingbot_operator.names import PAUSED, RESTART_REQUEST, config_name, document_key, pod_name, workload_name
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.ownership import Ownership, judge_ownership
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Remedy, ShardSituation, Situation, remediate
from tradingbot_operator.resize import Resize, plan_resize
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.rollout import Rollout, Wanted, plan_rollout
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.shard_view import ShardView, look_at_shards
from tradingbot_operator.shards import Share
from tradingbot_operator.world import World


class Judgement(Struct, frozen=True, kw_only=True):
    """All decisions of a pass."""

    shards: tuple[ShardView, ...]
    replicas: int
    """Pods that there should be."""
    grants: Grants
    rollout: Rollout
    template_is_there: bool
    remedy: Remedy | None
    """None: nothing is done about sick engines now."""
    record: RemediationRecord
    care: Care
    layout: Layout
    resizes: tuple[Resize, ...]
    """By shard, for those that should have a pod."""
    deletion: DeletionPlan | None
    ownership: Ownership
    held_off: bool
    """Whether a person holds the operator off."""

    @property
    def expected(self) -> tuple[ShardView, ...]:
        """The shards that should have a pod."""
        return self.shards[: self.replicas]

    @property
    def shares(self) -> tuple[tuple[ShardView, Share], ...]:
        """What was decided for each shard that has been given something."""
        restart = self.remedy.restart if self.remedy else None
        return tuple(
            (
                shard,
                Share(
                    grant=grant,
                    current=shard.has_pod and shard.number not in self.rollout.outdated,
                    adjustment=self.care.adjustments.get(shard.name),
                    quarantine=self.care.quarantines.get(shard.name),
                    restart=(restart.cause.reason if restart.shard == shard.name else None) if restart else self._rolled(shard),
                ),
            )
            for shard, grant in zip(self.shards, self.grants.grants, strict=False)
        )

    def _rolled(self, shard: ShardView) -> Reason | None:
        restart = self.rollout.restart
        return restart.reason if restart is not None and restart.name == shard.name else None

    @property
    def awaited(self) -> tuple[ShardView, ...]:
        """The shards whose engine's next word something waits for."""
        if self.deletion is not None:
            return self.shards
        waits = {*self.grants.moving, *(self.rollout.outdated if self.rollout.standstill else ())}
        treated = {decision.shard for decision in self.record.history if _is_in_flight(decision)}
        return tuple(shard for shard in self.shards if shard.number in waits or shard.name in treated)

    @property
    def is_known(self) -> bool:
        """Whether the health of any engine is known."""
        return self._is_in_treatment or any(shard.verdict.status is not ConditionStatus.UNKNOWN for shard in self.expected)

    @property
    def is_sick(self) -> bool:
        """Whether there is a cause for remediation, or was one and it is not known yet whether the step that was taken helped.

        A shared cause makes one bot sick after the other, and a restart hides each for a while: they have to be counted together.
        """
        return self._is_in_treatment or bool(self.remedy and self.remedy.outcomes)

    @property
    def _is_in_treatment(self) -> bool:
        history = self.remedy.record.history if self.remedy else ()
        return any(_is_in_flight(decision) for decision in history)

    @property
    def recheck_seconds(self) -> float | None:
        """When to look again, for what is not told by any event."""
        if self.deletion is not None:
            return self.deletion.recheck_seconds
        return self.remedy.recheck_seconds if self.remedy else None


def _is_in_flight(decision: Decision) -> bool:
    """Return whether it is still to be seen if a step helped; one that was only rehearsed never tells."""
    return not decision.result and decision.action != Reason.DRY_RUN.value


def judge(world: World, settings: OperatorSettings) -> Judgement:
    """Return what a pass decides."""
    bot, before = world.bot, world.status
    shards = look_at_shards(world, bot.spec.scaling.replicas)
    held_off = bot.metadata.annotations.get(PAUSED) == "true" and bot.metadata.deletion_timestamp is None
    deletion = judge_deletion(world, shards)
    ownership = judge_ownership(world)
    stands = held_off or deletion is not None or world.namespace_terminating
    # Who may change nothing moves no symbol, and who has no right to an account's symbols keeps those that it has.
    keeps = stands or not ownership.may_take
    grants = read_grants(before, bot) if keeps else decide_grants(world, shards)
    stopped = bot.spec.lifecycle.state is LifecycleState.STOPPED
    replicas = 0 if stopped else grants.used if keeps else grants.pods
    earlier = Care(
        adjustments={shard.name: shard.adjustment for shard in before.shards},
        quarantines={shard.name: shard.quarantine for shard in before.shards},
    )
    expected = shards[:replicas]
    is_there, rollout = _rollout(world, settings, expected, grants, earlier)
    remedy = None if stands else _treat(world, settings, expected[: len(grants.grants)], rollout)
    if stands or (remedy is not None and remedy.restart is not None and rollout.restart is not None):
        # One pod at a time; what is sick comes first.
        rollout = msgspec.structs.replace(rollout, restart=None, shard=None, flatten=None if stands else rollout.flatten)
    care = Care(adjustments=remedy.adjustments, quarantines=remedy.quarantines) if remedy else earlier
    return Judgement(
        shards=shards,
        replicas=replicas,
        grants=grants,
        rollout=rollout,
        template_is_there=is_there,
        remedy=remedy,
        record=remedy.record if remedy else before.remediation,
        care=care,
        layout=plan_layout(
            bot,
            grants,
            care,
            replicas=_replicas_now(world, replicas),
            deletion=deletion.activity if deletion else None,
            flatten=rollout.flatten,
        ),
        resizes=tuple(Resize() if stands else _resize(world, shard, care) for shard in expected),
        deletion=deletion,
        ownership=ownership,
        held_off=held_off,
    )


def _rollout(world: World, settings: OperatorSettings, expected: tuple[ShardView, ...], grants: Grants, care: Care) -> tuple[bool, Rollout]:
    """Return whether the next pod would be as wanted, and how far the replacement of pods is."""
    bot = world.bot
    fails = {shard.number: resize.message for shard in expected if (resize := _resize(world, shard, care)).needs_restart}
    wanted = Wanted(
        pod_revision=pod_revision(bot),
        restart_request=bot.metadata.annotations.get(RESTART_REQUEST, ""),
        revisions=plan_revisions(bot, grants)[: len(expected)],
        resize_fails=fails,
        policy=bot.spec.lifecycle.update_policy,
    )
    releasing = frozenset(number for number, grant in enumerate(grants.grants) if grant.releasing)
    rollout = plan_rollout(expected, wanted, releasing=releasing, now=world.now)
    if rollout.restart is None:
        return True, rollout
    layout = plan_layout(bot, grants, care, replicas=_replicas_now(world, len(expected)))
    if _template_is_there(world, build_child(build_workload, bot, settings, layout), layout, rollout.restart.name):
        return True, rollout
    return False, msgspec.structs.replace(rollout, restart=None, shard=None)


def _template_is_there(world: World, desired: dict[str, Any], layout: Layout, pod: str) -> bool:
    """Return whether a pod that is made now is as wanted: its StatefulSet is, its controller has seen it, and its document names it."""
    workload = world.children.get(ObjectKey("StatefulSet", workload_name(world.bot)))
    if plan_children(world, (desired,)).late or not is_observed(workload):
        return False
    number = next(document.bot.shard for document in layout.documents if pod == pod_name(world.bot, document.bot.shard))
    return _stored_revision(world.children, world.bot, number) == layout.documents[number].revision


def _replicas_now(world: World, wanted: int) -> int:
    """Return how many pods there may be now: one that has no document yet would come up only to fail."""
    config = world.children.get(ObjectKey("ConfigMap", config_name(world.bot)))
    if config is None:
        return wanted  # it is made now, before the StatefulSet is
    workload = world.children.get(ObjectKey("StatefulSet", workload_name(world.bot)))
    present = workload["spec"]["replicas"] if workload is not None else 0
    data = config.get("data") or {}
    documented = next((number for number in range(wanted) if document_key(world.bot, number) not in data), wanted)
    return min(wanted, max(present, documented))


class _Revised(Struct, frozen=True):
    revision: str = ""


def _stored_revision(children: Mapping[ObjectKey, Mapping[str, Any]], bot: TradingBot, shard: int) -> str:
    config = children.get(ObjectKey("ConfigMap", config_name(bot))) or {}
    text = (config.get("data") or {}).get(document_key(bot, shard), "")
    try:
        revised: _Revised = decode_yaml(text, _Revised)
    except ValueError:
        return ""  # somebody has changed it; it is put back first
    return revised.revision


def _treat(world: World, settings: OperatorSettings, expected: tuple[ShardView, ...], rollout: Rollout) -> Remedy:
    return remediate(
        Situation(
            bot=world.bot,
            shards=tuple(
                ShardSituation(
                    name=shard.name,
                    before=shard.before,
                    # One that is replaced now is as good as gone.
                    pod=msgspec.structs.replace(shard.pod, terminating=True) if shard.pod and shard.number == rollout.shard else shard.pod,
                    view=shard.view,
                    rolling_out=rollout.replaces(shard),
                )
                for shard in expected
            ),
            record=world.status.remediation,
            fleet=world.fleet,
            max_unhealthy_percent=settings.max_unhealthy_percent,
            now=world.now,
        )
    )


def _resize(world: World, shard: ShardView, care: Care) -> Resize:
    refusal = world.refused_resizes.get(shard.pod.uid) if shard.pod else None
    return plan_resize(shard, world.bot, care.adjustments.get(shard.name), refusal, now=world.now)
