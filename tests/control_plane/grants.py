"""What RBAC objects grant, and which calls made use of it.

A call uses a grant when it asks for just that: group, resource with its subresource, verb, where, and by name if the grant names names.
One thing does not show: server-side apply of what is not there asks for `create` beside `patch`, and is noted as a patch that is answered
with 201.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from audit_log import Call


class Grant(NamedTuple):
    """One verb on one resource."""

    namespace: str
    """Empty: in all of the cluster."""
    group: str
    resource: str
    verb: str
    name: str = ""
    """Empty: of any name."""

    def __str__(self) -> str:
        place = f"in {self.namespace}" if self.namespace else "cluster-wide"
        named = f" {self.name}" if self.name else ""
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}{named} {place}"


def read_grants(manifests: Iterable[dict[str, Any]]) -> set[Grant]:
    """Return what the ClusterRoles and Roles among manifests grant."""
    return {
        grant
        for manifest in manifests
        if manifest["kind"] in {"ClusterRole", "Role"}
        for rule in manifest["rules"]
        for grant in _grants(manifest["metadata"].get("namespace", ""), rule)
    }


def _grants(namespace: str, rule: dict[str, Any]) -> Iterator[Grant]:
    for each in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [""])):
        yield Grant(namespace, *each)


def used_by(call: Call, grants: Iterable[Grant]) -> set[Grant]:
    """Return the grants that a call asked for."""
    verbs = {call.verb, "create"} if (call.verb, call.status) == ("patch", HTTPStatus.CREATED) else {call.verb}
    return {
        grant
        for grant in grants
        if (grant.group, grant.resource) == (call.group, call.resource)
        and grant.verb in verbs
        and grant.namespace in {"", call.namespace}
        and grant.name in {"", call.name}
    }
