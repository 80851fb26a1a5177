"""The rights that the chart gives its operator, on a control plane: as Helm renders them, and nothing beside them.

The operator's Deployment is there, too, because the operator looks for it; no controller makes pods of it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import yaml

from api_client import ApiClient, path_of
from bot_rig import Rig, eventually
from control_plane import INSTALLED, RELEASE_NAMESPACE
from grants import Grant, read_grants
from operator_process import OperatorProcess
from rig.release import CHART, cluster, cluster_environment
from tradingbot_operator.settings import PREFIX

_PATHS: Final = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Deployment": "deployments",
}
_RIGHTS: Final = frozenset(_PATHS) - {"Deployment"}
Manifest = dict[str, Any]


class Installed(NamedTuple):
    """A release, as far as it is about rights."""

    rig: Rig
    grants: set[Grant]
    environment: dict[str, str]
    """What the chart tells its operator, without the prefix."""

    def operator(self, **settings: str) -> OperatorProcess:
        """Return an operator with the account of the release that is not started yet."""
        told = self.environment | {"NAMESPACE": RELEASE_NAMESPACE, "LEADER_ELECTION": "on", "POLL_INTERVAL_SECONDS": "1"} | settings
        return OperatorProcess(self.rig.plane.api_server.kubeconfig(INSTALLED), settings=told)


@contextmanager
def install_rights(rig: Rig, *settings: str, without: tuple[str, str] | None = None) -> Iterator[Installed]:
    """Grant what the chart with these values grants, but a resource's verb that is to be missed, for as long as it is entered."""
    manifests = _render(*settings)
    if rig.api.get("namespaces", RELEASE_NAMESPACE, None) is None:
        rig.make_namespace(RELEASE_NAMESPACE)
    rights = [_less(manifest, *without) if without else manifest for manifest in manifests if manifest["kind"] in _RIGHTS]
    (deployment,) = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    objects = [*rights, deployment]
    for manifest in objects:
        rig.api.ask("POST", _path(manifest), manifest)
    try:
        yield Installed(rig, read_grants(rights), _environment(deployment))
    finally:
        for manifest in objects:
            rig.api.ask("DELETE", f"{_path(manifest)}/{manifest['metadata']['name']}")
        rig.api.delete("leases", deployment["metadata"]["name"], RELEASE_NAMESPACE)
        # What the next one may do must not be by this one's leave.
        client = rig.plane.api_server.client(INSTALLED)
        eventually("the account has no rights any more", lambda: not _may_list(client))
        client.close()


def _render(*settings: str) -> list[Manifest]:
    cluster("tools")
    words = [word for setting in settings for word in ("--set", setting)]
    command = ["helm", "template", "operator", str(CHART), "--namespace", RELEASE_NAMESPACE, *words]
    rendered = subprocess.run(command, env=cluster_environment(), check=True, stdout=subprocess.PIPE, text=True).stdout
    return [manifest for manifest in yaml.safe_load_all(rendered) if manifest]


def _less(manifest: Manifest, resource: str, verb: str) -> Manifest:
    if "rules" not in manifest:
        return manifest
    rules: list[Manifest] = []
    for rule in manifest["rules"]:
        others = [each for each in rule["resources"] if each != resource]
        rules.append(rule | {"resources": others})
        if len(others) < len(rule["resources"]):
            rules.append(rule | {"resources": [resource], "verbs": [each for each in rule["verbs"] if each != verb]})
    return manifest | {"rules": [rule for rule in rules if rule["resources"] and rule["verbs"]]}


def _environment(deployment: Manifest) -> dict[str, str]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"].removeprefix(PREFIX): entry["value"] for entry in container["env"] if "value" in entry}


def _path(manifest: Manifest) -> str:
    namespace = manifest["metadata"].get("namespace")
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{manifest['apiVersion']}{inside}/{_PATHS[manifest['kind']]}"


def _may_list(client: ApiClient) -> bool:
    return client.raw("GET", path_of("tradingbots", None)).status == HTTPStatus.OK
