"""Where a pod runs, and what is written on it beside the operator's own marks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.document import SpecError
from tradingbot_operator.compute import Engine
from tradingbot_operator.desired import strategy_code
from tradingbot_operator.desired.layout import plain_layout
from tradingbot_operator.desired.placement_fields import build_placement, build_pod_metadata
from tradingbot_operator.desired.pod import build_pod_template
from tradingbot_operator.desired.revision import pod_revision
from tradingbot_operator.names import DOCUMENT_HASH, RESTART_HASH, RESTART_REQUEST, labels
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.scheduling import RESERVED_ANNOTATIONS, RESERVED_LABELS
from tradingbot_operator.settings import OperatorSettings

SELECTOR = {"app.kubernetes.io/instance": "first"}
NODE_TERM = {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}


def engine(**fields: Any) -> Engine:
    return msgspec.convert(fields, Engine)


def bot(**spec: Any) -> TradingBot:
    whole = {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL"]}} | spec
    return parse_bot(
        {"apiVersion": "tradingbot.dev/v1alpha1", "kind": "TradingBot", "metadata": {"name": "first", "uid": "u"}, "spec": whole}
    )


def refusal(**fields: Any) -> str:
    with pytest.raises(SpecError) as error:
        bot(engine=fields)
    return str(error.value)


def test_what_is_not_set_is_not_there() -> None:
    assert build_placement(engine(), selector=SELECTOR) == {}
    assert build_pod_metadata(engine(), {"a": "1"}, {"b": "2"}, offered={}) == {"labels": {"a": "1"}, "annotations": {"b": "2"}}


def test_every_field_is_given_as_kubernetes_takes_it() -> None:
    fields = engine(
        nodeSelector={"kubernetes.io/os": "linux"},
        tolerations=[{"key": "dedicated", "value": "trading", "effect": "NoSchedule"}, {"operator": "Exists"}],
        affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [NODE_TERM]}},
        topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname"}],
        priorityClassName="trading",
        imagePullSecrets=[{"name": "registry"}],
    )
    assert build_placement(fields, selector=SELECTOR) == {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "trading", "effect": "NoSchedule"}, {"operator": "Exists"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [NODE_TERM]}},
        "topologySpreadConstraints": [
            {
                "topologyKey": "kubernetes.io/hostname",
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": SELECTOR},
            }
        ],
        "priorityClassName": "trading",
        "imagePullSecrets": [{"name": "registry"}],
    }


def test_nodes_to_keep_away_from_are_added_to_what_the_user_wishes() -> None:
    fields = engine(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [NODE_TERM]}, "podAffinity": {"x": []}})
    affinity = build_placement(fields, selector=SELECTOR, avoid_nodes=("node-1",))["affinity"]
    wishes = affinity["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert wishes[0] == NODE_TERM
    assert wishes[1]["preference"]["matchFields"] == [{"key": "metadata.name", "operator": "NotIn", "values": ["node-1"]}]
    assert affinity["podAffinity"] == {"x": []}
    assert fields.affinity is not None
    assert fields.affinity.node_affinity == {"preferredDuringSchedulingIgnoredDuringExecution": [NODE_TERM]}, "the spec stays as it is"


def test_labels_and_annotations_of_the_user_stand_beside_the_operator_s() -> None:
    one = bot(engine={"podLabels": {"team": "desk-1"}, "podAnnotations": {"example.com/owner": "me"}})
    metadata = build_pod_template(one, OperatorSettings(engine_image="engine:1"), plain_layout(one))["metadata"]
    assert metadata["labels"] == labels(one) | {"team": "desk-1"}
    offered = {"prometheus.io/scrape": "true", "prometheus.io/path": "/metrics"}
    assert metadata["annotations"] == offered | {RESTART_HASH: pod_revision(one), "example.com/owner": "me"}


def test_a_user_may_keep_prometheus_away() -> None:
    one = bot(engine={"podAnnotations": {"prometheus.io/scrape": "false"}})
    metadata = build_pod_template(one, OperatorSettings(engine_image="engine:1"), plain_layout(one))["metadata"]
    assert metadata["annotations"]["prometheus.io/scrape"] == "false"


def test_what_the_operator_gives_is_reserved() -> None:
    assert set(labels(bot())) <= set(RESERVED_LABELS)
    assert set(RESERVED_ANNOTATIONS) == {RESTART_HASH, DOCUMENT_HASH, RESTART_REQUEST}
    for label in RESERVED_LABELS:
        assert "podLabels must not have" in refusal(podLabels={label: "x"})
    for annotation in RESERVED_ANNOTATIONS:
        assert "podAnnotations must not have" in refusal(podAnnotations={annotation: "x"})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"podLabels": {"two words": "x"}}, "podLabels"),
        ({"podLabels": {"team": "two words"}}, "podLabels"),
        ({"podAnnotations": {"/x": "x"}}, "podAnnotations"),
        ({"tolerations": [{"value": "x"}]}, "a toleration without key needs operator Exists"),
        ({"tolerations": [{"key": "a", "operator": "Exists", "value": "x"}]}, "operator Exists has no value"),
        ({"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]}, "tolerationSeconds needs effect NoExecute"),
        ({"affinity": {"hostAffinity": {}}}, "hostAffinity"),
        ({"priorityClassName": "High Priority"}, "priorityClassName"),
        ({"imagePullSecrets": [{"name": ""}]}, "imagePullSecrets"),
    ],
)
def test_what_can_not_be_is_refused_by_name(fields: dict[str, Any], said: str) -> None:
    assert said in refusal(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"tolerations": [{"operator": "Exists"}]},
        {"affinity": {"podAffinity": {"a": []}}},
        {"topologySpreadConstraints": [{"topologyKey": "zone"}]},
        {"priorityClassName": "high"},
        {"imagePullSecrets": [{"name": "registry"}]},
        {"podLabels": {"a": "b"}},
        {"podAnnotations": {"a": "b"}},
    ],
)
def test_a_change_of_place_or_marks_needs_a_new_pod(fields: dict[str, Any]) -> None:
    assert pod_revision(bot(engine=fields)) != pod_revision(bot())


def test_the_code_of_a_strategy_is_mounted_only_where_it_is_used() -> None:
    source = {"configMap": {"name": "mine", "key": "mine.py"}}
    own = bot(strategy={"name": "mine:Mine", "source": source})
    assert strategy_code.build_volumes(own.spec.strategy) == [
        {"name": "strategy", "configMap": {"name": "mine", "items": [{"key": "mine.py", "path": "mine.py"}], "optional": True}}
    ]
    pod = build_pod_template(own, OperatorSettings(engine_image="engine:1"), plain_layout(own))["spec"]
    (container,) = pod["containers"]
    assert {"name": "strategy", "mountPath": "/etc/tradingbot-strategy", "readOnly": True} in container["volumeMounts"]
    assert all(mount["name"] != "strategy" for mount in pod["initContainers"][0]["volumeMounts"]), "the observer has no need of it"
    built_in = bot(strategy={"name": "ema-cross", "source": source})
    assert strategy_code.build_volumes(built_in.spec.strategy) == strategy_code.build_mounts(built_in.spec.strategy) == []
    assert pod_revision(own) != pod_revision(bot(strategy={"name": "mine:Mine"}))
