"""Every query of every panel has data, asked of a real Prometheus that scraped real bots, one of which was broken and healed.

Four bots together have all that a panel can show: one on Postgres and Redis that trades on news, one that is killed until the operator
restarts it, one that is killed and must be left alone, and one whose news can't be reached.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from prometheus_server import PrometheusServer
from rig.bots import Bot, manifest
from rig.kube import Kube, Object
from rig.scraping import SCRAPE_SECONDS, bot_ports, operator_ports, scraping
from rig.server_image import load_server_image
from rig.servers import POSTGRES, REDIS, Servers
from rig.waiting import eventually
from tradingbot_contract.endpoints import ENGINE_PORT, PERFORMANCE_PATH
from tradingbot_observability.preview.__main__ import DASHBOARDS, write_pages
from tradingbot_observability.preview.dashboard import ask, choose, panels, read_dashboard
from tradingbot_observability.preview.queries import PrometheusClient, Window
from tradingbot_operator.names import SKIP_REMEDIATION

StartBots = Callable[..., list[Bot]]
Key = tuple[str, str, int, str]
"""Dashboard, panel, its number, and the query's letter."""

CLAIM: Final = "models"
WITHOUT: Final = {
    ("operator", "Missed by watches"): "a watch would have to miss something",
    ("operator", "Failures with them"): "a call would have to fail",
    ("operator", "Objects for monitoring"): "this cluster has neither Prometheus operator nor Grafana",
    ("operator", "Round of Prometheus"): "this operator takes its reports from the pods",
}
"""Panels that may be empty here, and why."""


@pytest.fixture(scope="module")
def bots(kube: Kube, namespace: str, start: StartBots) -> list[Bot]:
    servers = Servers(kube, namespace, load_server_image())
    servers.start()
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
    claim: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}, "spec": storage}
    kube.apply(claim, namespace=namespace)
    left_alone = manifest("left-alone")
    left_alone["metadata"]["annotations"] = {SKIP_REMEDIATION: "true"}
    return start(
        manifest(
            "reader",
            strategy="sentiment",
            market=_market(200.0, {"type": "file", "file": {"data": "made-up-headlines"}}),
            prediction={"finbert": {"source": "/models/finbert"}, "volumeClaim": CLAIM},
            database={"urlSecretRef": {"name": POSTGRES}, "retention": {"equityPoints": 100}},
            redis={"urlSecretRef": {"name": REDIS}},
        ),
        manifest("unlucky"),
        left_alone,
        manifest(
            "waiting",
            market=_market(20.0, {"type": "http", "http": {"url": "http://news.invalid/items", "pollSeconds": 1}}),
            risk={"maxOrderNotional": 5000},
        ),
    )


@pytest.fixture(scope="module")
def prometheus(kube: Kube, bots: list[Bot]) -> Iterator[PrometheusServer]:
    ports = [port for bot in bots for port in bot_ports(bot)] + operator_ports(kube)
    with scraping(kube, ports) as server:
        yield server


@pytest.fixture(scope="module")
def began(prometheus: PrometheusServer, bots: list[Bot]) -> float:
    """Return since when everything has happened that is worth a series."""
    del prometheus
    began = time.time()
    reader, unlucky, left_alone, waiting = bots
    for bot in bots:
        bot.wait_trading()
        bot.wait_condition("Healthy", "True")
    # What is counted for the first time comes with a count of 1, and has not grown yet: some things have to happen twice.
    _look_and_tune(reader, waiting, limit=6000)
    while not unlucky.history():
        killed = unlucky.signal(signal.SIGKILL), left_alone.signal(signal.SIGKILL)
        for bot, at in zip((unlucky, left_alone), killed, strict=True):
            bot.wait_restarted(at)
    _look_and_tune(reader, waiting, limit=7000)
    return began


def _look_and_tune(looked_at: Bot, tuned: Bot, *, limit: int) -> None:
    """Look at a page that is made from a cache, and change what is followed live."""
    for _ in range(2):
        assert looked_at.kube.page(looked_at.namespace, f"{looked_at.name}-0", ENGINE_PORT, PERFORMANCE_PATH)
    tuned.wait_tuned(tuned.change(risk={"maxOrderNotional": limit}))


def _market(speed: float, news: Object) -> Object:
    return {"symbols": ["AAPL", "MSFT"], "feed": {"replay": {"speed": speed, "loop": True}}, "news": news}


def _choices(dashboard: str, bots: list[Bot]) -> list[dict[str, str]]:
    """Return what is chosen: on the bot's dashboard one bot after the other."""
    return [{"namespace": bot.namespace, "bot": bot.name} for bot in bots] if dashboard == "bot" else [{}]


def _count(client: PrometheusClient, window: Window, bots: list[Bot]) -> dict[Key, int]:
    """Return how many series each query gives, of all bots together."""
    found: dict[Key, int] = {}
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = read_dashboard(path)
        for wanted in _choices(path.stem, bots):
            variables = choose(client, dashboard, window, wanted)
            for panel in panels(dashboard):
                for asked in ask(client, panel, window, variables)[1]:
                    key = (path.stem, panel.title, panel.number, asked.target.reference)
                    found[key] = found.get(key, 0) + len(asked.series)
    return found


def test_every_query_of_every_panel_has_data(prometheus: PrometheusServer, began: float, bots: list[Bot]) -> None:
    client = PrometheusClient(prometheus.url)
    best: dict[Key, int] = {}

    def all_have() -> bool:
        counted = _count(client, Window(began, time.time(), SCRAPE_SECONDS), bots)
        best.update({key: max(number, best.get(key, 0)) for key, number in counted.items()})
        missing = [key for key, number in best.items() if not number and key[:2] not in WITHOUT]
        assert not missing, missing
        return True

    try:
        eventually("every query has data", all_have, within_seconds=60.0, every_seconds=2.0, explain=prometheus.log)
    finally:
        for (dashboard, panel, _, reference), number in best.items():
            print(f"{dashboard:<9} {panel:<45} {reference}  {number or WITHOUT.get((dashboard, panel), 'NOTHING')}")
    write_pages(prometheus.url, Window(began, time.time(), SCRAPE_SECONDS), _choices("bot", bots)[1])
