"""Reads what the API server says about a bot's pod into :class:`~tradingbot_operator.world.PodFacts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tradingbot_contract.endpoints import ENGINE_CONTAINER, OBSERVER_CONTAINER
from tradingbot_operator.bot_status import EngineExit
from tradingbot_operator.names import DOCUMENT_HASH, RESTART_HASH
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import ContainerFacts, PodFacts


def read_pod_facts(pod: Mapping[str, Any]) -> PodFacts:
    """Return the facts of a pod as the API server gives it."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    scheduled = conditions.get("PodScheduled", {})
    annotations = metadata.get("annotations") or {}
    containers = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return PodFacts(
        name=metadata["name"],
        uid=metadata["uid"],
        ip=status.get("podIP", ""),
        node=(pod.get("spec") or {}).get("nodeName", ""),
        ready=conditions.get("Ready", {}).get("status") == "True",
        terminating="deletionTimestamp" in metadata,
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        restart_hash=annotations.get(RESTART_HASH, ""),
        document_hash=annotations.get(DOCUMENT_HASH, ""),
        engine=_container(containers, ENGINE_CONTAINER),
        observer=_container(containers, OBSERVER_CONTAINER),
    )


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
        )
    return ContainerFacts()


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
