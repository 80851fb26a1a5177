"""Reads what the API server says about a bot's pod into :class:`~tradingbot_operator.world.PodFacts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tradingbot_contract.endpoints import ENGINE_CONTAINER, OBSERVER_CONTAINER
from tradingbot_operator.bot_status import EngineExit
from tradingbot_operator.names import DOCUMENT_HASH, RESTART_HASH, RESTART_REQUEST
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import ContainerFacts, PodFacts, ResizeFacts


def read_pod_facts(pod: Mapping[str, Any]) -> PodFacts:
    """Return the facts of a pod as the API server gives it."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    scheduled, ready = conditions.get("PodScheduled", {}), conditions.get("Ready", {})
    annotations = metadata.get("annotations") or {}
    containers = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return PodFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        ip=status.get("podIP", ""),
        node=(pod.get("spec") or {}).get("nodeName", ""),
        ready=ready.get("status") == "True",
        terminating="deletionTimestamp" in metadata,
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        restart_hash=annotations.get(RESTART_HASH, ""),
        document_hash=annotations.get(DOCUMENT_HASH, ""),
        restart_request=annotations.get(RESTART_REQUEST, ""),
        created_at=_time(metadata.get("creationTimestamp")),
        ready_since=_time(ready.get("lastTransitionTime")) if ready.get("status") == "True" else None,
        failed=status.get("phase") in {"Failed", "Succeeded"},
        resize=_resize(pod, conditions),
        engine=_container(containers, ENGINE_CONTAINER),
        observer=_container(containers, OBSERVER_CONTAINER),
    )


def _resize(pod: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> ResizeFacts:
    wanted = _named((pod.get("spec") or {}).get("containers") or (), ENGINE_CONTAINER).get("resources") or {}
    requests, limits = wanted.get("requests") or {}, wanted.get("limits") or {}
    actual = _named((pod.get("status") or {}).get("containerStatuses") or (), ENGINE_CONTAINER).get("resources") or {}
    pending = conditions.get("PodResizePending", {})
    waits = pending.get("status") == "True"
    progress = conditions.get("PodResizeInProgress", {})
    return ResizeFacts(
        memory_request=requests.get("memory", ""),
        memory_limit=limits.get("memory", ""),
        cpu_request=requests.get("cpu", ""),
        cpu_limit=limits.get("cpu", ""),
        actual_memory_limit=(actual.get("limits") or {}).get("memory", ""),
        pending_reason=pending.get("reason", "") if waits else "",
        pending_message=pending.get("message", "") if waits else "",
        pending_since=_time(pending.get("lastTransitionTime")) if waits else None,
        error=progress.get("message", "") if progress.get("reason") == "Error" else "",
    )


def _named(items: Iterable[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next((item for item in items if item.get("name") == name), {})


def _time(text: str | None) -> float | None:
    return parse_time(text) if text else None


def _container(statuses: Iterable[Mapping[str, Any]], name: str) -> ContainerFacts:
    for status in statuses:
        if status.get("name") != name:
            continue
        state = status.get("state") or {}
        running, waiting = state.get("running") or {}, state.get("waiting") or {}
        ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
        return ContainerFacts(
            restarts=status.get("restartCount", 0),
            running_since=parse_time(running["startedAt"]) if running.get("startedAt") else None,
            started=bool(status.get("started")),
            waiting_reason=waiting.get("reason", ""),
            waiting_message=waiting.get("message", ""),
            exit=_exit(ended) if ended else None,
            ran_seconds=_ran_seconds(ended) if ended else None,
        )
    return ContainerFacts()


def _ran_seconds(ended: Mapping[str, Any]) -> float | None:
    started_at, finished_at = _time(ended.get("startedAt")), _time(ended.get("finishedAt"))
    return None if started_at is None or finished_at is None else max(0.0, finished_at - started_at)


def _exit(ended: Mapping[str, Any]) -> EngineExit:
    code = ended.get("exitCode", 0)
    if ended.get("reason") == "OOMKilled":
        reason = Reason.OOM_KILLED
    elif code > 128 or ended.get("signal"):
        reason = Reason.ENGINE_KILLED
    else:
        reason = Reason.ENGINE_EXITED
    return EngineExit(
        container_id=ended.get("containerID", ""), reason=reason.value, exit_code=code, finished_at=ended.get("finishedAt") or ""
    )
