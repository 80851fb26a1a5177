from __future__ import annotations

from typing import Any

import pytest

from tradingbot_operator.pod_facts import read_pod_facts
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import ResizeFacts

METADATA = {"name": "a-0", "uid": "u", "annotations": {"tradingbot.dev/restart-hash": "h"}}


def pod(**changes: Any) -> dict[str, Any]:
    return {"metadata": METADATA} | changes


def engine(**status: Any) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"name": "engine", "restartCount": 3} | status]}}


def test_a_pod_that_has_only_been_made_has_few_facts() -> None:
    facts = read_pod_facts(pod())
    assert (facts.name, facts.uid, facts.restart_hash) == ("a-0", "u", "h")
    assert not facts.ready
    assert facts.engine.running_since is None
    assert facts.engine.exit is None


def test_what_runs() -> None:
    started = "2026-01-02T03:04:05Z"
    status = {
        "podIP": "10.1.1.1",
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}],
        "containerStatuses": [{"name": "engine", "started": True, "restartCount": 0, "state": {"running": {"startedAt": started}}}],
        "initContainerStatuses": [{"name": "observer", "restartCount": 1, "state": {"running": {"startedAt": started}}}],
    }
    facts = read_pod_facts(pod(spec={"nodeName": "n"}, status=status))
    assert (facts.ip, facts.node, facts.ready, facts.terminating, facts.unschedulable) == ("10.1.1.1", "n", True, False, "")
    assert facts.engine.running_since == parse_time(started) == facts.observer.running_since
    assert facts.engine.started
    assert facts.observer.restarts == 1


def test_a_pod_on_its_way_out() -> None:
    assert read_pod_facts({"metadata": METADATA | {"deletionTimestamp": "2026-01-02T03:04:05Z"}}).terminating


def test_a_pod_that_no_node_takes() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes"}
    assert read_pod_facts(pod(status={"conditions": [condition]})).unschedulable == "0/2 nodes"


@pytest.mark.parametrize(
    ("terminated", "reason"),
    [
        ({"reason": "OOMKilled", "exitCode": 137}, "OOMKilled"),
        ({"reason": "Error", "exitCode": 137}, "EngineKilled"),
        ({"reason": "Error", "exitCode": 0, "signal": 9}, "EngineKilled"),
        ({"reason": "Error", "exitCode": 1}, "EngineExited"),
        ({"reason": "Completed", "exitCode": 0}, "EngineExited"),
    ],
)
def test_how_the_engine_ended(terminated: dict[str, Any], reason: str) -> None:
    ended = terminated | {"containerID": "c1", "finishedAt": "2026-01-02T03:04:05Z"}
    for status in ({"state": {"terminated": ended}}, {"state": {"running": {}}, "lastState": {"terminated": ended}}):
        facts = read_pod_facts(pod(**engine(**status)))
        assert facts.engine.exit is not None
        assert (facts.engine.exit.reason, facts.engine.exit.container_id) == (reason, "c1")
        assert facts.engine.restarts == 3


def test_what_the_engine_waits_for() -> None:
    facts = read_pod_facts(pod(**engine(state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})))
    assert (facts.engine.waiting_reason, facts.engine.waiting_message) == ("ImagePullBackOff", "no such image")


def test_the_size_of_the_engine_and_what_the_kubelet_says_of_it() -> None:
    began = "2026-01-02T03:04:05Z"
    resources = {"requests": {"memory": "256Mi", "cpu": "100m"}, "limits": {"memory": "1Gi"}}
    status = {
        "phase": "Running",
        "conditions": [
            {"type": "PodResizePending", "status": "True", "reason": "Deferred", "message": "no room", "lastTransitionTime": began},
            {"type": "PodResizeInProgress", "status": "True", "reason": "Error", "message": "in use"},
            {"type": "Ready", "status": "True", "lastTransitionTime": began},
        ],
        "containerStatuses": [{"name": "engine", "resources": {"limits": {"memory": "512Mi"}}}],
    }
    annotations = METADATA["annotations"] | {"tradingbot.dev/restart": "monday"}  # type: ignore[operator]  # METADATA is a plain mapping
    metadata = METADATA | {"creationTimestamp": began, "annotations": annotations}
    containers = [{"name": "other", "resources": {"limits": {"memory": "1Mi"}}}, {"name": "engine", "resources": resources}]
    facts = read_pod_facts({"metadata": metadata, "spec": {"containers": containers}, "status": status})
    assert facts.resize == ResizeFacts(
        memory_request="256Mi",
        memory_limit="1Gi",
        cpu_request="100m",
        actual_memory_limit="512Mi",
        pending_reason="Deferred",
        pending_message="no room",
        pending_since=parse_time(began),
        error="in use",
    )
    assert (facts.created_at, facts.ready_since, facts.restart_request) == (parse_time(began), parse_time(began), "monday")
    assert not facts.failed


def test_a_pod_that_has_ended_for_good() -> None:
    assert read_pod_facts(pod(status={"phase": "Failed", "reason": "Evicted"})).failed
