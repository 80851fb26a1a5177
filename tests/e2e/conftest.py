"""A real cluster with the operator installed by its chart, and a namespace for the bots of each test module.

Nothing here is faked: the cluster comes from ``tests/cluster``, the images from the Dockerfile, the operator from Helm. Every test
ends by looking through what the operator has logged since the test began.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from rig.bots import Bot
from rig.kube import Kube, Object
from rig.operator_log import OperatorLog
from rig.release import cluster, cluster_environment, install
from rig.strategy_image import load_strategy_image
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """Return the images of this checkout, which the cluster's nodes have."""
    cluster("up")
    names: dict[str, str] = json.loads(cluster("load"))
    return names


@pytest.fixture(scope="session")
def kube(images: dict[str, str]) -> Iterator[Kube]:
    """Return the cluster, with this checkout's operator on it."""
    kube = Kube(cluster_environment())
    install(kube, images)
    yield kube
    kube.close()


@pytest.fixture(scope="session")
def rehearsal(images: dict[str, str]) -> str:
    """Return the engine's image with the tests' own strategies in it: ``rehearsal:Hold`` and others."""
    return load_strategy_image(images["engine"])


@pytest.fixture(scope="session")
def leaving(kube: Kube) -> Iterator[list[str]]:
    """Return the namespaces that are being deleted; by the end of the run all of them must be gone."""
    names: list[str] = []
    yield names
    for name in names:
        _wait_gone(kube, name)


@pytest.fixture(scope="module")
def namespace(kube: Kube, request: pytest.FixtureRequest, leaving: list[str]) -> Iterator[str]:
    """Return a namespace of the module's own, under the restricted Pod Security standard."""
    name = "e2e-" + request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    _delete_namespace(kube, name)  # an interrupted run may have left it
    _wait_gone(kube, name)
    kube.make_namespace(name)
    yield name
    _delete_namespace(kube, name)
    leaving.append(name)


def _delete_namespace(kube: Kube, name: str) -> None:
    kube.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def _wait_gone(kube: Kube, name: str) -> None:
    eventually(f"the namespace {name} is gone", lambda: kube.get("namespaces", name, None) is None)


@pytest.fixture(scope="module")
def start(kube: Kube, namespace: str) -> StartBots:
    """Return a function that applies manifests at once and returns their bots; it does not wait for them."""

    def apply(*manifests: Object) -> list[Bot]:
        kube.apply(*manifests, namespace=namespace)
        return [Bot(kube, namespace, manifest["metadata"]["name"]) for manifest in manifests]

    return apply


@pytest.fixture(autouse=True)
def operator_log(kube: Kube) -> Iterator[OperatorLog]:
    """Return the operator's log since the test began, and fail the test if it tells of an error at its end."""
    log = OperatorLog(kube, datetime.now(UTC))
    yield log
    bad = log.bad_lines()
    if bad:
        print(*log.lines()[-100:], sep="\n", file=sys.stderr)
    assert not bad, f"the operator's log tells of errors: {bad}"
