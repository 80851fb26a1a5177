"""A watch that brings nothing, against a real API server: it is found out by what the lists show."""

from __future__ import annotations

import asyncio

import pytest

from bot_rig import Rig
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kinds import BOT, kind_of
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import FIELD_MANAGER, MANAGED_BY_LABEL
from tradingbot_operator.resync import Resync
from tradingbot_operator.term import Term
from tradingbot_operator.watch_health import WatchKey, find_dead

CONFIG_MAP = kind_of("ConfigMap")


def test_a_watch_that_misses_changes_in_two_lists_is_dead_and_one_that_brings_them_is_not(
    rig: Rig, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(rig.plane.api_server.kubeconfig("operator")))
    metrics, cache, woken = OperatorMetrics(), Cache(), set[BotKey]()

    def make(name: str) -> None:
        labels = {MANAGED_BY_LABEL: FIELD_MANAGER, "app.kubernetes.io/instance": name}
        rig.api.create("configmaps", namespace, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})

    async def bring_bots(resync: Resync) -> None:
        """Play the watch of bots: it lives."""
        while True:
            for item in rig.api.items("tradingbots", namespace):
                if cache.put({"apiVersion": BOT.api_version, "kind": BOT.name} | item) is not None:
                    resync.note_event(BOT, namespace)
            await asyncio.sleep(0.2)

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), metrics, Term()) as kube:
            resync = Resync(kube, cache, woken.add, metrics, (namespace,))
            await resync.prime()
            watch = asyncio.create_task(bring_bots(resync))
            for number in range(2):
                assert not find_dead(resync.watches)
                make(f"made-{number}")
                rig.create(namespace, f"bot-{number}")
                await resync._list(resync._compare)
                assert BotKey(namespace, f"made-{number}") in woken, "what was missed is taken in all the same"
            assert find_dead(resync.watches) == (WatchKey(CONFIG_MAP.name, namespace),)
            assert resync.watches[WatchKey(CONFIG_MAP.name, namespace)].missed == f"{namespace}/made-1"
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(scenario())
    assert metrics.registry.get_sample_value("tradingbot_operator_watch_missed_total", {"kind": "ConfigMap"}) == 2.0
    assert not metrics.registry.get_sample_value("tradingbot_operator_watch_missed_total", {"kind": "TradingBot"})
