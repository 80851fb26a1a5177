"""A real Prometheus with the configuration of the how-to scrapes a real engine, observer and operator: its series have the labels that
rules and dashboards rely on. What discovery in a cluster would say of the pods, the test says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot_rig import Rig, eventually
from prometheus_server import PrometheusServer
from server_process import free_port
from tradingbot_contract.document import render_document
from tradingbot_contract.metrics import BARS, OBSERVER_TIME, prometheus_name

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "observer"))

import observer_rig

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "how-to" / "prometheus.md"
BOT_LABELS = {"namespace": "trading", "pod": "first-0", "bot": "first", "job": "tradingbot"}
OPERATOR_LABELS = {"namespace": "ops", "pod": "tradingbot-operator-abc", "job": "tradingbot-operator"}


def documented_jobs() -> list[dict[str, Any]]:
    """Return the scrape configuration that the page tells people to use."""
    (text,) = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if block.startswith("scrape_configs:")]
    jobs: list[dict[str, Any]] = yaml.safe_load(text)["scrape_configs"]
    return jobs


def discovered(namespace: str, pod: str, container: str, port_name: str, labels: dict[str, str], **annotations: str) -> dict[str, str]:
    """Return what Prometheus finds out about a port of a pod."""
    found = {"namespace": namespace, "pod_name": pod, "pod_container_name": container, "pod_container_port_name": port_name}
    found |= {"pod_phase": "Running"}
    found |= {f"pod_label_{re.sub('[^a-z]', '_', name)}": value for name, value in labels.items()}
    found |= {f"pod_annotation_prometheus_io_{name}": value for name, value in annotations.items()}
    return {f"__meta_kubernetes_{name}": value for name, value in found.items()}


def of_bot(container: str, *, scrape: str = "true", name: str = "first") -> dict[str, str]:
    labels = {"app.kubernetes.io/name": "tradingbot", "app.kubernetes.io/component": "engine", "app.kubernetes.io/instance": name}
    return discovered("trading", f"{name}-0", container, container, labels, scrape=scrape, path="/metrics")


def of_operator() -> dict[str, str]:
    labels = {"app.kubernetes.io/name": "tradingbot-operator", "app.kubernetes.io/component": "operator"}
    return discovered("ops", "tradingbot-operator-abc", "operator", "http", labels)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[observer_rig.Rig]:
    """Return an engine that trades, with an observer."""
    rig = observer_rig.Rig(tmp_path)
    try:
        rig.write(render_document(observer_rig.document()))
        rig.start_engine()
        rig.start_observer()
        yield rig
    finally:
        rig.stop()


def test_the_documented_configuration_gives_the_labels_that_rules_and_dashboards_rely_on(
    rig: Rig, namespace: str, bot: observer_rig.Rig
) -> None:
    with rig.operator(namespace) as operator, PrometheusServer(jobs=documented_jobs()) as prometheus:
        rig.create(namespace, "calm")
        prometheus.set_targets(
            {
                bot.engine_port: of_bot("engine"),
                bot.observer_port: of_bot("observer"),
                operator.port: of_operator(),
                # Neither a bot that is to be left alone nor a stranger is scraped, whatever answers there.
                free_port(): of_bot("engine", scrape="false", name="quiet"),
                free_port(): discovered("web", "shop-0", "shop", "http", {"app.kubernetes.io/name": "shop"}, scrape="true"),
            }
        )

        def labels(query: str) -> dict[str, str]:
            found = prometheus.query(query)
            assert len(found) == 1, f"{query}: {found}"
            measured: dict[str, str] = found[0]["metric"]
            return measured

        def without(found: dict[str, str], *names: str) -> dict[str, str]:
            return {name: value for name, value in found.items() if name not in {"__name__", "instance", *names}}

        ups = eventually("three pages are scraped", lambda: found if len(found := prometheus.query("up == 1")) == 3 else None)
        assert len(prometheus.query("up")) == 3
        engine, observer = BOT_LABELS | {"container": "engine"}, BOT_LABELS | {"container": "observer"}
        scraped = {tuple(sorted(without(up["metric"]).items())) for up in ups}
        assert scraped == {tuple(sorted(each.items())) for each in (engine, observer, OPERATOR_LABELS)}

        bars = eventually("bars are counted", lambda: labels(f'{prometheus_name(BARS)}{{symbol="AAPL"}}'))
        assert without(bars, "symbol") == engine
        seen = eventually("the observer looks", lambda: labels(prometheus_name(OBSERVER_TIME)))
        assert without(seen) == observer
        phase = eventually("the operator shows its bot", lambda: labels(f'tradingbot_bot_phase{{bot_namespace="{namespace}"}}'))
        assert without(phase, "phase") == OPERATOR_LABELS | {"bot_namespace": namespace, "bot": "calm"}
        counts = {
            found["metric"].get("container", "operator"): int(found["value"][1])
            for found in prometheus.query('count by (container) ({job=~"tradingbot.*", __name__!~"up|scrape_.*"})')
        }
        print(f"series: {counts}")
        assert max(counts.values()) < 1000, "a tenth of what one page may have"
