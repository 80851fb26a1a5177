"""Which shard's pod is replaced now, why, and what the others wait for.

A pod is outdated when its engine can't take what the resource wants without a new process: its digest or the one that its engine
started with is another, somebody asked for a restart, or its size can't be changed in place. Outdated pods are replaced one at a time,
the next when the one before is ready. What trades is only interrupted as `lifecycle.updatePolicy` says; what trades nothing (a pod that
does not come up, an engine that is dead) is replaced at once, so going back to a spec that worked always works.

(That the next pod would be as wanted is seen to by the caller: else it would be outdated, too, without end.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tradingbot_operator.actions import RestartPod
from tradingbot_operator.desired.pod import STOP_SECONDS
from tradingbot_operator.operations import UpdatePolicy
from tradingbot_operator.reasons import Reason
from tradingbot_operator.shard_view import STALL_SECONDS, ShardView

GRACE_SECONDS: Final = 1
"""Time that a pod gets to end whose engine is dead, or never came up."""
WAIT_SECONDS: Final = 2.0
"""How often a roll-out that waits for an engine is looked at."""
_STEPS_ON_THE_WAY: Final = frozenset({"PodInitializing", "ContainerCreating"})


class Wanted(Struct, frozen=True, kw_only=True):
    """What the pods are compared with."""

    pod_revision: str
    restart_request: str
    """Value of tradingbot.dev/restart on the bot."""
    revisions: tuple[str, ...]
    """Of the documents, by shard, for those that should have a pod."""
    resize_fails: Mapping[int, str]
    """Shards whose size can't be changed in place, and why."""
    policy: UpdatePolicy


class Standstill(Struct, frozen=True):
    """Why a roll-out does not go on now."""

    reason: Reason
    """WaitingForPositions, WaitingForRelease, RolloutStalled or RollingOut."""
    message: str


class Rollout(Struct, frozen=True, kw_only=True):
    """How far the replacement of pods is."""

    outdated: Mapping[int, Reason] = {}
    """Shards with a pod that has to be replaced, and why."""
    restart: RestartPod | None = None
    """The pod that is replaced now."""
    shard: int | None = None
    """Its shard."""
    flatten: int | None = None
    """The shard that has to sell its positions first."""
    in_flight: tuple[int, ...] = ()
    """Shards whose pod is on its way: gone, or as wanted and not ready yet."""
    standstill: Standstill | None = None
    recheck_seconds: float | None = None

    def replaces(self, shard: ShardView) -> bool:
        """Return whether a shard's pod is being replaced, or has to wait while another one's is."""
        if not shard.has_pod or shard.number in {self.shard, self.flatten}:
            return True
        return bool(self.outdated and self.in_flight)


def plan_rollout(shards: tuple[ShardView, ...], wanted: Wanted, *, releasing: frozenset[int], now: float) -> Rollout:
    """Return what is to be done about outdated pods.

    Args:
        shards: All of the bot's shards.
        wanted: What they should be.
        releasing: Shards that are settling symbols which they give up; they come when that is done.
        now: Seconds since the epoch.
    """
    # A shard beyond the wanted ones loses its pod anyway.
    pods = shards[: len(wanted.revisions)]
    outdated = {shard.number: reason for shard in pods if (reason := _why_outdated(shard, wanted)) is not None}
    in_flight = tuple(shard.number for shard in pods if shard.number not in outdated and _is_on_its_way(shard))
    stalled = _stalled(pods, outdated, now)
    recheck = _until_stalled(pods, in_flight, now)
    if not outdated:
        return Rollout(in_flight=in_flight, standstill=stalled, recheck_seconds=recheck)
    if in_flight:
        return Rollout(outdated=outdated, in_flight=in_flight, standstill=stalled, recheck_seconds=recheck)
    held: list[tuple[ShardView, Standstill]] = []
    for shard in sorted((shard for shard in pods if shard.number in outdated), key=lambda shard: (not _is_free(shard), shard.number)):
        standstill = _standstill(shard, wanted.policy, releasing)
        if standstill is None:
            return Rollout(outdated=outdated, restart=_restart(shard, outdated[shard.number]), shard=shard.number)
        held.append((shard, standstill))
    flatten = next((shard.number for shard, _ in held if shard.number not in releasing), None)
    return Rollout(
        outdated=outdated,
        flatten=flatten if wanted.policy is UpdatePolicy.FLATTEN else None,
        standstill=held[0][1],
        recheck_seconds=WAIT_SECONDS,
    )


def _why_outdated(shard: ShardView, wanted: Wanted) -> Reason | None:
    pod, engine = shard.pod, shard.engine
    if pod is None or pod.terminating:
        return None
    revision = engine.revision if engine is not None else None
    is_other = revision is not None and revision != wanted.revisions[shard.number]
    if pod.restart_hash != wanted.pod_revision:
        reason = Reason.SPEC_CHANGED
    elif pod.restart_request != wanted.restart_request:
        return Reason.RESTART_REQUESTED
    elif is_other:
        # The pod's digest is as wanted, so what is left is the symbols.
        reason = Reason.SYMBOLS_MOVED
    elif shard.number in wanted.resize_fails:
        return Reason.RESIZE_INFEASIBLE
    else:
        return None
    return Reason.POD_STUCK if shard.is_stuck else reason


def _is_on_its_way(shard: ShardView) -> bool:
    if shard.pod is None or shard.pod.terminating:
        return True
    # A fenced engine waits for a person: the others must not wait for it.
    return not shard.pod.ready and not shard.is_idle


def _is_free(shard: ShardView) -> bool:
    """Return whether nothing is interrupted by the end of a shard's pod."""
    return shard.is_stuck or shard.is_dead or shard.is_idle


def _standstill(shard: ShardView, policy: UpdatePolicy, releasing: frozenset[int]) -> Standstill | None:
    """Return why an outdated pod is not replaced now."""
    if _is_free(shard):
        return None
    if shard.number in releasing:
        return Standstill(Reason.WAITING_FOR_RELEASE, f"{shard.name} is replaced when it has settled the symbols that it gives up")
    message = None if policy is UpdatePolicy.PROCEED else _open_business(shard, policy)
    return Standstill(Reason.WAITING_FOR_POSITIONS, f"{shard.name} is replaced {message}") if message else None


def _open_business(shard: ShardView, policy: UpdatePolicy) -> str | None:
    """Return what an engine has open that the update policy lets it close first."""
    engine = shard.engine
    if engine is None:
        # What is not known is no leave to interrupt; an engine that isn't ready trades nothing.
        ready = shard.pod is not None and shard.pod.ready
        return f"when it is known whether it has open positions: {shard.verdict.message}" if ready else None
    if engine.open_positions:
        how = "they are being sold" if policy is UpdatePolicy.FLATTEN else "updatePolicy is Wait"
        return f"when its {engine.open_positions} open positions are closed ({how})"
    if policy is UpdatePolicy.FLATTEN and engine.open_orders:
        return f"when its {engine.open_orders} open orders are cancelled"
    return None


def _restart(shard: ShardView, reason: Reason) -> RestartPod:
    assert shard.pod is not None, "only a pod that is there is outdated"
    grace_seconds = GRACE_SECONDS if shard.is_stuck or shard.is_dead else STOP_SECONDS
    return RestartPod(shard.pod.name, shard.pod.uid, grace_seconds, reason)


def _stalled(pods: tuple[ShardView, ...], outdated: Mapping[int, Reason], now: float) -> Standstill | None:
    for shard in pods:
        if shard.number not in outdated and not shard.is_idle and shard.never_came_up(now):
            said = f": {why}" if (why := _why_not_ready(shard)) else ""
            message = f"pod {shard.name} of the current spec has not got ready in {STALL_SECONDS:.0f} s{said}; others are left alone"
            return Standstill(Reason.ROLLOUT_STALLED, message)
    return None


def _why_not_ready(shard: ShardView) -> str:
    pod = shard.pod
    if pod is None:
        return ""
    waiting = [container for container in (pod.engine, pod.observer) if container.waiting_reason]
    # A container that waits for another says nothing of why that one waits.
    waits = min(waiting, key=lambda container: container.waiting_reason in _STEPS_ON_THE_WAY, default=None)
    if pod.unschedulable or waits is None:
        return pod.unschedulable or (shard.engine.message if shard.engine else "")
    return f"{waits.waiting_reason} {waits.waiting_message}".strip()


def _until_stalled(pods: tuple[ShardView, ...], in_flight: tuple[int, ...], now: float) -> float | None:
    made = [shard.pod.created_at for shard in pods if shard.number in in_flight and shard.pod and shard.pod.created_at is not None]
    left = [created_at + STALL_SECONDS - now for created_at in made]
    return min((seconds for seconds in left if seconds > 0), default=None)
