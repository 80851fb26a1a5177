"""What of all that the cache holds a pass takes for the bot's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import ReportPoller
from tradingbot_operator.metrics_sources.report_view import Target
from tradingbot_operator.names import MANAGED_BY_LABEL, shard_of
from tradingbot_operator.observe import observe, read_status
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import FleetFacts

CALM = BotKey("bots", "calm")


async def ask_nobody(target: Target, query: str) -> bytes:
    raise TimeoutError(f"{target}{query}")


def labelled_pod(name: str, version: int) -> dict[str, Any]:
    """Return a pod as anybody may make one who may make pods: a copy, with the labels of a bot's."""
    labels = {MANAGED_BY_LABEL: "tradingbot-operator", "app.kubernetes.io/instance": "calm"}
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "bots", "uid": name, "resourceVersion": str(version), "labels": labels}}


@pytest.mark.parametrize(
    ("pod", "shard"),
    [
        ("calm-0", 0),
        ("calm-63", 63),
        ("calm-64", None),
        ("calm-20261121", None),
        ("calm-99999999999999999999", None),
        ("calm-00", None),
        ("calm-0-debug", None),
        ("calm-", None),
        ("calm", None),
        ("calmer-0", None),
    ],
)
def test_a_pod_is_of_a_shard_that_the_bot_could_have_or_of_none(make_bot: Callable[..., TradingBot], pod: str, shard: int | None) -> None:
    assert shard_of(make_bot(), pod) == shard


def test_a_copy_of_a_pod_is_none_of_the_bots(make_body: Callable[..., dict[str, Any]]) -> None:
    cache = Cache()
    for version, name in enumerate(("calm-0", "calm-0-debug", "calm-20261121"), start=1):
        cache.put(labelled_pod(name, version))
    poller = ReportPoller(cache, ask_nobody, lambda _: None, OperatorMetrics(), interval_seconds=5.0)
    world = observe(make_body(), CALM, cache, poller, Memory(), fleet=FleetFacts(), now=0.0)
    assert [pod.name for pod in world.pods] == ["calm-0"]
    assert set(world.reports) == {"calm-0"}


def test_a_bot_in_a_new_namespace_does_not_wait_for_the_old_one_of_that_name_to_go(
    make_body: Callable[..., dict[str, Any]], now: float
) -> None:
    """`kubectl delete ns x`, `create ns x`, `apply` follow each other within seconds."""
    memory, cache = Memory(), Cache()
    poller = ReportPoller(cache, ask_nobody, lambda _: None, OperatorMetrics(), interval_seconds=5.0)
    memory.note_namespace_going("bots", now=now)
    for created_at, is_going in ((now - 60.0, True), (now + 3.0, False)):
        body = make_body()
        body["metadata"]["creationTimestamp"] = format_time(created_at)
        world = observe(body, CALM, cache, poller, memory, fleet=FleetFacts(), now=now + 5.0)
        assert world.namespace_terminating is is_going


def test_a_bot_that_was_deleted_while_no_operator_was_there_has_all_its_time_left(
    make_body: Callable[..., dict[str, Any]], now: float
) -> None:
    """Its engine hears of it only now; nor does a clock that is a minute ahead of the API server's take the time away."""
    memory, cache = Memory(), Cache()
    poller = ReportPoller(cache, ask_nobody, lambda _: None, OperatorMetrics(), interval_seconds=5.0)

    def seen_at(uid: str, at: float, **metadata: str) -> float | None:
        body = make_body()
        body["metadata"] |= {"uid": uid} | metadata
        return observe(body, CALM, cache, poller, memory, fleet=FleetFacts(), now=at).deletion_seen_at

    deleted = {"deletionTimestamp": format_time(now - 3600.0)}
    assert seen_at("first", now) is None
    assert seen_at("first", now + 1.0, **deleted) == now + 1.0
    assert seen_at("first", now + 9.0, **deleted) == now + 1.0
    # Another bot of its name has a time of its own, and so has one that comes after it was forgotten.
    assert seen_at("second", now + 20.0, **deleted) == now + 20.0
    memory.forget(CALM)
    assert seen_at("second", now + 30.0, **deleted) == now + 30.0


def test_what_a_later_version_has_written_ends_no_pass_of_this_one(make_body: Callable[..., dict[str, Any]]) -> None:
    def condition(kind: str, reason: str) -> dict[str, Any]:
        return {"type": kind, "status": "True", "reason": reason}

    def decision(action: str, reason: str) -> dict[str, Any]:
        return {"time": "2026-01-01T00:00:00Z", "action": action, "reason": reason}

    taken = [decision("RestartPod", "EngineSilent"), decision("RestartPod", "Haunted"), decision("Exorcise", "EngineSilent")]
    body = make_body()
    body["status"] = {
        "conditions": [condition("Accepted", "Accepted"), condition("Ready", "ReadyAsNeverBefore")],
        "remediation": {"history": taken, "budget": {"maxActions": 12, "level": 3.0}},
        "shards": [{"name": "calm-0", "symbols": ["AAPL"], "quarantine": {"reason": "Haunted"}}],
    }
    status = read_status(body)
    assert [condition.type for condition in status.conditions] == ["Accepted"]
    assert [(decision.action, decision.reason) for decision in status.remediation.history] == [("RestartPod", "EngineSilent")]
    # What is left of the budget, and who is fenced, is read all the same.
    assert status.remediation.budget is not None
    assert status.remediation.budget.level == 3.0
    assert status.shards[0].quarantine is not None
