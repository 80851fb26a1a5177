"""The sections of a TradingBot's spec about where its pod runs and what is written on it. They are Kubernetes' own, by the same names."""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterable, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta, field

from tradingbot_contract.section import ObjectName, Rule, Section

RESERVED_LABELS: Final = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "apps.kubernetes.io/pod-index",
    "statefulset.kubernetes.io/pod-name",
    "controller-revision-hash",
)
"""Labels of a pod that the operator and the cluster give, and find it by."""
RESERVED_ANNOTATIONS: Final = ("tradingbot.dev/restart-hash", "tradingbot.dev/document-hash", "tradingbot.dev/restart")
"""Annotations of a pod that the operator gives."""

_LABEL_NAME: Final = (
    "^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,8}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
"""Without its end, which Python and CEL write in different ways."""
_LABEL_VALUE: Final = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z"
_LabelName = Annotated[str, Meta(pattern=rf"{_LABEL_NAME}\Z")]
QualifiedName = Annotated[str, Meta(min_length=1, max_length=317, pattern=rf"{_LABEL_NAME}\Z")]
LabelValue = Annotated[str, Meta(max_length=63, pattern=_LABEL_VALUE)]


class TolerationOperator(enum.Enum):
    EQUAL = "Equal"
    EXISTS = "Exists"


class TaintEffect(enum.Enum):
    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Section, frozen=True):
    """A taint of a node that the pod puts up with."""

    __rules__ = (
        Rule("has(self.key) || self.operator == 'Exists'", "a toleration without key needs operator Exists: it is for every taint"),
        Rule("!has(self.value) || self.operator == 'Equal'", "a toleration with operator Exists has no value"),
        Rule(
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds needs effect NoExecute",
        ),
    )

    key: Annotated[QualifiedName | None, Meta(description="Key of the taint. Not set: every taint, with operator `Exists`.")] = None
    operator: Annotated[TolerationOperator, Meta(description="`Equal`: key and value are those of the taint. `Exists`: the key is.")] = (
        TolerationOperator.EQUAL
    )
    value: Annotated[LabelValue | None, Meta(description="Value of the taint, for operator `Equal`.")] = None
    effect: Annotated[
        TaintEffect | None,
        Meta(description="Effect of the taint: `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Not set: all of them."),
    ] = None
    toleration_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=604_800)] | None,
        Meta(description="How long the pod stays on a node that gets a taint with effect `NoExecute`. Not set: for ever."),
    ] = None

    def __post_init__(self) -> None:
        if self.key is None and self.operator is not TolerationOperator.EXISTS:
            raise ValueError(self.__rules__[0].message)
        if self.value is not None and self.operator is not TolerationOperator.EQUAL:
            raise ValueError(self.__rules__[1].message)
        if self.toleration_seconds is not None and self.effect is not TaintEffect.NO_EXECUTE:
            raise ValueError(self.__rules__[2].message)


_Terms = Annotated[dict[str, Any], Meta(extra_json_schema={"x-kubernetes-preserve-unknown-fields": True, "maxProperties": 2})]


class Affinity(Section, frozen=True):
    """Which nodes the pod is drawn to or kept from, as a pod's `affinity` says it. What is in it the API server checks with the pod."""

    node_affinity: Annotated[_Terms | None, Meta(description="By labels of nodes, as in a pod.")] = None
    pod_affinity: Annotated[_Terms | None, Meta(description="Near pods with certain labels, as in a pod.")] = None
    pod_anti_affinity: Annotated[_Terms | None, Meta(description="Away from pods with certain labels, as in a pod.")] = None


class WhenUnsatisfiable(enum.Enum):
    DO_NOT_SCHEDULE = "DoNotSchedule"
    SCHEDULE_ANYWAY = "ScheduleAnyway"


class TopologySpread(Section, frozen=True):
    """How evenly the bot's own pods are spread, for example over zones."""

    topology_key: Annotated[
        QualifiedName, Meta(description="Label of nodes whose values are the domains, for example kubernetes.io/hostname.")
    ]
    max_skew: Annotated[int, Meta(description="Most pods that one domain may have more than another.", ge=1, le=64)] = 1
    when_unsatisfiable: Annotated[
        WhenUnsatisfiable,
        Meta(description="`ScheduleAnyway`: it is a wish. `DoNotSchedule`: a pod that can't be placed so waits."),
    ] = WhenUnsatisfiable.SCHEDULE_ANYWAY


class PullSecret(Section, frozen=True):
    """A Secret of the bot's namespace with which the node pulls the image."""

    name: Annotated[ObjectName, Meta(description="Name of the Secret, of type kubernetes.io/dockerconfigjson.")]


def _names_rule(field_name: str) -> Rule:
    """Return the rule that the keys of a map are names of labels or annotations: a schema has no bounds for the keys of a map."""
    return Rule(
        f"self.{field_name}.all(name, name.matches('{_LABEL_NAME}$'))",
        f"{field_name} must name {'annotations' if 'nnotations' in field_name else 'labels'} as Kubernetes does: kubernetes.io/os, or zone",
    )


def _reserved_rule(field_name: str, reserved: Sequence[str]) -> Rule:
    listed = ", ".join(f"'{name}'" for name in reserved)
    message = f"{field_name} must not have {', '.join(reserved)}: these are the operator's and the cluster's"
    return Rule(f"![{listed}].exists(name, name in self.{field_name})", message)


_LABELS_RULE: Final = _reserved_rule("podLabels", RESERVED_LABELS)
_ANNOTATIONS_RULE: Final = _reserved_rule("podAnnotations", RESERVED_ANNOTATIONS)


class Placement(Section, frozen=True):
    """Base of the section `engine`: where the pod runs, and what is written on it."""

    __rules__ = (
        _names_rule("nodeSelector"),
        _names_rule("podLabels"),
        _names_rule("podAnnotations"),
        _LABELS_RULE,
        _ANNOTATIONS_RULE,
    )

    node_selector: Annotated[
        dict[_LabelName, LabelValue],
        Meta(description="Labels that a node must have to run the pod.", max_length=16),
    ] = field(default_factory=dict)
    tolerations: Annotated[list[Toleration], Meta(description="Taints of nodes that the pod puts up with.", max_length=16)] = field(
        default_factory=list
    )
    affinity: Annotated[Affinity | None, Meta(description="Which nodes the pod is drawn to or kept from. Not set: no matter.")] = None
    topology_spread_constraints: Annotated[
        list[TopologySpread],
        Meta(
            description="How evenly the pods of the bot's shards are spread.",
            max_length=8,
            extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["topologyKey", "whenUnsatisfiable"]},
        ),
    ] = field(default_factory=list)
    priority_class_name: Annotated[ObjectName | None, Meta(description="Priority class of the pod. Not set: the cluster's default.")] = None
    image_pull_secrets: Annotated[
        list[PullSecret],
        Meta(
            description="Secrets with which the node pulls the image.",
            max_length=8,
            extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = field(default_factory=list)
    pod_labels: Annotated[dict[_LabelName, LabelValue], Meta(description="Labels of the pod, beside the operator's.", max_length=16)] = (
        field(default_factory=dict)
    )
    pod_annotations: Annotated[
        dict[_LabelName, Annotated[str, Meta(max_length=4096)]],
        Meta(description="Annotations of the pod, beside the operator's.", max_length=16),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.pod_labels.keys().isdisjoint(RESERVED_LABELS):
            raise ValueError(_LABELS_RULE.message)
        if not self.pod_annotations.keys().isdisjoint(RESERVED_ANNOTATIONS):
            raise ValueError(_ANNOTATIONS_RULE.message)
        # The API server holds these by the types of the lists.
        if _has_twice((each.topology_key, each.when_unsatisfiable) for each in self.topology_spread_constraints):
            raise ValueError("topologySpreadConstraints names a topologyKey with the same whenUnsatisfiable more than once")
        if _has_twice(each.name for each in self.image_pull_secrets):
            raise ValueError("imagePullSecrets names a Secret more than once")


def _has_twice(keys: Iterable[Hashable]) -> bool:
    listed = list(keys)
    return len(set(listed)) < len(listed)
