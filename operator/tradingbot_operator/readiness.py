"""The condition Ready: an ordered tuple of checks; the first that finds something to say is the answer.

True means that every engine's pod is of the current spec and passes the kubelet's probes. Everything else is False, with the step that
the first one is at, or what is in its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tradingbot_contract.report import EngineState
from tradingbot_operator.conditions import FALSE, TRUE, Evidence, Saying
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import CRASH_LOOP, describe_crash
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.world import PodFacts

_WAITING: Final[Mapping[str, Reason]] = {
    CRASH_LOOP: Reason.CRASH_LOOPING,
    "ErrImagePull": Reason.IMAGE_PULL_FAILED,
    "ImagePullBackOff": Reason.IMAGE_PULL_FAILED,
    "InvalidImageName": Reason.IMAGE_PULL_FAILED,
    "ErrImageNeverPull": Reason.IMAGE_PULL_FAILED,
    "CreateContainerConfigError": Reason.CONTAINER_REFUSED,
    "CreateContainerError": Reason.CONTAINER_REFUSED,
    "RunContainerError": Reason.CONTAINER_REFUSED,
}
"""What the kubelet says about a container that waits, where it is more than a step on the way."""

Check = Callable[[ShardView, PodFacts], Saying | None]


def pod_terminates(_: ShardView, pod: PodFacts) -> Saying | None:
    message = f"pod {pod.name} ends; the next one comes when it is gone"
    return Saying(FALSE, Reason.POD_TERMINATING, message) if pod.terminating else None


def engine_is_fenced(shard: ShardView, pod: PodFacts) -> Saying | None:
    fenced = shard.engine is not None and shard.engine.state is EngineState.FENCED
    reason = Reason.QUARANTINED if shard.before.quarantine else Reason.WAITING_FOR_RELEASE
    return Saying(FALSE, reason, f"the engine in pod {pod.name} is fenced and trades nothing") if fenced else None


def pod_is_ready(_: ShardView, pod: PodFacts) -> Saying | None:
    return Saying(TRUE, Reason.ENGINE_READY, f"pod {pod.name} is ready") if pod.ready else None


def no_node_takes_it(_: ShardView, pod: PodFacts) -> Saying | None:
    return Saying(FALSE, Reason.UNSCHEDULABLE, pod.unschedulable) if pod.unschedulable else None


def container_waits(_: ShardView, pod: PodFacts) -> Saying | None:
    for container in (pod.engine, pod.observer):
        reason = _WAITING.get(container.waiting_reason)
        if reason is not None:
            crashes = reason is Reason.CRASH_LOOPING and container is pod.engine
            return Saying(
                FALSE, reason, describe_crash(pod.name, pod.engine) if crashes else container.waiting_message or container.waiting_reason
            )
    return None


def engine_ended(_: ShardView, pod: PodFacts) -> Saying | None:
    ended = pod.engine.exit
    if pod.engine.running_since is not None or ended is None:
        return None
    message = f"the engine in pod {pod.name} ended ({ended.reason}, exit code {ended.exit_code}); the kubelet starts it again"
    return Saying(FALSE, Reason.ENGINE_STARTING, message)


def engine_is_being_made(_: ShardView, pod: PodFacts) -> Saying | None:
    return Saying(FALSE, Reason.POD_PENDING, f"pod {pod.name} is being made") if pod.engine.running_since is None else None


def engine_refuses(shard: ShardView, _: PodFacts) -> Saying | None:
    engine = shard.engine
    refuses = engine is not None and engine.state is EngineState.REFUSED
    return Saying(FALSE, Reason.DOCUMENT_REFUSED, engine.message) if engine and refuses else None


def engine_starts(shard: ShardView, pod: PodFacts) -> Saying | None:
    starts = not pod.engine.started or (shard.engine is not None and shard.engine.state is EngineState.STARTING)
    return Saying(FALSE, Reason.ENGINE_STARTING, f"the engine in pod {pod.name} is on its way up") if starts else None


CHECKS: Final[tuple[Check, ...]] = (
    pod_terminates,
    engine_is_fenced,
    pod_is_ready,
    no_node_takes_it,
    container_waits,
    engine_ended,
    engine_is_being_made,
    engine_refuses,
    engine_starts,
)


def ready(evidence: Evidence) -> Saying:
    """Return the condition: of the one engine, or of all."""
    if evidence.absence is not None:
        return evidence.absence
    sayings = [shard_ready(shard, evidence) for shard in evidence.shards]
    if len(sayings) == 1:
        return sayings[0]
    missing = [saying for saying in sayings if saying.status is not TRUE]
    count = f"{len(sayings) - len(missing)} of {len(sayings)} engines are ready"
    if not sayings:
        return Saying(FALSE, Reason.POD_MISSING, "there is no pod yet")
    return Saying(FALSE, missing[0].reason, f"{count}; {missing[0].message}") if missing else Saying(TRUE, Reason.ENGINE_READY, count)


def shard_ready(shard: ShardView, evidence: Evidence) -> Saying:
    """Return how far one engine is."""
    pod = shard.pod
    if pod is None:
        return Saying(FALSE, Reason.POD_MISSING, f"there is no pod {shard.name} yet")
    if not pod.terminating and not evidence.is_current(shard):
        return Saying(FALSE, Reason.ROLLING_OUT, f"pod {pod.name} is of an earlier spec and is to be replaced")
    found = next((saying for check in CHECKS if (saying := check(shard, pod))), None)
    return found or Saying(FALSE, Reason.POD_NOT_READY, f"the engine in pod {pod.name} does not say that it is ready")
