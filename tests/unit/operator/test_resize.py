"""Memory and CPU in place: what is asked for, what is said while it waits, and when only a restart is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tradingbot_operator.bot_status import Adjustment, Shard
from tradingbot_operator.health import assess
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resize import QUOTA_SECONDS, Resize, plan_resize
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.world import PodFacts, ReportView, ResizeFacts, ResizeRefusal

Make = Callable[..., Any]
AS_WANTED = ResizeFacts(memory_request="256Mi", memory_limit="512Mi", cpu_request="100m", actual_memory_limit="536870912", cpu_limit="")
GRANTED = Adjustment(memory_limit="700Mi")


def shard(pod: PodFacts | None, make_bot: Make) -> ShardView:
    verdict = assess(pod, ReportView(), make_bot().spec.health)
    return ShardView(number=0, name="calm-0", before=Shard(name="calm-0"), pod=pod, view=ReportView(), verdict=verdict, engine=None)


@pytest.fixture
def planned(make_bot: Make, make_pod: Make, now: float) -> Callable[..., Resize]:
    def make(*, adjustment: Adjustment | None = None, refusal: ResizeRefusal | None = None, **facts: Any) -> Resize:
        resources = facts.pop("resources", {})
        pod = make_pod(resize=msgspec.structs.replace(AS_WANTED, **facts))
        return plan_resize(shard(pod, make_bot), make_bot(engine={"resources": resources}), adjustment, refusal, now=now)

    return make


def test_what_has_its_size_is_left_alone(planned: Callable[..., Resize]) -> None:
    assert planned() == Resize()
    assert planned(memory_limit="536870912", cpu_request="0.1") == Resize(), "the API server writes quantities in its own way"


def test_a_pod_that_goes_or_is_not_there_is_left_alone(make_bot: Make, make_pod: Make, now: float) -> None:
    for pod in (None, make_pod(terminating=True, resize=ResizeFacts(memory_limit="1Mi")), make_pod()):
        assert plan_resize(shard(pod, make_bot), make_bot(), None, None, now=now) == Resize()


def test_a_size_that_differs_is_asked_for_whole(planned: Callable[..., Resize]) -> None:
    action = planned(resources={"limits": {"memory": "1Gi", "cpu": "2"}}).action
    assert action is not None
    assert (action.requests, action.limits) == ({"memory": "256Mi", "cpu": "100m"}, {"memory": "1Gi", "cpu": "2"})


def test_what_remediation_granted_comes_before_the_spec(planned: Callable[..., Resize]) -> None:
    action = planned(adjustment=GRANTED).action
    assert action is not None
    assert action.limits == {"memory": "700Mi"}


@pytest.mark.parametrize(
    ("facts", "reason", "needs_restart"),
    [
        ({"pending_reason": "Infeasible", "pending_message": "Node didn't have enough capacity"}, Reason.RESIZE_INFEASIBLE, True),
        ({"pending_reason": "Deferred", "pending_since": 1_800_000_000.0 - 10}, Reason.RESIZE_DEFERRED, False),
        ({"pending_reason": "Deferred", "pending_since": 1_800_000_000.0 - 300}, Reason.RESIZE_INFEASIBLE, True),
        ({"error": "memory is in use"}, Reason.RESIZE_DEFERRED, False),
        ({"actual_memory_limit": "256Mi"}, None, False),
        ({"cpu_limit": "2"}, Reason.RESIZE_INFEASIBLE, True),
    ],
)
def test_why_it_waits(planned: Callable[..., Resize], facts: dict[str, Any], reason: Reason | None, needs_restart: bool) -> None:
    found = planned(**facts)
    assert (found.action, found.reason, found.needs_restart) == (None, reason, needs_restart)
    assert found.message


def test_a_larger_limit_that_was_granted_is_no_reason_to_end_a_sick_engine(planned: Callable[..., Resize]) -> None:
    found = planned(adjustment=GRANTED, memory_limit="700Mi", pending_reason="Infeasible")
    assert (found.reason, found.needs_restart) == (Reason.RESIZE_INFEASIBLE, False)


def test_what_a_quota_refuses_is_asked_for_again_and_is_no_reason_for_a_restart(planned: Callable[..., Resize], now: float) -> None:
    size = {"memory": "256Mi", "cpu": "100m"}, {"memory": "1Gi"}
    for ago_seconds, again in ((0.0, False), (QUOTA_SECONDS - 1.0, False), (QUOTA_SECONDS, True), (-3600.0, False)):
        refusal = ResizeRefusal(*size, "exceeded quota: desk", over_quota_at=now - ago_seconds)
        found = planned(resources={"limits": {"memory": "1Gi"}}, refusal=refusal)
        assert (found.reason, found.needs_restart, found.action is not None) == (Reason.RESIZE_DEFERRED, False, again)
        assert "exceeded quota: desk" in found.message
        assert found.recheck_seconds


def test_what_the_api_server_refused_is_not_asked_for_again(planned: Callable[..., Resize]) -> None:
    size = ({"memory": "256Mi", "cpu": "100m"}, {"memory": "1Gi"})
    refusal = ResizeRefusal(*size, "the API server has no pods/resize")
    found = planned(resources={"limits": {"memory": "1Gi"}}, refusal=refusal)
    assert (found.action, found.reason, found.needs_restart) == (None, Reason.RESIZE_INFEASIBLE, True)
    assert planned(resources={"limits": {"memory": "2Gi"}}, refusal=refusal).action is not None, "another size may be taken"
