"""An operator that is told its namespaces lives with the rights of a Role in each, and leaves all other bots alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube, KubectlError
from rig.release import NAMESPACE, RELEASE, install

StartBots = Callable[..., list[Bot]]


@pytest.fixture
def elsewhere(kube: Kube, namespace: str, leaving: list[str]) -> Iterator[Bot]:
    """Return a bot in a namespace that the operator is not told of."""
    name = f"{namespace}-not"
    kube.make_namespace(name)
    kube.apply(manifest("unwatched"), namespace=name)
    yield Bot(kube, name, "unwatched")
    kube.kubectl("delete", "namespace", name, "--wait=false")
    leaving.append(name)


@pytest.fixture
def watching_one_namespace(kube: Kube, images: dict[str, str], namespace: str) -> Iterator[None]:
    install(kube, images, f"watchNamespaces={{{namespace}}}")
    yield
    install(kube, images)


def may(kube: Kube, verb: str, resource: str, namespace: str) -> bool:
    account = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
    try:
        return kube.kubectl("auth", "can-i", verb, resource, "-n", namespace, "--as", account).strip() == "yes"
    except KubectlError:  # kubectl ends with an error when the answer is no
        return False


@pytest.mark.usefixtures("watching_one_namespace")
def test_it_runs_the_bots_of_its_namespaces_and_no_others(kube: Kube, namespace: str, start: StartBots, elsewhere: Bot) -> None:
    assert may(kube, "patch", "statefulsets.apps", namespace)
    assert not may(kube, "list", "tradingbots.tradingbot.dev", elsewhere.namespace)
    (bot,) = start(manifest("watched"))
    bot.wait_trading()
    bot.wait_condition("Ready", "True")
    assert elsewhere.status() == {}
    assert not elsewhere.children()
