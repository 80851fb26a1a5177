"""Nodes, played: a scheduler that binds every pod at once, and a kubelet that gives each an address on loopback and a simulated engine.

It watches the pods of all bots on a real API server and lives in a thread of its own. Tests reach into it with :meth:`SimulatedKubelet.do`,
so everything that it knows is only ever touched in that thread.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import ssl
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp

from simulated_engine import BotName, Conduct, Ledger
from simulated_pod import SimulatedPod

Object = dict[str, Any]
T = TypeVar("T")

NODES: Final = ("node-a", "node-b", "node-c")
SELECTOR: Final = "app.kubernetes.io/name=tradingbot"
KEPT_VERSIONS: Final = 64
_RETRY_SECONDS: Final = 0.2
_FAREWELL_SECONDS: Final = 0.25
"""A closed connection with TLS says good-bye first, and aiohttp does not wait for that."""
_logger = logging.getLogger(__name__)


class SimulatedKubelet:
    """The kubelets of all nodes, and the scheduler."""

    def __init__(self, url: str, certificate: Path, token: str) -> None:
        self.ledger = Ledger()
        self.pods: dict[str, SimulatedPod] = {}
        """Those that live now, by uid."""
        self.made: Counter[tuple[str, str]] = Counter()
        """Pods that were ever seen, by namespace and name."""
        self.failures: list[str] = []
        """What went wrong in here; a test that ends looks at it."""
        self.schedules = True
        """Whether new pods get a node."""
        self._conducts: defaultdict[BotName, Conduct] = defaultdict(Conduct)
        self._configs: defaultdict[tuple[str, str], deque[tuple[float, dict[str, str]]]] = defaultdict(lambda: deque(maxlen=KEPT_VERSIONS))
        # Another process may play the same game: each begins at a place of its own, and goes on where an address is taken.
        self._addresses = (
            f"127.{16 + number // 64516 % 200}.{number // 254 % 254 + 1}.{number % 254 + 1}"
            for number in itertools.count(os.getpid() * 512)
        )
        self._nodes = itertools.cycle(NODES)
        self._url = url
        self._certificate = certificate
        self._token = token
        self._gone: set[str] = set()
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="kubelet", daemon=True)
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._session: aiohttp.ClientSession

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30), "the kubelet does not start"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def do(self, job: Callable[[], T]) -> T:
        """Call something in the kubelet's thread and return what it gives."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(30)

    def conduct(self, namespace: str, bot: str, **changes: Any) -> Conduct:
        """Return how the pods of a bot behave, with some of it changed."""
        conduct = self._conducts[BotName(namespace, bot)]

        def change() -> None:
            for name, value in changes.items():
                assert hasattr(conduct, name), name
                setattr(conduct, name, value)
            for pod in self.pods.values():
                if pod.bot == BotName(namespace, bot):
                    pod.wake()

        self.do(change)
        return conduct

    def pods_of(self, namespace: str, bot: str) -> dict[str, SimulatedPod]:
        """Return the pods of a bot that live now, by name."""
        return self.do(lambda: {pod.name: pod for pod in self.pods.values() if pod.bot == BotName(namespace, bot)})

    # What a pod needs of its node

    async def bind(self, pod: Object) -> str | None:
        """Give a pod a node; None: it is gone."""
        if pod["spec"].get("nodeName"):
            return str(pod["spec"]["nodeName"])
        while not self.schedules:  # noqa: ASYNC110 - a test sets it from another thread
            await asyncio.sleep(0.05)
        node = self._choose_node(pod)
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        status, answer = await self._ask("POST", f"{_path(pod)}/binding", binding)
        if status >= HTTPStatus.BAD_REQUEST:
            is_leaving = "is being terminated" in answer.get("message", "")
            if status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT} and not is_leaving:
                self.failures.append(f"binding {metadata['name']}: {answer}")
            return None
        return node

    def take_address(self) -> str:
        return next(self._addresses)

    async def config(self, namespace: str, name: str, *, stale_seconds: float) -> Mapping[str, str]:
        """Return the data of a ConfigMap, as it was some time ago."""
        status, answer = await self._ask("GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        now = time.monotonic()
        seen = self._configs[namespace, name]
        if status == HTTPStatus.OK:
            data: dict[str, str] = answer.get("data") or {}
            if not seen or seen[-1][1] != data:
                seen.append((now, data))
        old = [data for at, data in seen if at <= now - stale_seconds]
        return old[-1] if old else (seen[0][1] if seen else {})

    async def write_status(self, pod: Object, status: Object) -> None:
        change = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        code, answer = await self._ask("PATCH", f"{_path(pod)}/status", change, "application/merge-patch+json")
        if code >= HTTPStatus.BAD_REQUEST and code not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            self.failures.append(f"status of {pod['metadata']['name']}: {answer}")

    async def finish(self, pod: Object) -> None:
        """Take a pod away whose containers have ended."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._ask("DELETE", _path(pod), options)

    # Its own life

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._loop.close()

    async def _main(self) -> None:
        tls = ssl.create_default_context(cafile=str(self._certificate))
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=64),
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=2**21,
        ) as self._session:
            watch = asyncio.create_task(self._watch())
            self._ready.set()
            await self._stop.wait()
            for task in (watch, *self._lives.values()):
                task.cancel()
            await asyncio.gather(watch, *self._lives.values(), return_exceptions=True)
        await asyncio.sleep(_FAREWELL_SECONDS)

    async def _watch(self) -> None:
        while True:
            try:
                async for kind, pod in self._events():
                    self._take(kind, pod)
            except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
                _logger.debug("the watch broke: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _events(self) -> AsyncIterator[tuple[str, Object]]:
        status, listing = await self._ask("GET", f"/api/v1/pods?labelSelector={SELECTOR}")
        if status != HTTPStatus.OK:
            return
        there = {pod["metadata"]["uid"]: pod for pod in listing["items"]}
        for uid in self.pods.keys() - there.keys():
            yield "DELETED", {"metadata": {"uid": uid}}
        for pod in there.values():
            yield "ADDED", pod
        version = listing["metadata"]["resourceVersion"]
        url = f"{self._url}/api/v1/pods?labelSelector={SELECTOR}&watch=true&resourceVersion={version}"
        async with self._session.get(url) as response:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]

    def _take(self, kind: str, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._gone:
            return  # what the watch still tells of it is of before its end
        known = self.pods.get(uid)
        if kind == "DELETED":
            if known is not None:
                self._lives[uid].cancel()
        elif known is not None:
            known.update(pod)
        else:
            metadata = pod["metadata"]
            self.made[metadata["namespace"], metadata["name"]] += 1
            bot = BotName(metadata["namespace"], metadata["labels"]["app.kubernetes.io/instance"])
            self.pods[uid] = SimulatedPod(self, pod, self._conducts[bot])
            self._lives[uid] = asyncio.create_task(self._live(self.pods[uid]))

    async def _live(self, pod: SimulatedPod) -> None:
        try:
            await pod.run()
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - a fault of the game must fail the test, not only this pod
            self.failures.append(f"pod {pod.name}: {error!r}")
        finally:
            self._gone.add(pod.uid)
            self.pods.pop(pod.uid, None)
            self._lives.pop(pod.uid, None)

    def _choose_node(self, pod: Object) -> str:
        avoided = _avoided_nodes(pod)
        for _ in NODES:
            node = next(self._nodes)
            if node not in avoided:
                return node
        return next(self._nodes)

    async def _ask(self, verb: str, path: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Object]:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type} if data is not None else {}
        while True:
            try:
                async with self._session.request(verb, f"{self._url}{path}", data=data, headers=headers) as response:
                    return response.status, json.loads(await response.read())
            except (aiohttp.ClientError, OSError):
                await asyncio.sleep(_RETRY_SECONDS)  # the API server is being started again


def _path(pod: Object) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _avoided_nodes(pod: Object) -> set[str]:
    """Return the nodes that a pod would rather not run on."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = [term["preference"] for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
    expressions = [each for term in terms for name in ("matchExpressions", "matchFields") for each in term.get(name) or ()]
    return {node for each in expressions if each["operator"] == "NotIn" for node in each["values"]}
