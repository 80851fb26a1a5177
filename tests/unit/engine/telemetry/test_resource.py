from __future__ import annotations

from pathlib import Path

from tradingbot_contract.document import VERSION
from tradingbot_engine.telemetry.resource import read_resource

POD = {"TRADINGBOT_POD_UID": "u-1", "TRADINGBOT_POD_NAME": "momentum-3"}

DOCUMENT = f"""
apiVersion: {VERSION}
bot: {{namespace: alpha, name: momentum, uid: b-1, shard: 3}}
generation: 1
strategy: {{name: ema-cross}}
market: {{symbols: [AAPL]}}
broker: {{}}
risk: {{}}
database: {{}}
cache: {{}}
health: {{}}
observability: {{}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_in_a_pod_the_resource_names_bot_and_pod(tmp_path: Path) -> None:
    assert read_resource(written(tmp_path, DOCUMENT), POD) == {
        "service.name": "tradingbot-engine",
        "service.instance.id": "u-1",
        "tradingbot.bot": "momentum",
        "tradingbot.shard": "3",
        "k8s.namespace.name": "alpha",
        "k8s.statefulset.name": "momentum",
        "k8s.pod.name": "momentum-3",
        "k8s.pod.uid": "u-1",
        "k8s.container.name": "engine",
    }


def test_without_a_cluster_there_is_no_pod_and_each_process_is_an_instance(tmp_path: Path) -> None:
    path = written(tmp_path, DOCUMENT)
    one, other = read_resource(path, {}), read_resource(path, {})
    assert set(one) == {"service.name", "service.instance.id", "tradingbot.bot", "tradingbot.shard"}
    assert one["service.instance.id"] != other["service.instance.id"]


def test_a_document_that_can_not_be_read_keeps_nobody_from_starting(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", written(tmp_path, "bot: [")):
        assert read_resource(path, POD) == {"service.name": "tradingbot-engine", "service.instance.id": "u-1"}
