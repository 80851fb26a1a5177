"""Carrying out a plan on a real API server that does not take all of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot_rig import Rig, manifest
from tradingbot_operator.act import Actor
from tradingbot_operator.actions import ApplyChild, Notice, Plan
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.drift import Difference
from tradingbot_operator.errors import ConflictError
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kube import Kube
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import DESIRED_HASH
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import Metadata
from tradingbot_operator.term import endless_term


def test_what_stands_in_the_status_is_told_even_if_an_action_fails(rig: Rig, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next pass finds it in the status; what tells of the action itself is left to that pass, which takes the action anew."""
    monkeypatch.setenv("KUBECONFIG", str(rig.plane.api_server.kubeconfig("operator")))
    body = rig.api.create("tradingbots", namespace, manifest("sick"))
    metadata = Metadata(name="sick", namespace=namespace, uid=body["metadata"]["uid"])
    owner = {"apiVersion": "tradingbot.dev/v1alpha1", "kind": "TradingBot", "name": "sick", "uid": metadata.uid, "controller": True}
    child: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "sick-config", "namespace": namespace, "annotations": {DESIRED_HASH: "x"}, "ownerReferences": [owner]},
    }
    judged = rig.api.create("configmaps", namespace, child)
    rig.api.patch("configmaps", "sick-config", namespace, {"data": {"somebody": "was here since"}})
    plan = Plan(
        status=TradingBotStatus(message="the engine ran out of memory"),
        actions=(ApplyChild(child | {"data": {"a": "1"}}, Reason.CHANGED, resource_version=judged["metadata"]["resourceVersion"]),),
        notices=(Notice(Reason.OOM_KILLED, "the engine ended"), Notice(Reason.DRIFTED, "put back", of_action=True)),
        recheck_seconds=1.0,
    )

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), OperatorMetrics(), endless_term()) as kube:
            actor = Actor(kube, Cache(), Memory(), OperatorMetrics())
            with pytest.raises(ConflictError):
                await actor.act(BotKey(namespace, "sick"), body, metadata, plan)

    asyncio.run(scenario())
    bot = rig.bot(namespace, "sick")
    assert bot.status()["message"] == "the engine ran out of memory"
    assert [event["reason"] for event in bot.events()] == ["OOMKilled"]


def test_a_list_that_the_api_server_does_not_let_be_put_back_is_said(rig: Rig, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taken for a change that came between, it would be tried for ever, and with it all that comes after it would never be done."""
    monkeypatch.setenv("KUBECONFIG", str(rig.plane.api_server.kubeconfig("operator")))
    body = rig.api.create("tradingbots", namespace, manifest("calm"))
    metadata = Metadata(name="calm", namespace=namespace, uid=body["metadata"]["uid"])
    claim: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "calm-data", "namespace": namespace, "annotations": {DESIRED_HASH: "x"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    version = rig.api.create("persistentvolumeclaims", namespace, claim)["metadata"]["resourceVersion"]
    modes = Difference(("spec", "accessModes"), "1 elements", wanted_list=("ReadOnlyMany",))
    key, memory = BotKey(namespace, "calm"), Memory()

    async def act() -> bool:
        plan = Plan(actions=(ApplyChild(claim, Reason.DRIFTED, (modes,), resource_version=version),), recheck_seconds=1.0)
        async with Kube(build_kopf_settings(), OperatorMetrics(), endless_term()) as kube:
            return await Actor(kube, Cache(), memory, OperatorMetrics()).act(key, body, metadata, plan)

    assert asyncio.run(act()), "it is tried again"
    problem = memory.problem(key)
    assert problem is not None
    assert problem.reason is Reason.CHILD_REFUSED
    assert "apply PersistentVolumeClaim calm-data: " in problem.message
    rig.api.patch("persistentvolumeclaims", "calm-data", namespace, {"metadata": {"labels": {"somebody": "was-here"}}})
    with pytest.raises(ConflictError):
        asyncio.run(act())
