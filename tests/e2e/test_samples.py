"""Every sample is applied as it stands, with the addresses that it asks its reader to put in, and gets ready and trades.

They run side by side, because most of it is waiting. The first bot has a module of its own (test_first_bot.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rig.bots import Bot
from rig.kube import Kube, Object
from rig.release import ROOT
from rig.server_image import load_server_image
from rig.servers import POSTGRES, REDIS, Servers

FOLDER = ROOT / "manifests" / "samples"
SAMPLES = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "first-bot")

# What the full sample names, and a reader of it has in the cluster already.
PRIORITY = "trading"
MODELS: Object = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "models"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


@pytest.fixture(scope="module")
def priority(kube: Kube) -> Iterator[None]:
    kube.apply({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": PRIORITY}, "value": 1000}, namespace="")
    yield
    kube.kubectl("delete", "priorityclass", PRIORITY)


@pytest.fixture(scope="module")
def bots(kube: Kube, namespace: str, images: dict[str, str], priority: None) -> dict[str, Bot]:  # noqa: ARG001 - a bot has it
    """Return the bots of all samples, applied at once."""
    servers = Servers(kube, namespace, load_server_image())
    servers.start()
    for path in SAMPLES:
        kube.apply(*prepare(path, images["engine"], kube, namespace), namespace=namespace)
    kube.apply(MODELS, namespace=namespace)
    return {path.stem: Bot(kube, namespace, path.stem) for path in SAMPLES}


def prepare(path: Path, engine: str, kube: Kube, namespace: str) -> list[Object]:
    """Return a sample's objects with what a reader changes: the addresses of the servers, and the image's own registry."""
    changed: list[Object] = [found for found in yaml.safe_load_all(path.read_text()) if found]
    for found in changed:
        if found["kind"] == "Secret":
            server = REDIS if found["stringData"]["url"].startswith("redis") else POSTGRES
            own = kube.get("secrets", server, namespace)
            assert own is not None, f"there is no Secret {server}"
            found["data"] = own["data"]
            del found["stringData"]
        elif "image" in found.get("spec", {}).get("engine", {}):
            found["spec"]["engine"]["image"] = engine
    return changed


@pytest.mark.parametrize("name", [path.stem for path in SAMPLES])
def test_a_sample_gets_ready_and_trades(bots: dict[str, Bot], name: str) -> None:
    bot = bots[name]
    bot.wait_condition("Accepted", "True")
    bot.wait_condition("Ready", "True", within_seconds=180.0)
    first = bot.wait_trading()
    bot.wait_trading(beyond_bars=first.bars)
    assert [container["restartCount"] for pod in bot.pods() for container in pod["status"]["containerStatuses"]] == [0] * len(bot.pods())


def test_the_sharded_sample_has_two_engines_that_share_its_symbols(bots: dict[str, Bot]) -> None:
    bot = bots["sharded"]
    bot.wait_condition("Ready", "True")
    shards = bot.status()["shards"]
    assert len(shards) == len(bot.pods()) == 2
    symbols = [symbol for shard in shards for symbol in shard["symbols"]]
    assert sorted(symbols) == sorted(bot.read()["spec"]["market"]["symbols"])
