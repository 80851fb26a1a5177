"""The kinds of object that the operator watches: where the API server has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_contract.document import VERSION
from tradingbot_operator.resource import KIND, PLURAL


class Kind(Struct, frozen=True):
    """A kind of object."""

    api_version: str
    name: str
    plural: str

    @property
    def group(self) -> str:
        """Group of the API; empty for the core."""
        group, slash, _ = self.api_version.rpartition("/")
        return group if slash else ""

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    def path(self, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """Return the path of a list (of a namespace, or of all) or of an object."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        parts = [part for part in (self.plural, name, subresource) if part]
        return f"{root}{inside}/{'/'.join(parts)}"


BOT: Final = Kind(VERSION, KIND, PLURAL)
POD: Final = Kind("v1", "Pod", "pods")
EVENT: Final = Kind("v1", "Event", "events")
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
CHILD_KINDS: Final = (
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("v1", "Service", "services"),
    CONFIG_MAP,
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("apps/v1", "StatefulSet", "statefulsets"),
)
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
POD_MONITOR: Final = Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors")
PROMETHEUS_RULE: Final = Kind("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules")
_BY_NAME: Final = {kind.name: kind for kind in (BOT, POD, EVENT, *CHILD_KINDS, POD_MONITOR, PROMETHEUS_RULE)}


class ObjectKey(Struct, frozen=True, order=True):
    """Which object of a namespace."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def kind_of(name: str) -> Kind:
    """Return the kind of this name; only those that the operator watches or writes."""
    return _BY_NAME[name]


def key_of(manifest: Mapping[str, Any]) -> ObjectKey:
    return ObjectKey(manifest["kind"], manifest["metadata"]["name"])
