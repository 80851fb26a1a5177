from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from plan_worlds import first_layout

from tradingbot_operator.desired import build_children
from tradingbot_operator.drift import controller_uid, differences
from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings

Body = dict[str, Any]

WANTED: Body = {
    "kind": "Thing",
    "metadata": {"labels": {"a": "1"}, "annotations": {"h": "x"}, "ownerReferences": [{"uid": "u", "controller": True}]},
    "spec": {
        "replicas": 1,
        "containers": [{"name": "engine", "env": [{"name": "A", "value": "1"}], "command": ["run", "it"]}],
        "resources": {"limits": {"memory": "1024Mi", "cpu": "0.5"}},
        "empty": {},
    },
}


def place(body: Body, *path: str | int) -> Any:
    node: Any = body
    for part in path:
        node = node[part]
    return node


def found(change: Callable[[Body], object]) -> list[str]:
    live = copy.deepcopy(WANTED)
    change(live)
    return [str(difference) for difference in differences(WANTED, live)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda live: live.update(status={}), []),
        # What the API server or somebody else adds beside our fields
        (lambda live: live["spec"].update(added=1), []),
        (lambda live: live["metadata"]["labels"].update(theirs="1"), []),
        (lambda live: live["metadata"]["ownerReferences"].append({"uid": "other"}), []),
        (lambda live: live["spec"]["containers"][0].update(terminationMessagePath="/dev/x"), []),
        (lambda live: live["spec"].pop("empty"), []),
        # Quantities that are written otherwise
        (lambda live: live["spec"]["resources"]["limits"].update(memory="1Gi", cpu="500m"), []),
        (lambda live: live["spec"]["resources"]["limits"].update(memory="1G"), ["spec.resources.limits.memory"]),
        (lambda live: live["spec"]["resources"]["limits"].update(memory="lots"), ["spec.resources.limits.memory"]),
        # Drift
        (lambda live: live["spec"].update(replicas=0), ["spec.replicas"]),
        (lambda live: live["spec"].pop("replicas"), ["spec.replicas"]),
        (lambda live: live["metadata"]["labels"].update(a="2"), ["metadata.labels.a"]),
        (lambda live: live["metadata"].pop("ownerReferences"), ["metadata.ownerReferences"]),
        (lambda live: live["metadata"]["ownerReferences"][0].update(controller=False), ["metadata.ownerReferences"]),
        (lambda live: place(live, "spec", "containers", 0, "env", 0).update(value="2"), ["spec.containers.0.env.0.value"]),
        (lambda live: place(live, "spec", "containers", 0, "command").append("-v"), ["spec.containers.0.command"]),
        (lambda live: live["spec"].update(containers="none"), ["spec.containers"]),
        (lambda live: live["spec"].update(resources=[]), ["spec.resources"]),
        # Elements of a list
        (lambda live: place(live, "spec", "containers", 0, "env").append({"name": "B", "value": "2"}), ["spec.containers.0.env"]),
        (lambda live: place(live, "spec", "containers", 0, "env").insert(0, {"name": "B"}), ["spec.containers.0.env"]),
        (lambda live: place(live, "spec", "containers", 0, "env").clear(), ["spec.containers.0.env"]),
        (lambda live: live["spec"]["containers"].append({"name": "intruder"}), ["spec.containers"]),
    ],
)
def test_only_what_is_ours_is_compared(change: Callable[[Body], object], expected: list[str]) -> None:
    assert found(change) == expected


def test_the_place_in_the_live_list_is_given_and_what_it_should_be() -> None:
    wanted = {"metadata": {}, "spec": {"c": [{"name": "b", "env": [{"name": "X"}]}]}}
    live = {"metadata": {}, "spec": {"c": [{"name": "b", "env": [{"name": "Y"}, {"name": "X"}]}]}}
    (difference,) = differences(wanted, live)
    assert difference.path == ("spec", "c", 0, "env")
    assert difference.wanted_list == ({"name": "X"},)


@pytest.mark.parametrize(("field", "value"), [("port", 9999), ("protocol", "UDP")])
def test_a_list_is_replaced_whole_where_apply_would_put_its_element_beside_the_changed_one(field: str, value: object) -> None:
    wanted = {"metadata": {}, "spec": {"ports": [{"name": "engine", "port": 8080, "protocol": "TCP", "targetPort": "engine"}]}}
    live = copy.deepcopy(wanted)
    place(live, "spec", "ports", 0)[field] = value
    (difference,) = differences(wanted, live)
    assert difference.path == ("spec", "ports")
    assert difference.wanted_list == tuple(place(wanted, "spec", "ports"))


def test_the_order_of_named_elements_does_not_matter() -> None:
    wanted = {"metadata": {}, "spec": {"c": [{"name": "a", "v": 1}, {"name": "b", "v": 2}]}}
    live = {"metadata": {}, "spec": {"c": [{"name": "b", "v": 2}, {"name": "a", "v": 3}]}}
    assert [str(difference) for difference in differences(wanted, live)] == ["spec.c.1.v"]


def test_children_as_stored_have_not_drifted(
    make_bot: Callable[..., TradingBot], settings: OperatorSettings, live_children: Callable[[TradingBot], dict[ObjectKey, Body]]
) -> None:
    bot = make_bot()
    stored = live_children(bot)
    for manifest in build_children(bot, settings, first_layout(bot)):
        assert not differences(manifest, stored[key_of(manifest)])


def test_the_controller_is_the_owner_that_says_so() -> None:
    owners = [{"uid": "a"}, {"uid": "b", "controller": True}]
    assert controller_uid({"metadata": {"ownerReferences": owners}}) == "b"
    assert controller_uid({"metadata": {}}) is None
