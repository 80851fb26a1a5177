"""What the chart grants, against the calls that are really made: enough for all that the operator does, and nothing that it never uses.

The API server authorizes, and notes every call of the operator's account. One scenario does everything that an operator does to bots,
once with the cluster-wide rights and once with those of a few namespaces.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Final

import pytest

from api_client import CHILDREN, Object, RefusedError, path_of
from audit_log import AuditLog, Call
from bot_rig import Rig, eventually, manifest
from control_plane import INSTALLED, RELEASE_NAMESPACE
from grants import Grant, used_by
from installed_rights import install_rights
from tradingbot_operator.kinds import CHILD_KINDS, CONFIG_MAP, POD_MONITOR, PROMETHEUS_RULE, Kind
from tradingbot_operator.names import FIELD_MANAGER, MANAGED_BY_LABEL, owner_reference
from tradingbot_operator.resource import Metadata

MONITORING_KINDS: Final = (POD_MONITOR, PROMETHEUS_RULE)
NO_MONITORING: Final = {key: {"mode": "Off"} for key in ("podMonitor", "prometheusRule", "dashboards")}
WITHOUT_A_CALL: Final = {
    ("tradingbots/finalizers", "update"): "an admission plugin asks for it when a child's owner reference blocks the owner's deletion",
}
"""Grants that no call shows, with the reason why they are there; each has a test of its own."""
SHARED: Final[Object] = {"market": {"symbols": ["AAPL", "GOOG", "IBM", "MSFT", "NVDA"]}, "database": {"urlSecretRef": {"name": "postgres"}}}
_SELECTOR: Final[Object] = {"matchLabels": {"app": "stray"}}
_STRAY_SPECS: Final[dict[str, Object]] = {
    "statefulsets": {
        "spec": {
            "replicas": 0,
            "serviceName": "stray",
            "selector": _SELECTOR,
            "template": {"metadata": {"labels": {"app": "stray"}}, "spec": {"containers": [{"name": "main", "image": "none"}]}},
        }
    },
    "services": {"spec": {"ports": [{"port": 9}]}},
    "persistentvolumeclaims": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    "poddisruptionbudgets": {"spec": {"maxUnavailable": 1, "selector": _SELECTOR}},
    "networkpolicies": {"spec": {"podSelector": _SELECTOR}},
}


class Desk:
    """The bots of the scenario, and what is done to them."""

    def __init__(self, rig: Rig, namespace: str, audit: AuditLog) -> None:
        self.rig = rig
        self.namespace = namespace
        self.audit = audit
        quick = {"health": {"remediation": {"backoffSeconds": 1}}}
        self.local = rig.create(namespace, "local", lifecycle={"onDelete": "Flatten"}, **quick)
        self.shared = rig.create(namespace, "shared", **SHARED, **quick)
        rig.api.create("configmaps", namespace, _named("robbed-config"))
        self.robbed = rig.create(namespace, "robbed")

    def settle(self) -> None:
        for bot in (self.local, self.shared):
            bot.wait_settled()

    def run(self) -> None:
        """Do all of it; the two bots are led through it side by side."""
        self.settle()
        eventually("a stranger's object is left alone", lambda: "ChildConflict" in {event["reason"] for event in self.robbed.events()})
        # What an engine follows while it runs, and its memory in place; shards.
        self.local.change(risk={"maxOrderNotional": 5000}, engine={"resources": {"limits": {"memory": "768Mi"}}})
        self.shared.change(scaling={"replicas": 3})
        self.settle()
        self.drift()
        self.leave_strays()
        self.shared.change(scaling={"replicas": 1})
        self.await_call("get", "pods")  # of the shards that go: whether none is there
        self.crash()
        self.local.annotate(restart="please")
        self.settle()
        self.contend()
        self.delete_with_a_position()

    def drift(self) -> None:
        """Change a child twice, so that the Event about it is counted up, and in a list, which is put back in another way."""
        port = {"name": "mine", "port": 9, "targetPort": 9}
        for number in range(2):
            service = self.child("services")
            ports = [*service["spec"]["ports"], port | {"port": 9 + number}]
            self.rig.api.patch("services", service["metadata"]["name"], self.namespace, {"spec": {"ports": ports}})
            eventually("it is as it was", lambda before=service: self.child("services")["spec"]["ports"] == before["spec"]["ports"])

    def leave_strays(self) -> None:
        """Leave objects that belong to a bot and that nobody wants any more, of every kind, as an earlier release would."""
        owner = owner_reference(_metadata(self.local.read()))
        for kind in CHILDREN:
            self.rig.api.create(kind, self.namespace, _stray(kind, owner))
        for kind in CHILDREN:
            eventually(f"the stray of {kind} is gone", lambda kind=kind: self.rig.api.get(kind, "stray", self.namespace) is None)

    def crash(self) -> None:
        """Let an engine die twice: after the second time its kubelet waits, and the operator makes a new pod."""
        kubelet, name = self.rig.kubelet, f"{self.local.name}-0"
        kubelet.conduct(self.namespace, self.local.name, backoff_seconds=300.0)
        pod = kubelet.pods_of(self.namespace, self.local.name)[name]
        kubelet.do(pod.kill)
        eventually("the kubelet has started it again", lambda: kubelet.do(lambda: pod.restarts == 1 and pod.engine is not None))
        kubelet.do(pod.kill)
        eventually("the operator has acted", lambda: bool(self.local.history()), explain=self.local.explain)
        self.settle()

    def contend(self) -> None:
        """Change a bot again and again while the operator writes its status, until one of its writes comes too late and it reads anew."""

        def look() -> bool:
            for number in range(20):
                self.local.change(risk={"maxOrderNotional": 6000 + number})
            return self.has_called("get", "tradingbots")

        eventually("the operator's write came too late", look)
        self.settle()

    def delete_with_a_position(self) -> None:
        kubelet = self.rig.kubelet
        kubelet.do(lambda: kubelet.ledger.buy(self.namespace, self.local.name, f"{self.local.name}-0", "MSFT"))
        for bot in (self.local, self.shared, self.robbed):
            bot.delete()
        for bot in (self.local, self.shared, self.robbed):
            bot.wait_gone()

    def child(self, kind: str) -> Object:
        (found,) = self.rig.api.items(kind, self.namespace, labelSelector=f"app.kubernetes.io/instance={self.local.name}")
        return found

    def has_called(self, verb: str, resource: str) -> bool:
        return any((call.verb, call.resource) == (verb, resource) for call in self.audit.calls(user=INSTALLED))

    def await_call(self, verb: str, resource: str) -> None:
        eventually(f"the operator asked to {verb} {resource}", lambda: self.has_called(verb, resource), explain=self.shared.explain)


@pytest.fixture(scope="module")
def scrapers(rig: Rig) -> Iterator[None]:
    """The kinds of the Prometheus operator, which our operator makes objects of where a cluster knows them."""
    for kind in MONITORING_KINDS:
        rig.api.create("customresourcedefinitions", None, _definition(kind))
    for kind in MONITORING_KINDS:
        path = f"/apis/{kind.api_version}/{kind.plural}"
        eventually(f"{kind.plural} are served", lambda path=path: rig.api.raw("GET", path).status == HTTPStatus.OK)
    yield
    for kind in MONITORING_KINDS:
        rig.api.delete("customresourcedefinitions", f"{kind.plural}.{kind.group}", None)


@pytest.mark.usefixtures("scrapers")
@pytest.mark.parametrize("scope", ["cluster-wide", "in named namespaces"])
def test_every_call_is_allowed_and_every_grant_is_used(rig: Rig, namespace: str, scope: str) -> None:
    named = scope != "cluster-wide"
    audit = rig.audit()
    with install_rights(rig, *([f"watchNamespaces={{{namespace}}}"] if named else [])) as installed:
        with installed.operator() as operator:
            Desk(rig, namespace, audit).run()
            eventually("its monitoring objects are there", lambda: all(_monitoring_objects(rig).values()))
            operator.stop()  # and the lead is given back
            bad = operator.bad_lines()
        with installed.operator(MONITORING=json.dumps(NO_MONITORING)) as successor:
            eventually("its monitoring objects are gone", lambda: not any(_monitoring_objects(rig).values()))
            successor.stop()
            bad += successor.bad_lines()
        calls = audit.calls(user=INSTALLED)
    print(_table(installed.grants, calls))
    assert not bad
    denied = {
        f"{call.verb} {call.resource} {call.name} in {call.namespace or 'all'}: {call.status}" for call in calls if not call.allowed_by
    }
    assert not denied
    unused = installed.grants - set().union(*(used_by(call, installed.grants) for call in calls))
    assert unused == {grant for grant in installed.grants if (grant.resource, grant.verb) in WITHOUT_A_CALL}
    # A right to all namespaces is there because it is used so; where they are named, nothing asks beyond them.
    assert {call.resource for call in calls if not call.namespace and call.resource} == (
        set() if named else {"tradingbots", "pods", *CHILDREN}
    )


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (("tradingbots/finalizers", "update"), "cannot set blockOwnerDeletion"),
        (("configmaps", "create"), 'cannot create resource "configmaps"'),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_what_no_call_shows_is_needed_all_the_same(rig: Rig, namespace: str, missing: tuple[str, str], said: str) -> None:
    owner = owner_reference(_metadata(rig.api.create("tradingbots", namespace, manifest("owner"))))
    with install_rights(rig, without=missing), closing(rig.plane.api_server.client(INSTALLED)) as client:
        # The right to patch is there; it may take a moment until the API server knows.
        eventually("the account has its rights", lambda: client.raw("GET", path_of("configmaps", namespace)).status == HTTPStatus.OK)
        with pytest.raises(RefusedError, match=said) as refused:
            client.apply("configmaps", namespace, _stray("configmaps", owner))
        assert refused.value.status == HTTPStatus.FORBIDDEN


def _table(grants: set[Grant], calls: list[Call]) -> str:
    counts = Counter(grant for call in calls for grant in used_by(call, grants))
    return "\n".join(f"{counts[grant]:6} {grant}" for grant in sorted(grants))


def _named(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def _metadata(bot: Object) -> Metadata:
    return Metadata(name=bot["metadata"]["name"], namespace=bot["metadata"]["namespace"], uid=bot["metadata"]["uid"])


def _stray(plural: str, owner: Object) -> Object:
    """Return an object that the operator takes for a child that is no longer wanted."""
    (kind,) = [kind for kind in CHILD_KINDS if kind.plural == plural]
    labels = {MANAGED_BY_LABEL: FIELD_MANAGER}
    metadata = {"name": "stray", "labels": labels, "ownerReferences": [owner]}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata} | _STRAY_SPECS.get(plural, {})


def _definition(kind: Kind) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": kind.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind.name, "plural": kind.plural, "singular": kind.name.lower()}
    spec = {"group": kind.group, "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": f"{kind.plural}.{kind.group}"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


def _monitoring_objects(rig: Rig) -> dict[str, list[str]]:
    """Return the names of what there is of each kind in the release's namespace."""
    paths = {kind.plural: kind.path(RELEASE_NAMESPACE) for kind in (*MONITORING_KINDS, CONFIG_MAP)}
    return {plural: [item["metadata"]["name"] for item in rig.api.ask("GET", path)["items"]] for plural, path in paths.items()}
