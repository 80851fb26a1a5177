"""From nothing to a bot that trades, on to the next version, and away again: by Helm, and by kubectl. Engines notice none of it.

The suite's own installation is taken away before each test, CRD and all, so no other module may have a bot; it is put back at the end, and
Helm is the last to install, because what kubectl has applied remains its own beside Helm.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from rig.bots import Bot
from rig.kube import Kube, KubectlError
from rig.operator_log import OperatorLog
from rig.operators import Operators
from rig.previous_chart import VERSION, write_previous_chart
from rig.release import DEPLOYMENT, NAMESPACE, RELEASE, ROOT, install, uninstall, wipe
from rig.waiting import eventually

MANIFESTS = ROOT / "manifests"
SAMPLE = MANIFESTS / "samples" / "first-bot.yaml"
NEW_FIELD = "spec.risk.maxOpenOrders"


class Process(NamedTuple):
    """Which engine runs: another one of any of these is a restart."""

    pod_uid: str
    container_id: str
    started_at: float


@pytest.fixture(scope="module", autouse=True)
def put_back(kube: Kube, images: dict[str, str], leaving: list[str]) -> Iterator[None]:
    """Wait until no other module has a bot, and put the suite's installation back at the end."""
    # Bots of modules before this one may wait for the operator before they go.
    eventually("no bot is left", lambda: not [bot for name in leaving for bot in kube.items("tradingbots", name)])
    yield
    try:
        install(kube, images)
    except KubectlError:  # objects that are not Helm's alone, after a test that failed in the middle
        wipe(kube)
        install(kube, images)


@pytest.fixture(autouse=True)
def nothing_installed(kube: Kube, put_back: None) -> None:  # noqa: ARG001 - what is taken away here comes back there
    """Hold that nothing is there when a test begins."""
    wipe(kube)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long something took."""
    started = time.monotonic()
    yield
    print(f"\n{what}: {time.monotonic() - started:.1f} s", flush=True)


def process(bot: Bot) -> Process:
    status = bot.wait_trading()
    return Process(bot.pod_uid(), bot.container()["containerID"], status.started_at)


def apply_sample(kube: Kube, namespace: str) -> Bot:
    kube.kubectl("-n", namespace, "apply", "-f", str(SAMPLE))
    bot = Bot(kube, namespace, yaml.safe_load(SAMPLE.read_text())["metadata"]["name"])
    bot.wait_condition("Ready", "True")
    return bot


def served_fields(kube: Kube, path: str) -> str:
    return kube.kubectl("explain", path)


def trades_on(bot: Bot, before: Process) -> None:
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 20)
    assert process(bot) == before, "the engine was restarted"
    assert bot.container()["restartCount"] == 0


def test_kubectl_installs_the_same_without_helm(kube: Kube, images: dict[str, str], namespace: str, tmp_path: Path) -> None:
    (tmp_path / "base").symlink_to(MANIFESTS)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay(images)))
    with timed("kubectl apply of install.yaml, to a bot that is ready"):
        manifest = kube.kubectl("kustomize", "--load-restrictor", "LoadRestrictionsNone", str(tmp_path))
        kube.kubectl("apply", "--server-side", "-f", "-", stdin=manifest)
        kube.kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=120s")
        kube.kubectl("wait", "--for=condition=Established", "crd/tradingbots.tradingbot.dev", "--timeout=60s")
        bot = apply_sample(kube, namespace)
    before = process(bot)
    assert not [found for found in yaml.safe_load_all(manifest) if "helm.sh/chart" in found["metadata"].get("labels", {})]
    # Helm can take it over, without a restart of any engine. Fields of the same value keep kubectl as a second owner, so a later upgrade
    # that changes one has to be forced, too.
    with timed("helm upgrade --install --take-ownership"):
        install(kube, images, flags=("--take-ownership", "--force-conflicts"))
    trades_on(bot, before)
    bot.delete()
    # A bot of the same name that came at once would meet this one's pod, on its way out.
    eventually("nothing of it is left", lambda: not [name for kind in ("statefulsets", "pods") for name in kube.items(kind, namespace)])


def test_helm_installs_upgrades_and_goes_and_no_engine_notices(
    kube: Kube, images: dict[str, str], namespace: str, operator_log: OperatorLog, tmp_path: Path
) -> None:
    # From nothing, with the version of before.
    previous = write_previous_chart(tmp_path, without=NEW_FIELD)
    with timed("from nothing to a bot that is ready"):
        with timed("helm install"):
            notes = install(kube, images, chart=previous)
        bot = apply_sample(kube, namespace)
    assert "helm test" in notes
    before = process(bot)
    section, _, field = NEW_FIELD.removeprefix("spec.").partition(".")
    assert field not in served_fields(kube, f"tradingbot.spec.{section}")
    # The test tells that this CRD does not go with this operator.
    with pytest.raises(KubectlError) as refused:
        kube.run("helm", "test", RELEASE, "--namespace", NAMESPACE, "--timeout", "120s")
    told = kube.kubectl("-n", NAMESPACE, "logs", f"{DEPLOYMENT}-test")
    print(refused.value, told, sep="\n")
    assert f"the CRD is older than this operator and lacks {NEW_FIELD}; upgrade the CRD" in told

    # The upgrade brings the CRD, and the field works at once.
    operator_log.keep()
    with timed("helm upgrade, with a changed CRD"):
        install(kube, images)
    Operators(kube).wait_ready()
    assert VERSION not in kube.run("helm", "list", "--namespace", NAMESPACE)
    assert field in served_fields(kube, f"tradingbot.spec.{section}")
    with timed("helm test"):
        told = kube.run("helm", "test", RELEASE, "--namespace", NAMESPACE, "--logs", "--timeout", "120s")
    print(told)
    assert "installation check passed" in told
    bot.wait_tuned(bot.change(**{section: {field: 7}}))
    trades_on(bot, before)

    # The uninstall takes the operator alone.
    operator_log.keep()
    with timed("helm uninstall"):
        said = uninstall(kube)
    assert "CustomResourceDefinition" in said, "Helm tells what it keeps"
    assert kube.kubectl("-n", namespace, "get", "tradingbots", "--no-headers").split()[0] == bot.name
    trades_on(bot, before)

    # Installed anew, it takes over what is there.
    with timed("helm install beside a bot that trades"):
        install(kube, images)
    bot.wait_tuned(bot.change(**{section: {field: 8}}))
    bot.wait_condition("Ready", "True")
    trades_on(bot, before)
    bot.delete()
    # A bot of the same name that came at once would meet this one's pod, on its way out.
    eventually("nothing of it is left", lambda: not [name for kind in ("statefulsets", "pods") for name in kube.items(kind, namespace)])


def overlay(images: dict[str, str]) -> dict[str, object]:
    """Return a kustomization like that of docs/how-to/install.md, for images of one's own."""
    repository, _, tag = images["operator"].rpartition(":")
    container = {"name": "operator", "env": [{"name": "TRADINGBOT_OPERATOR_ENGINE_IMAGE", "value": images["engine"]}]}
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "images": [{"name": "tradingbot/operator", "newName": repository, "newTag": tag}],
        "patches": [{"patch": yaml.safe_dump(patch)}],
    }
