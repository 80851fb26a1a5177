"""A cluster as a person and as a program see it: ``kubectl`` for what users type, the official client for what is polled.

Polling goes through one pooled connection, because a process per look would cost more CPU than the operator under test.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from rig.forward import read_page

Object = dict[str, Any]

_ROOTS: Final = {
    "tradingbots": "/apis/tradingbot.dev/v1alpha1",
    "statefulsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
CHILDREN: Final = ("statefulsets", "services", "configmaps", "persistentvolumeclaims", "poddisruptionbudgets", "networkpolicies")
"""Every kind of which the operator makes one for a bot."""


class KubectlError(Exception):
    """kubectl, or helm, ended with an error; the text is what it said."""

    def __init__(self, said: str, output: str) -> None:
        super().__init__(said)
        self.output = output


class Kube:
    """One cluster, reached with the given environment (``KUBECONFIG`` and ``PATH``)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._settings = client.Configuration()
        self._client = config.new_client_from_config(  # type: ignore[no-untyped-call]  # it has no types
            self.environment["KUBECONFIG"], client_configuration=self._settings
        )

    def close(self) -> None:
        self._client.close()

    def raw(self, path: str, *, timeout_seconds: float = 30.0) -> bytes | None:
        """Return what the API server has at ``path``, or None."""
        request = self._client.param_serialize("GET", path, auth_settings=["BearerToken"])
        response = self._client.call_api(*request, _request_timeout=timeout_seconds)
        body: bytes = response.read()
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            raise ApiException(status=response.status, reason=f"{path}: {body.decode(errors='replace')}")
        return body

    def get(self, kind: str, name: str, namespace: str | None) -> Object | None:
        """Return one object, or None."""
        body = self.raw(f"{_path(kind, namespace)}/{name}")
        return None if body is None else json.loads(body)

    def items(self, kind: str, namespace: str | None, **query: str) -> list[Object]:
        """Return all objects of a kind, for example with ``labelSelector``."""
        body = self.raw(f"{_path(kind, namespace)}?{urlencode(query)}")
        assert body is not None, f"the API server does not answer for {kind}"
        found: list[Object] = json.loads(body)["items"]
        return found

    def page(self, namespace: str, pod: str, port: int, path: str) -> bytes | None:
        """Return a page of a pod; None when it doesn't answer."""
        return read_page(self._settings, namespace, pod, port, path)

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run a program with this cluster's environment and return what it printed.

        Raises:
            KubectlError: it ended with an error.
        """
        done = subprocess.run(command, env=self.environment, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise KubectlError(f"{' '.join(command[:8])}: {done.stderr.strip() or done.stdout.strip()}", done.stdout)
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.run("kubectl", *arguments, stdin=stdin)

    def apply(self, *manifests: Object, namespace: str) -> str:
        return self.kubectl("-n", namespace, "apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def patch(self, kind: str, name: str, namespace: str, change: Object | list[Object]) -> None:
        """Change an object as somebody with ``kubectl edit`` would; a list is a JSON patch."""
        how = "json" if isinstance(change, list) else "merge"
        self.kubectl("-n", namespace, "patch", kind, name, "--type", how, "-p", json.dumps(change))

    def merge(self, kind: str, name: str, namespace: str, change: Object) -> Object:
        """Change an object over the connection that polls, without a process of its own; return what it then is."""
        request = self._client.param_serialize(
            "PATCH",
            f"{_path(kind, namespace)}/{name}",
            header_params={"Content-Type": "application/merge-patch+json"},
            body=change,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*request)
        body = response.read()
        if response.status != HTTPStatus.OK:
            raise ApiException(status=response.status, reason=body.decode(errors="replace"))
        found: Object = json.loads(body)
        return found

    def make_namespace(self, name: str) -> None:
        """Make a namespace in which only pods that keep the restricted Pod Security standard may run."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest))


def _path(kind: str, namespace: str | None) -> str:
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{_ROOTS.get(kind, '/api/v1')}{inside}/{kind}"
