"""One engine of the bot in the status: what it was given, its pod, its restarts over the life of the bot, and how it last ended.

The kubelet counts restarts per pod, so the sum is carried on from the status before. An exit is told apart from the next by the
container that ended. Every restart by the operator stands here, with its reason, before the pod goes.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_operator.bot_status import Adjustment, ConditionStatus, Decision, Quarantine, Shard
from tradingbot_operator.handover import Grant
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import DELETING
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.world import PodFacts

_LONGEST_START_SECONDS: Final = 600.0
"""What takes longer is no start, but an engine that was not ready for a while."""
_FADING: Final = 0.8
"""Share of the slowest start so far that the next one is taken for at the least: an old slow start counts less and less."""


class Share(Struct, frozen=True, kw_only=True):
    """What was decided for one shard."""

    grant: Grant
    current: bool
    """Whether its pod runs what the resource says."""
    adjustment: Adjustment | None
    quarantine: Quarantine | None
    restart: Reason | None
    """Why its pod is replaced now; None: it isn't."""


def build_shard(shard: ShardView, share: Share, history: tuple[Decision, ...]) -> Shard:
    """Return what the status says of one engine and its pod."""
    pod, verdict, engine, earlier = shard.pod, shard.verdict, shard.engine, shard.before
    health = "Healthy" if verdict.status is ConditionStatus.TRUE else f"{verdict.status.value}: {verdict.reason.value}"
    if share.quarantine is not None:
        health = f"{ConditionStatus.FALSE.value}: {Reason.QUARANTINED.value}"
    return Shard(
        name=shard.name,
        symbols=list(share.grant.symbols),
        releasing=list(share.grant.releasing),
        leaving=list(share.grant.leaving),
        grant=share.grant.number,
        pod=pod.name if pod else "",
        pod_uid=pod.uid if pod else earlier.pod_uid,
        pod_restarts=_pod_restarts(pod, earlier),
        node=pod.node if pod else "",
        health=health,
        ready=bool(pod and pod.ready and not pod.terminating and share.current),
        came_up=shard.came_up,
        restarts=_restarts(pod, earlier, history),
        last_restart_reason=share.restart.value if share.restart else _last_restart_reason(pod, earlier),
        last_exit=pod.engine.exit if pod and pod.engine.exit and not pod.terminating else earlier.last_exit,
        memory_mode=engine.memory_mode if engine else earlier.memory_mode,
        config_generation=engine.generation if engine else earlier.config_generation,
        start_seconds=_start_seconds(shard),
        adjustment=share.adjustment,
        quarantine=share.quarantine,
    )


def _pod_restarts(pod: PodFacts | None, earlier: Shard) -> int:
    if pod is None:
        return earlier.pod_restarts
    return max(earlier.pod_restarts, pod.engine.restarts) if pod.uid == earlier.pod_uid else pod.engine.restarts


def _restarts(pod: PodFacts | None, earlier: Shard, history: tuple[Decision, ...]) -> int:
    """Return all restarts: the kubelet's in every pod, and those of remediation, each of which began a new pod."""
    if pod is None:
        return earlier.restarts
    if pod.uid == earlier.pod_uid:
        return earlier.restarts + max(0, pod.engine.restarts - earlier.pod_restarts)
    recreated = any(decision.pod_uid == earlier.pod_uid and _replaces_pod(decision) for decision in history)
    return earlier.restarts + pod.engine.restarts + (1 if recreated and earlier.pod_uid else 0)


def _replaces_pod(decision: Decision) -> bool:
    return decision.action in DELETING


def _last_restart_reason(pod: PodFacts | None, earlier: Shard) -> str:
    if pod is None or pod.terminating:
        return earlier.last_restart_reason
    if pod.engine.exit and (earlier.last_exit is None or pod.engine.exit.container_id != earlier.last_exit.container_id):
        return pod.engine.exit.reason
    # A kubelet with much to do forgets the container that ended.
    untold = pod.engine.exit is None and pod.engine.restarts > (earlier.pod_restarts if pod.uid == earlier.pod_uid else 0)
    return Reason.EXIT_UNKNOWN.value if untold else earlier.last_restart_reason


def _start_seconds(shard: ShardView) -> float | None:
    """Return how long a start takes: from the container's start, or the making of a new pod, until it is ready."""
    pod, earlier = shard.pod, shard.before
    if pod is None or not pod.ready or pod.ready_since is None:
        return earlier.start_seconds
    if earlier.ready and earlier.pod_uid == pod.uid and earlier.pod_restarts == pod.engine.restarts:
        return earlier.start_seconds  # it is in there already
    begun = pod.created_at if pod.engine.restarts == 0 else pod.engine.running_since
    if begun is None or not 0 <= pod.ready_since - begun <= _LONGEST_START_SECONDS:
        return earlier.start_seconds
    took = pod.ready_since - begun
    return round(took if earlier.start_seconds is None else max(took, earlier.start_seconds * _FADING), 1)
