"""Passes over a bot on a real API server: when the next one comes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot_rig import BotView, Rig
from tradingbot_operator.bot_metrics import BotSeries
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.fleet import Fleet
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kinds import BOT
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import ReportPoller
from tradingbot_operator.metrics_sources.report_view import Target
from tradingbot_operator.names import FIELD_MANAGER, MANAGED_BY_LABEL
from tradingbot_operator.queue import LONGEST_RETRY_SECONDS, WorkQueue
from tradingbot_operator.reconciler import Reconciler
from tradingbot_operator.resync import Resync
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.term import endless_term
from tradingbot_operator.timestamp import format_time

BACKOFF_SECONDS = 5
SYMBOLS = ["AAPL", "MSFT"]
RESTARTS = 3


@pytest.fixture(autouse=True)
def credentials(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Path:
    kubeconfig = rig.plane.api_server.kubeconfig("operator")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return kubeconfig


class Bench:
    """The parts of an operator that a pass needs. Its watches are the test's to play."""

    def __init__(self, kube: Kube, metrics: OperatorMetrics, namespace: str) -> None:
        self.queue: WorkQueue[BotKey] = WorkQueue()
        self.cache = Cache(self.queue.add)
        self.resync = Resync(kube, self.cache, self.queue.add, metrics, (namespace,))
        self.reconciler = Reconciler(
            settings=OperatorSettings(engine_image="tradingbot/engine:1"),
            kube=kube,
            cache=self.cache,
            queue=self.queue,
            poller=ReportPoller(self.cache, ask_nobody, self.queue.add, metrics, interval_seconds=5.0),
            fleet=Fleet(metrics),
            series=BotSeries(lambda: True),
            metrics=metrics,
            catch_up=self.resync.catch_up,
        )


async def ask_nobody(target: Target, query: str) -> bytes:
    raise TimeoutError(f"{target}{query}")


def crashing_pod(namespace: str, uid: str) -> dict[str, Any]:
    """Return a pod whose engine has just died again."""
    ended = {"exitCode": 1, "reason": "Error", "containerID": "containerd://3", "finishedAt": format_time(time.time())}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "sick-0",
            "namespace": namespace,
            "uid": uid,
            "resourceVersion": "1",
            "labels": {MANAGED_BY_LABEL: FIELD_MANAGER, "app.kubernetes.io/instance": "sick"},
        },
        "status": {"containerStatuses": [{"name": "engine", "restartCount": RESTARTS, "state": {"terminated": ended}}]},
    }


def test_a_child_that_is_refused_does_not_put_off_what_a_sick_engine_is_due(rig: Rig, namespace: str) -> None:
    """Whatever is in the way of a volume, the pause before the next restart is as long as it says."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    rig.api.create("persistentvolumeclaims", namespace, {**kind, "metadata": {"name": "sick-data"}, "spec": claim})
    bot = rig.create(namespace, "sick", health={"remediation": {"backoffSeconds": BACKOFF_SECONDS}})
    effort = {"shard": "sick-0", "failures": 1, "restarts": 1, "steps": ["RestartPod"], "at": format_time(time.time())}
    rig.api.patch("tradingbots", "sick", namespace, {"status": {"remediation": {"efforts": [effort]}}}, subresource="status")
    key, metrics = BotKey(namespace, "sick"), OperatorMetrics()

    async def scenario() -> float:
        async with Kube(build_kopf_settings(), metrics, endless_term()) as kube:
            bench = Bench(kube, metrics, namespace)
            body = await kube.get(BOT, namespace, "sick")
            assert body is not None
            bench.cache.put(body)
            bench.cache.put(crashing_pod(namespace, "pod-uid"))
            # It has been tried so often that the next try would be half a minute away at the least.
            while bench.queue.add_failed(key) < LONGEST_RETRY_SECONDS / 2:
                pass
            bench.queue.add(key)
            assert await bench.queue.take() == key
            await bench.reconciler._pass(key)
            bench.queue.done(key)
            due = bench.queue._timers[key].when() - asyncio.get_running_loop().time()
            bench.queue.close()
            return due

    assert asyncio.run(scenario()) <= 2 * BACKOFF_SECONDS
    assert bot.condition("Healthy")["reason"] == "CrashLooping"
    assert not bot.history()


def given_symbols(bot: BotView) -> list[str]:
    return [symbol for shard in bot.status().get("shards", []) for symbol in shard.get("symbols", [])]


def test_who_begins_to_lead_knows_what_was_claimed_last(rig: Rig, namespace: str) -> None:
    """Its watch may be some moments behind: it must not give away what the operator before it gave to somebody else."""
    second = rig.create(namespace, "second", broker={"account": namespace})
    metrics = OperatorMetrics()

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), metrics, endless_term()) as kube:
            bench = Bench(kube, metrics, namespace)
            await bench.resync.prime()
            # No watch is there to bring what comes now.
            rig.create(namespace, "first", broker={"account": namespace})
            held = {"account": namespace, "claimed": SYMBOLS, "shards": [{"name": "first-0", "symbols": SYMBOLS}]}
            rig.api.patch("tradingbots", "first", namespace, {"status": held}, subresource="status")
            work = asyncio.create_task(bench.reconciler.run())
            while not (given := given_symbols(second)) and second.status().get("phase") != "Refused":
                assert not work.done(), work.result()
                await asyncio.sleep(0.05)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            bench.queue.close()
            assert not given, "two engines would trade one symbol"

    asyncio.run(scenario())
    assert second.condition("Accepted")["reason"] == "AccountConflict"
