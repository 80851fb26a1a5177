"""The API server as a test sees it: requests of one user over pooled connections. Safe to use from threads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import urllib3

Object = dict[str, Any]

ROOTS: Final = {
    "tradingbots": "/apis/tradingbot.dev/v1alpha1",
    "statefulsets": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "podmonitors": "/apis/monitoring.coreos.com/v1",
    "prometheusrules": "/apis/monitoring.coreos.com/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "customresourcedefinitions": "/apis/apiextensions.k8s.io/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
CHILDREN: Final = ("statefulsets", "services", "configmaps", "persistentvolumeclaims", "poddisruptionbudgets", "networkpolicies")
"""Every kind of which the operator makes one for a bot."""

ANSWER_SECONDS: Final = 120.0
"""A bound on how long a failing run takes, not a claim about speed."""
JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


class Answer(NamedTuple):
    """What the API server said."""

    status: int
    body: Any


class RefusedError(Exception):
    """The API server did not do what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiClient:
    """One user of the API server."""

    def __init__(self, url: str, certificate: Path, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pool = urllib3.PoolManager(maxsize=16, ca_certs=str(certificate), timeout=ANSWER_SECONDS, retries=False)

    def close(self) -> None:
        self._pool.clear()

    def raw(self, verb: str, path: str, body: Any = None, content_type: str = JSON) -> Answer:
        """Send a request; a body that is no JSON comes back as text."""
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({"Content-Type": content_type} if data is not None else {})
        response = self._pool.request(verb, f"{self._url}{path}", body=data, headers=headers)
        is_json = response.headers.get("Content-Type", "").startswith(JSON)
        return Answer(response.status, json.loads(response.data) if is_json else response.data.decode())

    def ask(self, verb: str, path: str, body: Any = None, content_type: str = JSON) -> Object:
        """Send a request and return the object that comes back.

        Raises:
            RefusedError: the API server says no.
        """
        answer = self.raw(verb, path, body, content_type)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(answer.status, answer.body["message"] if isinstance(answer.body, dict) else answer.body)
        found: Object = answer.body
        return found

    def get(self, kind: str, name: str, namespace: str | None) -> Object | None:
        """Return one object, or None."""
        answer = self.raw("GET", path_of(kind, namespace, name))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise RefusedError(answer.status, str(answer.body))
        found: Object = answer.body
        return found

    def items(self, kind: str, namespace: str | None, **query: str) -> list[Object]:
        """Return all objects of a kind, for example with ``labelSelector``."""
        found: list[Object] = self.ask("GET", f"{path_of(kind, namespace)}?{urlencode(query)}")["items"]
        return found

    def create(self, kind: str, namespace: str | None, manifest: Object, **query: str) -> Object:
        return self.ask("POST", f"{path_of(kind, namespace)}?{urlencode(query)}", manifest)

    def patch(self, kind: str, name: str, namespace: str | None, change: Mapping[str, Any], *, subresource: str = "") -> Object:
        """Merge a change into an object."""
        suffix = f"/{subresource}" if subresource else ""
        return self.ask("PATCH", path_of(kind, namespace, name) + suffix, change, MERGE)

    def apply(self, kind: str, namespace: str | None, manifest: Object) -> Object:
        """Apply as ``kubectl apply --server-side`` does."""
        path = path_of(kind, namespace, manifest["metadata"]["name"])
        return self.ask("PATCH", f"{path}?fieldManager=test&force=true", manifest, APPLY)

    def delete(self, kind: str, name: str, namespace: str | None, **options: Any) -> None:
        """Delete an object; that there is none is as good."""
        answer = self.raw("DELETE", path_of(kind, namespace, name), {"apiVersion": "v1", "kind": "DeleteOptions", **options})
        if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND}:
            raise RefusedError(answer.status, str(answer.body))


def path_of(kind: str, namespace: str | None, name: str = "") -> str:
    """Return the path of a list, or of an object."""
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{ROOTS.get(kind, '/api/v1')}{inside}/{kind}{f'/{name}' if name else ''}"
