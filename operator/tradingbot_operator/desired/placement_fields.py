"""What of a pod says where it runs, and what is written on it beside the operator's own marks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tradingbot_operator.scheduling import Placement


def build_placement(placement: Placement, *, selector: Mapping[str, str], avoid_nodes: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a pod's spec about its place.

    `selector` are the labels by which the bot's own pods are found; `avoid_nodes` are those that it should keep away from if it can.
    """
    spread = [_plain(each) | {"labelSelector": {"matchLabels": dict(selector)}} for each in placement.topology_spread_constraints]
    fields: dict[str, Any] = {
        "nodeSelector": dict(placement.node_selector),
        "tolerations": [_plain(each) for each in placement.tolerations],
        "affinity": _affinity(placement, avoid_nodes),
        "topologySpreadConstraints": spread,
        "priorityClassName": placement.priority_class_name,
        "imagePullSecrets": [_plain(each) for each in placement.image_pull_secrets],
    }
    return {name: value for name, value in fields.items() if value}


def build_pod_metadata(
    placement: Placement, labels: Mapping[str, str], annotations: Mapping[str, str], *, offered: Mapping[str, str]
) -> dict[str, Any]:
    """Return the metadata of a pod's template.

    `labels` and `annotations` are the operator's, which win over the user's; over `offered` annotations the user's win.
    """
    return {"labels": placement.pod_labels | dict(labels), "annotations": dict(offered) | placement.pod_annotations | dict(annotations)}


def _affinity(placement: Placement, avoid_nodes: tuple[str, ...]) -> dict[str, Any]:
    affinity = {} if placement.affinity is None else _plain(placement.affinity)
    if avoid_nodes:
        by_node = dict(affinity.get("nodeAffinity", {}))
        wishes = by_node.get("preferredDuringSchedulingIgnoredDuringExecution", [])
        by_node["preferredDuringSchedulingIgnoredDuringExecution"] = [*wishes, *_away_from(avoid_nodes)]
        affinity["nodeAffinity"] = by_node
    return affinity


def _away_from(nodes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the wish, which the scheduler may not be able to grant, for a node that is none of these."""
    # By the node's name itself; its label of a host name may be another. Such a term takes one name.
    terms = ({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": [node]}]} for node in nodes)
    return [{"weight": 100, "preference": term} for term in terms]


def _plain(section: msgspec.Struct) -> dict[str, Any]:
    """Return a section as Kubernetes takes it: what isn't set isn't there."""
    built: dict[str, Any] = msgspec.to_builtins(section)
    return {name: value for name, value in built.items() if value is not None}
