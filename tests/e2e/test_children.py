"""What the operator makes for a bot stays as it made it, nothing more and nothing less."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from rig.bots import Bot, manifest
from rig.kube import CHILDREN, Object
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]


@pytest.fixture(scope="module")
def drifting(start: StartBots) -> Bot:
    """Return a bot that trades and is meddled with."""
    (started,) = start(manifest("drifting"))
    started.wait_trading()
    started.wait_condition("Ready", "True")
    started.wait_condition("Healthy", "True")
    return started


def the(bot: Bot, kind: str) -> Object:
    """Return the bot's only child of a kind."""
    (found,) = [child for name, child in bot.children().items() if name.startswith(f"{kind}/")]
    return found


def value_at(child: Object, pointer: str) -> Any:
    """Return what a JSON pointer points at, or None."""
    node: Any = child
    for key in pointer.removeprefix("/").split("/"):
        word = key.replace("~1", "/")
        node = node[int(word)] if isinstance(node, list) else node.get(word)
        if node is None:
            return None
    return node


def test_there_is_one_child_of_each_kind_and_the_bot_owns_it(drifting: Bot) -> None:
    children = drifting.children()
    assert sorted(name.partition("/")[0] for name in children) == sorted(CHILDREN)
    uid = drifting.read()["metadata"]["uid"]
    for name, child in children.items():
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["controller"]) == (uid, True), name


@pytest.mark.parametrize(
    ("kind", "pointer", "value"),
    [
        ("statefulsets", "/spec/replicas", 0),
        ("statefulsets", "/metadata/labels/app.kubernetes.io~1part-of", "somebody-else"),
        ("services", "/spec/ports/0/port", 9999),
        ("services", "/metadata/labels/app.kubernetes.io~1managed-by", "somebody-else"),
        ("configmaps", "/data/drifting-0.yaml", "speed: ludicrous"),
        ("poddisruptionbudgets", "/spec/unhealthyPodEvictionPolicy", "IfHealthyBudget"),
        ("networkpolicies", "/spec/podSelector/matchLabels/app.kubernetes.io~1instance", "another-bot"),
    ],
)
def test_a_field_that_somebody_changed_is_put_back(drifting: Bot, kind: str, pointer: str, value: Any) -> None:
    child = the(drifting, kind)
    wanted = value_at(child, pointer)
    assert wanted is not None, f"the {kind} has no {pointer}"
    assert wanted != value
    change: list[Object] = [{"op": "replace", "path": pointer, "value": value}]
    drifting.kube.patch(kind, child["metadata"]["name"], drifting.namespace, change)
    eventually(f"{pointer} of the {kind} is {wanted!r} again", lambda: value_at(the(drifting, kind), pointer) == wanted)


def test_an_environment_variable_that_somebody_changed_is_put_back(drifting: Bot) -> None:
    def environment() -> dict[str, Any]:
        (engine,) = [c for c in the(drifting, "statefulsets")["spec"]["template"]["spec"]["containers"] if c["name"] == "engine"]
        return {entry["name"]: entry.get("value") for entry in engine["env"]}

    wanted = environment()
    name = the(drifting, "statefulsets")["metadata"]["name"]
    drifting.kube.kubectl(
        "-n", drifting.namespace, "set", "env", f"statefulset/{name}", "-c", "engine", "MALLOC_ARENA_MAX=64", "PAPER_ONLY=no"
    )
    eventually("the engine's environment is as it was", lambda: environment() == wanted)
    drifting.wait_trading()


@pytest.mark.parametrize("kind", [kind for kind in CHILDREN if kind != "persistentvolumeclaims"])
def test_a_child_that_somebody_deleted_is_made_again(drifting: Bot, kind: str) -> None:
    child = the(drifting, kind)
    name, uid = child["metadata"]["name"], child["metadata"]["uid"]
    # Orphaned, so that the pod lives on: what is looked at is the child alone.
    drifting.kube.kubectl("-n", drifting.namespace, "delete", kind, name, "--cascade=orphan", "--wait=false")

    def made_again() -> bool:
        found = drifting.kube.get(kind, name, drifting.namespace)
        return found is not None and found["metadata"]["uid"] != uid

    eventually(f"the {kind} {name} is there again", made_again)


def test_repairing_metadata_and_deleted_children_restarts_no_engine(drifting: Bot) -> None:
    drifting.wait_trading()
    pod = drifting.pod()
    assert pod is not None
    claim = the(drifting, "persistentvolumeclaims")["metadata"]["uid"]
    for kind in CHILDREN:
        name = the(drifting, kind)["metadata"]["name"]
        drifting.kube.kubectl("-n", drifting.namespace, "label", kind, name, "app.kubernetes.io/part-of=meddler", "--overwrite")
    for kind in CHILDREN:
        repaired = lambda kind=kind: the(drifting, kind)["metadata"]["labels"]["app.kubernetes.io/part-of"] == "tradingbot"  # noqa: E731
        eventually(f"the label of the {kind} is put back", repaired)
    now = drifting.pod()
    assert now is not None
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    assert drifting.container()["restartCount"] == 0
    assert the(drifting, "persistentvolumeclaims")["metadata"]["uid"] == claim


def test_a_child_that_is_no_longer_wanted_is_removed(drifting: Bot) -> None:
    config = the(drifting, "configmaps")
    metadata = {key: config["metadata"][key] for key in ("labels", "ownerReferences", "annotations") if key in config["metadata"]}
    # As an earlier version of the operator may have left one behind: the bot's own labels and owner, under a name that is not used now.
    left: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "name": f"{drifting.name}-of-an-earlier-version"}}
    other: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "not-the-operators"}}
    drifting.kube.kubectl("-n", drifting.namespace, "create", "-f", "-", stdin=yaml.safe_dump(left))
    drifting.kube.kubectl("-n", drifting.namespace, "create", "-f", "-", stdin=yaml.safe_dump(other))
    eventually("the left-over is gone", lambda: drifting.kube.get("configmaps", left["metadata"]["name"], drifting.namespace) is None)
    assert drifting.kube.get("configmaps", "not-the-operators", drifting.namespace), "what has no mark of the operator is not its to remove"
