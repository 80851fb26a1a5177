"""A thin client of the API server over one session: apply, read, list, delete, patch. It decides nothing and retries nothing.

Credentials come from kopf's own login functions, so the operator authenticates in one way only. When the server says that they are
no longer good, they are read anew, once. Calls that change something are bounded in their rate, and are made only by an operator that
leads: one that does not, or whose lead ends while a call is on its way, gets an error in its place.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import aiohttp
import kopf
import msgspec
from msgspec import Struct

from tradingbot_operator.errors import ConflictError, NamespaceGoingError, NotLeadingError, RefusedError, UnavailableError
from tradingbot_operator.kinds import POD, Kind, kind_of
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import FIELD_MANAGER
from tradingbot_operator.term import Term
from tradingbot_operator.token_bucket import TokenBucket

Object = dict[str, Any]

TIMEOUT_SECONDS: Final = 30.0
PAGE_SIZE: Final = 500
CHANGES_PER_SECOND: Final = 50.0
CHANGES_AT_ONCE: Final = 100

_NOT_OF_ITS_SCHEMA: Final = "failed to create typed patch object"
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"
_STRATEGIC_MERGE: Final = "application/strategic-merge-patch+json"
_JSON_PATCH: Final = "application/json-patch+json"
_JSON: Final = "application/json"

_logger = logging.getLogger(__name__)


_NAMESPACE_GOING: Final = "NamespaceTerminating"


class _Cause(Struct, frozen=True):
    reason: str = ""


class _Details(Struct, frozen=True):
    causes: list[_Cause] = []


class _Status(Struct, frozen=True):
    """What the API server answers with an error."""

    message: str = ""
    details: _Details | None = None


class Listing(NamedTuple):
    """All objects of a kind, as of a version."""

    items: list[Object]
    version: int


class _Request(NamedTuple):
    verb: str
    path: str
    params: Mapping[str, str] | None
    data: bytes | None
    content_type: str
    needs_lead: bool
    """Whether only an operator that leads may make it."""


def login(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """Return the credentials of the pod's service account, or those of ``KUBECONFIG``.

    Raises:
        kopf.LoginError: there are none.
    """
    info = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
    if not isinstance(info, kopf.ConnectionInfo):
        raise kopf.LoginError("no credentials: run in a pod with a service account, or set KUBECONFIG")
    return info


class Kube:
    """The API server."""

    def __init__(self, settings: kopf.OperatorSettings, metrics: OperatorMetrics, term: Term) -> None:
        self._settings = settings
        self._metrics = metrics
        self._term = term
        self._changes = TokenBucket(per_second=CHANGES_PER_SECOND, burst=CHANGES_AT_ONCE)
        self._login_lock = asyncio.Lock()
        self._info = login(settings)
        self._session = self._open()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        connector = self._session.connector
        if connector is not None:
            # A peer that hangs must not hold up the end with a farewell of TLS.
            await connector.close(abort_ssl=True)
        await self._session.close()

    # What can be asked for

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        return await self._call("GET", kind.path(namespace, name))

    async def list_all(self, kind: Kind, namespace: str | None, selector: str = "") -> Listing | None:
        """Return all objects of a kind, of one namespace or of all; None: the server does not know the kind."""
        found: list[Object] = []
        token = ""
        while True:
            params = {"limit": str(PAGE_SIZE)} | ({"labelSelector": selector} if selector else {}) | ({"continue": token} if token else {})
            page = await self._call("GET", kind.path(namespace), params=params)
            if page is None:
                return None
            # Elements of a list don't say what they are.
            found += [{"apiVersion": kind.api_version, "kind": kind.name} | item for item in page["items"]]
            token = page["metadata"].get("continue", "")
            if not token:
                return Listing(found, int(page["metadata"]["resourceVersion"]))

    async def served(self, api_version: str) -> frozenset[str]:
        """Return the plurals of the kinds that the server has of a version of a group; none when it does not know it."""
        answer = await self._call("GET", f"/apis/{api_version}")
        return frozenset(resource["name"] for resource in answer["resources"]) if answer else frozenset()

    async def apply(self, manifest: Object) -> Object:
        """Bring an object to what the manifest says, or make it: server-side apply, as the owner of the fields that are in it."""
        metadata = manifest["metadata"]
        path = kind_of(manifest["kind"]).path(metadata["namespace"], metadata["name"])
        params = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return _there(await self._call("PATCH", path, params=params, body=manifest, content_type=_APPLY), path)

    async def patch_json(self, kind: Kind, namespace: str, name: str, operations: list[Object]) -> Object | None:
        """Carry out a JSON patch; None: the object is gone."""
        return await self._call(
            "PATCH", kind.path(namespace, name), params={"fieldManager": FIELD_MANAGER}, body=operations, content_type=_JSON_PATCH
        )

    async def patch(self, kind: Kind, namespace: str, name: str, change: Object, *, subresource: str = "") -> Object | None:
        """Merge a change into an object; None: the object is gone.

        Raises:
            ConflictError: the change names a resourceVersion or uid that the object no longer has.
        """
        path = kind.path(namespace, name, subresource)
        return await self._call("PATCH", path, params={"fieldManager": FIELD_MANAGER}, body=change, content_type=_MERGE)

    async def resize(self, namespace: str, pod: str, change: Object) -> Object | None:
        """Merge a change into the resources of a running pod, its containers by their names; None: the pod is gone.

        Raises:
            ConflictError: the change names a uid that the pod no longer has.
            RefusedError: the node or the API server does not take it.
        """
        path = POD.path(namespace, pod, "resize")
        return await self._call("PATCH", path, params={"fieldManager": FIELD_MANAGER}, body=change, content_type=_STRATEGIC_MERGE)

    async def create(self, kind: Kind, namespace: str, manifest: Object, *, vital: bool = False) -> Object:
        """Make an object.

        Args:
            kind: its kind.
            namespace: where.
            manifest: what it should be.
            vital: whether it is about the lead itself: made at once, also by one that does not lead.

        Raises:
            ConflictError: there is one of this name.
        """
        path = kind.path(namespace)
        return _there(await self._call("POST", path, params={"fieldManager": FIELD_MANAGER}, body=manifest, vital=vital), path)

    async def update(self, kind: Kind, namespace: str, name: str, manifest: Object, *, vital: bool = False) -> Object | None:
        """Write an object over the version that the manifest names; None: it is gone. For `vital` see :meth:`create`.

        Raises:
            ConflictError: it is no longer of that version.
        """
        return await self._call("PUT", kind.path(namespace, name), params={"fieldManager": FIELD_MANAGER}, body=manifest, vital=vital)

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None) -> Object | None:
        """Delete an object, but only the one with this uid; that it is gone already is as good. Return what the API server says of it.

        Raises:
            ConflictError: there is another one of this name.
        """
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        return await self._call("DELETE", kind.path(namespace, name), body=options)

    def open_proxy(
        self, namespace: str, pod: str, port: int, path: str, *, timeout_seconds: float
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Return a request to a pod, through the API server."""
        url = f"{self._url()}/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}"
        return self._session.get(url, timeout=aiohttp.ClientTimeout(total=timeout_seconds))

    # How it is asked

    async def _call(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = _JSON,
        vital: bool = False,
    ) -> Object | None:
        needs_lead = verb != "GET" and not vital
        if needs_lead:
            await self._changes.take()
        request = _Request(verb, path, params, msgspec.json.encode(body) if body is not None else None, content_type, needs_lead)
        session = self._session
        status, answer = await self._send(session, request)
        if status == HTTPStatus.UNAUTHORIZED:
            await self._renew(session)
            status, answer = await self._send(self._session, request)
        if status == HTTPStatus.NOT_FOUND and content_type != _APPLY:
            return None
        if status >= HTTPStatus.BAD_REQUEST:
            raise _error(status, answer, f"{verb} {path}")
        decoded: Object = msgspec.json.decode(answer)
        return decoded

    async def _send(self, session: aiohttp.ClientSession, request: _Request) -> tuple[int, bytes]:
        url, verb = f"{self._url()}{request.path}", request.verb
        headers = {"Content-Type": request.content_type} if request.data is not None else {}
        # aiohttp would end a long one at the next whole second of its clock, which may be after the lead.
        timeout = aiohttp.ClientTimeout(total=self._seconds_for(request), ceil_threshold=math.inf)
        started = time.perf_counter()
        try:
            async with session.request(verb, url, params=request.params, data=request.data, headers=headers, timeout=timeout) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._metrics.api_calls.labels(verb, "0").inc()
            raise UnavailableError(f"{verb} {request.path}: {error or type(error).__name__}") from error
        self._metrics.api_calls.labels(verb, str(response.status)).inc()
        self._metrics.api_seconds.labels(verb).observe(time.perf_counter() - started)
        return response.status, answer

    def _seconds_for(self, request: _Request) -> float:
        """Return how long a call that is sent now may take."""
        if not request.needs_lead:
            return TIMEOUT_SECONDS
        seconds = min(TIMEOUT_SECONDS, self._term.call_seconds())
        if seconds <= 0.0:
            raise NotLeadingError(f"{request.verb} {request.path}: this operator does not lead, so it changes nothing")
        return seconds

    async def _renew(self, used: aiohttp.ClientSession) -> None:
        async with self._login_lock:
            if used is not self._session:
                return  # somebody else has done it in the meantime
            _logger.info("the API server no longer takes the credentials; they are read anew")
            self._info = login(self._settings)
            self._session = self._open()
            await used.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=32, ssl=self._info.as_ssl_context()),
            headers=self._info.as_http_headers(),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            proxy=self._info.proxy_url,
        )

    def _url(self) -> str:
        return self._info.server.rstrip("/")


def _error(status: int, answer: bytes, call: str) -> Exception:
    message, causes = _explanation(answer)
    text = message or f"{call}: {status}"
    if status == HTTPStatus.CONFLICT:
        return ConflictError(text)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and message.startswith(_NOT_OF_ITS_SCHEMA):
        return RefusedError(text)  # for server-side apply, the API server has no better status for it
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNAUTHORIZED}:
        return UnavailableError(f"{call}: {status} {message}")
    return NamespaceGoingError(text) if _NAMESPACE_GOING in causes else RefusedError(text)


def _explanation(answer: bytes) -> tuple[str, set[str]]:
    """Return the message of an error and its causes; what answers may be a proxy that knows nothing of either."""
    try:
        status = msgspec.json.decode(answer, type=_Status)
    except msgspec.DecodeError:
        return answer[:200].decode(errors="replace"), set()
    return status.message, {cause.reason for cause in status.details.causes} if status.details else set()


def _there(found: Object | None, path: str) -> Object:
    if found is None:
        raise RefusedError(f"the API server has no {path}")
    return found
