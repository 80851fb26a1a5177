"""The way to a cluster's API server, found as kubectl finds it: ``--kubeconfig``, ``KUBECONFIG``, ``~/.kube/config``, a pod's own account.

Credentials are the official client's business (certificates, tokens, programs that fetch one). Objects are plain JSON. What goes wrong
becomes one sentence that says what to do.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.rest import RESTClientObject
from msgspec import Struct

from tradingbot_cli.errors import FailedError, RefusedError

Object = dict[str, Any]

JSON: Final = "application/json"
MERGE: Final = "application/merge-patch+json"
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
_DEFAULT_FILE: Final = "~/.kube/config"
_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_IN_A_POD: Final = "KUBERNETES_SERVICE_HOST"


class Target(Struct, frozen=True, kw_only=True):
    """Which cluster and namespace the command line asks for. None: what the kubeconfig says."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    all_namespaces: bool = False


class ApiError(FailedError):
    """The API server said no."""

    def __init__(self, status: int, message: str, body: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        """The Status object that it sent; empty where it sent none."""


class Connection:
    """One user's way to the API server of one cluster."""

    def __init__(self, target: Target, *, patience_seconds: float = ANSWER_SECONDS) -> None:
        """Read the credentials; nothing is asked yet.

        Raises:
            RefusedError: the kubeconfig can't be used, or there is none.
        """
        self.settings = client.Configuration()
        self.name, namespace = _load(target, self.settings)
        """What messages call the cluster."""
        self.namespace = target.namespace or namespace or "default"
        """Namespace that is meant when none is named."""
        self._timeout = urllib3.Timeout(connect=min(patience_seconds, CONNECT_SECONDS), read=patience_seconds)
        try:
            self._pool: urllib3.PoolManager = RESTClientObject(self.settings).pool_manager
        except (OSError, ValueError) as error:
            raise RefusedError(f"{self.name}: its certificates can't be used: {error}") from error

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        bearer = self.settings.auth_settings().get("BearerToken")
        return {bearer["key"]: bearer["value"]} if bearer and bearer["value"] else {}

    def ask(self, verb: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, content_type: str = JSON) -> Object:
        """Send a request and return the object that comes back.

        Raises:
            ApiError: the API server says no.
            FailedError: it can't be reached.
        """
        response = self._send(verb, path, query, self._timeout, body=body, content_type=content_type)
        answer = self._read(response)
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(response.status, answer)
        try:
            decoded: Object = msgspec.json.decode(answer)
        except msgspec.DecodeError as error:
            raise FailedError(f"{self.settings.host} ({self.name}) is no API server: what it answers is no JSON") from error
        return decoded

    def stream(self, path: str, *, query: Mapping[str, str]) -> Iterator[bytes]:
        """Send a request whose answer has no end that is known (a log, a watch); yield it line by line.

        Raises:
            ApiError: the API server says no.
            FailedError: it can't be reached, or has gone meanwhile.
        """
        response = self._send("GET", path, query, urllib3.Timeout(connect=CONNECT_SECONDS, read=None))
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise self._refusal(response.status, self._read(response))
        rest = b""
        try:
            for chunk in response.stream(None):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        finally:
            response.close()
        if rest:
            yield rest

    def _send(
        self, verb: str, path: str, query: Mapping[str, str] | None, timeout: urllib3.Timeout, *, body: Any = None, content_type: str = JSON
    ) -> urllib3.BaseHTTPResponse:
        data = None if body is None else msgspec.json.encode(body)
        headers = self.headers() | {"Accept": JSON} | ({"Content-Type": content_type} if data is not None else {})
        url = f"{self.settings.host}{path}{f'?{urlencode(query)}' if query else ''}"
        try:
            return self._pool.request(verb, url, body=data, headers=headers, timeout=timeout, retries=False, preload_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        try:
            return response.read()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        finally:
            response.release_conn()

    def _unreachable(self, error: Exception) -> FailedError:
        return FailedError(f"the API server {self.settings.host} ({self.name}) can't be reached: {_why(error)}")

    def _refusal(self, status: int, answer: bytes) -> ApiError:
        try:
            body = msgspec.json.decode(answer, type=dict[str, Any])
        except msgspec.DecodeError:
            body = {}
        message = str(body.get("message") or answer[:200].decode(errors="replace").strip() or status)
        if status == HTTPStatus.UNAUTHORIZED:
            message = f"the API server {self.settings.host} does not take the credentials of {self.name}: log in anew, or choose --context"
        elif status == HTTPStatus.FORBIDDEN:
            message = f"no rights: {message}. Ask whoever runs the cluster for a Role with them, or choose another --context"
        return ApiError(status, message, body)


class _Heard(logging.Handler):
    """What the client logs while it reads credentials: a program that should fetch them and fails is told of nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _load(target: Target, settings: client.Configuration) -> tuple[str, str | None]:
    """Fill in the settings; return what messages call the cluster, and the namespace that its context names."""
    files = target.kubeconfig or os.environ.get("KUBECONFIG") or _DEFAULT_FILE
    found = [path for path in files.split(os.pathsep) if path and Path(path).expanduser().exists()]
    if not found and not target.kubeconfig and os.environ.get(_IN_A_POD):
        return _load_account(settings)
    if not found:
        raise RefusedError(f"there is no kubeconfig at {files}: set KUBECONFIG, or give --kubeconfig FILE")
    heard, root = _Heard(), logging.getLogger()
    root.addHandler(heard)
    try:
        contexts, current = config.list_kube_config_contexts(files)  # type: ignore[no-untyped-call]  # it has no types
        names = [each["name"] for each in contexts]
        if target.context is not None and target.context not in names:
            raise RefusedError(f"{files} has no context {target.context}: there is {', '.join(names)}")
        context = current if target.context is None else contexts[names.index(target.context)]
        config.load_kube_config(files, context=context["name"], client_configuration=settings)  # type: ignore[no-untyped-call]  # as above
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The client takes the file as it is; whatever it stumbles over is the file's.
        raise RefusedError(f"the kubeconfig {files} can't be used: {' '.join(str(error).split())[:300]}") from error
    finally:
        root.removeHandler(heard)
    if heard.messages:
        raise RefusedError(f"context {context['name']} of {files}: no credentials: {heard.messages[0]}")
    return f"context {context['name']}", context["context"].get("namespace")


def _load_account(settings: client.Configuration) -> tuple[str, str | None]:
    try:
        config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # it has no types
    except config.ConfigException as error:
        raise RefusedError(f"this pod has no service account to ask with: {error}") from error
    namespace = _NAMESPACE_FILE.read_text().strip() if _NAMESPACE_FILE.exists() else None
    return "the service account of this pod", namespace


def _why(error: Exception) -> str:
    """Return what went wrong, for people: the end of the chain says it best."""
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or getattr(cause, "reason", None)
        if not isinstance(cause, BaseException):
            cause = None
    if isinstance(cause, OSError) and cause.strerror:
        return str(cause.strerror)
    return "no answer in time" if isinstance(error, urllib3.exceptions.TimeoutError) else str(error)
