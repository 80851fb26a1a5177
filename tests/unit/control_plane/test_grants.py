from __future__ import annotations

import pytest

from audit_log import Call
from grants import Grant, read_grants, used_by

ROLE = {
    "kind": "Role",
    "metadata": {"name": "a", "namespace": "desk"},
    "rules": [
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get", "patch", "create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get"]},
    ],
}
CLUSTER_ROLE = {
    "kind": "ClusterRole",
    "metadata": {"name": "b"},
    "rules": [{"apiGroups": [""], "resources": ["pods", "pods/resize"], "verbs": ["patch"]}],
}
GRANTS = read_grants([ROLE, CLUSTER_ROLE, {"kind": "ServiceAccount", "metadata": {"name": "c"}}])


def call(verb: str, resource: str, *, group: str = "", namespace: str = "desk", name: str = "mine", status: int = 200) -> Call:
    return Call("operator", verb, group, resource, namespace, name, status, "", "RBAC")


def test_every_verb_on_every_resource_is_a_grant_of_its_own() -> None:
    assert {str(grant) for grant in GRANTS} == {
        "get statefulsets.apps in desk",
        "patch statefulsets.apps in desk",
        "create statefulsets.apps in desk",
        "get configmaps mine in desk",
        "patch pods cluster-wide",
        "patch pods/resize cluster-wide",
    }


@pytest.mark.parametrize(
    ("made", "used"),
    [
        (call("get", "statefulsets", group="apps"), {"get statefulsets.apps in desk"}),
        (call("get", "statefulsets", group="apps", namespace="other"), set()),
        (call("get", "statefulsets"), set()),
        (call("get", "configmaps"), {"get configmaps mine in desk"}),
        (call("get", "configmaps", name="yours"), set()),
        (call("patch", "pods/resize", namespace="anywhere"), {"patch pods/resize cluster-wide"}),
        (call("patch", "statefulsets", group="apps"), {"patch statefulsets.apps in desk"}),
        (call("patch", "statefulsets", group="apps", status=201), {"patch statefulsets.apps in desk", "create statefulsets.apps in desk"}),
    ],
    ids=["its own", "elsewhere", "of another group", "by name", "by another name", "of all namespaces", "a patch", "a patch that makes it"],
)
def test_a_call_uses_what_it_asks_for_and_nothing_else(made: Call, used: set[str]) -> None:
    assert {str(grant) for grant in used_by(made, GRANTS)} == used


def test_a_grant_without_a_name_is_for_all_of_them() -> None:
    assert used_by(call("patch", "pods", name="any"), GRANTS) == {Grant("", "", "pods", "patch")}
