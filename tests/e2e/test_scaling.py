"""``kubectl scale`` moves symbols between engines that share a database, and at no moment may two engines trade the same one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube, KubectlError, Object
from rig.server_image import load_server_image
from rig.servers import POSTGRES, Servers
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

SYMBOLS: Final = ["AAPL", "GOOG", "IBM", "MSFT"]


class Owners:
    """Asks all engines of a bot again and again, all at once, which symbols they may trade; keeps what two of them named."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._ended = threading.Event()
        self.looks = 0
        self.doubles: list[str] = []

    def watch(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            while not self._ended.wait(0.1):
                # A pod that is on its way out may still trade.
                label = f"app.kubernetes.io/instance={self._bot.name}"
                pods = self._bot.kube.items("pods", self._bot.namespace, labelSelector=label)
                owners: dict[str, str] = {}
                for pod, status in zip(pods, pool.map(self._ask, pods), strict=True):
                    for symbol in (*status[0], *status[1]):
                        name = pod["metadata"]["name"]
                        if owners.setdefault(symbol, name) != name:
                            self.doubles.append(f"{symbol}: {owners[symbol]} and {name}")
                self.looks += 1

    def end(self) -> None:
        self._ended.set()

    def _ask(self, pod: Object) -> tuple[tuple[str, ...], tuple[str, ...]]:
        status = self._bot.engine_of(pod)
        return ((status.symbols or ()), (status.busy_symbols or ())) if status else ((), ())


@pytest.fixture
def bot(kube: Kube, namespace: str, start: StartBots) -> Bot:
    Servers(kube, namespace, load_server_image()).start()
    database = {"urlSecretRef": {"name": POSTGRES}, "healthIntervalSeconds": 1}
    market: dict[str, Any] = {"symbols": SYMBOLS, "feed": {"replay": {"speed": 20, "loop": True}}}
    (started,) = start(manifest("scaled", market=market, database=database, lifecycle={"updatePolicy": "Flatten"}))
    started.wait_trading()
    started.wait_condition("Ready", "True")
    return started


@pytest.fixture
def owners(bot: Bot) -> Iterator[Owners]:
    watched = Owners(bot)
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watched.watch)
        try:
            yield watched
        finally:
            watched.end()
            watching.result()


def settled(bot: Bot, replicas: int) -> bool:
    """Return whether there are so many engines, which trade all symbols between them, each with its own."""
    pods = bot.pods()
    assert len(pods) == replicas, [pod["metadata"]["name"] for pod in pods]
    traded = [status.symbols for pod in pods if (status := bot.engine_of(pod)) is not None and status.symbols]
    assert len(traded) == replicas, traded
    assert sorted(symbol for symbols in traded for symbol in symbols) == SYMBOLS, traded
    assert bot.status()["replicas"] == replicas
    return sorted(symbol for shard in bot.status()["shards"] for symbol in shard["symbols"]) == SYMBOLS


def test_no_symbol_has_two_engines_while_a_bot_is_scaled(kube: Kube, bot: Bot, owners: Owners) -> None:
    for replicas in (3, 2, 1):
        kube.kubectl("-n", bot.namespace, "scale", "tradingbot", bot.name, f"--replicas={replicas}")
        eventually(f"{replicas} engines trade", partial(settled, bot, replicas), within_seconds=180.0, explain=bot.explain)
        bot.wait_condition("Ready", "True")
        bot.wait_condition("Healthy", "True")
    assert owners.looks > 100
    assert not owners.doubles
    assert not bot.history(), "scaling is no remediation"


def test_more_engines_without_a_shared_database_are_refused(kube: Kube, namespace: str, start: StartBots) -> None:
    (alone,) = start(manifest("alone"))
    with pytest.raises(KubectlError, match="database"):
        kube.kubectl("-n", namespace, "scale", "tradingbot", alone.name, "--replicas=2")
