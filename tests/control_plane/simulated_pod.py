"""What a node's kubelet does for one pod of a bot: addresses, containers, probes, the mounted document, restarts, resources, its end.

The pod's containers are a :class:`~simulated_engine.SimulatedEngine` and an :class:`~observer_page.ObserverPage`. Everything that the
kubelet would say about them goes into the pod's status on the API server, and nothing else does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from observer_page import ObserverPage
from simulated_engine import BotName, Conduct, Ledger, SimulatedEngine
from tradingbot_contract.document import Activity, SpecError, parse_document
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENV_CONFIG, OBSERVER_CONTAINER
from tradingbot_contract.quantity import parse_bytes

Object = dict[str, Any]

CREATE_SECONDS: Final = 0.3
"""What it takes to bring volumes and containers about."""
LIVENESS_SECONDS: Final = 7.0
"""After which the kubelet ends an engine that does not answer: three probes, and the grace of one second."""
READINESS_SECONDS: Final = 2.0
LONGEST_BACKOFF_SECONDS: Final = 300.0
SYNC_SECONDS: Final = 60.0
"""How often the kubelet looks for a changed document when nobody touches the pod."""
MISSING_SYNC_SECONDS: Final = 1.0
EXIT_CODES: Final = {"Error": 1, "OOMKilled": 137, "Completed": 0, "Killed": 137}


class Node(Protocol):
    """What a pod needs of where it runs."""

    ledger: Ledger

    async def bind(self, pod: Object) -> str | None: ...

    def take_address(self) -> str: ...

    async def config(self, namespace: str, name: str, *, stale_seconds: float) -> Mapping[str, str]: ...

    async def write_status(self, pod: Object, status: Object) -> None: ...

    async def finish(self, pod: Object) -> None: ...


class SimulatedPod:
    """One pod, from its binding to its end."""

    def __init__(self, node: Node, pod: Object, conduct: Conduct) -> None:
        self._node = node
        self._pod = pod
        self.conduct = conduct
        metadata = pod["metadata"]
        self.name: str = metadata["name"]
        self.uid: str = metadata["uid"]
        self.bot = BotName(metadata["namespace"], metadata["labels"]["app.kubernetes.io/instance"])
        self.node_name: str = pod["spec"].get("nodeName", "")
        self.ip = ""
        self.engine: SimulatedEngine | None = None
        self.restarts = 0
        self.observer_restarts = 0
        self.touches = 0
        shard = int(self.name.rpartition("-")[2])
        self.observer = ObserverPage(self.bot, shard, self.uid, conduct, lambda: self.engine)
        self._text: str | None = None
        self._touched: str | None = None
        self._resources: Object = {}
        self._waiting: Object = {"reason": "ContainerCreating"}
        self._last_state: Object = {}
        self._ended = asyncio.Event()
        self._resume = asyncio.Event()
        self._end_reason = ""
        self._started_at = 0.0
        self._ready_since: float | None = None
        self._condition_times: dict[str, tuple[str, str]] = {}
        self._written: Object = {}
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._observer_since = 0.0

    # What happens to it

    def update(self, pod: Object) -> None:
        """Take note of what the API server has of it now."""
        self._pod = pod
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    def kill(self, reason: str = "Killed") -> None:
        """End the engine's process as a signal or the kernel would."""
        self._end_reason = reason
        self._ended.set()

    def start_again(self) -> None:
        """End the kubelet's pause before the next start."""
        self._resume.set()

    def hang(self) -> None:
        """Let the engine answer nobody; the kubelet's liveness probe ends it in time."""
        if self.engine is not None:
            self.engine.hangs = True
        self._news.set()

    # Its life

    async def run(self) -> None:
        """Live until the pod is gone."""
        name = await self._node.bind(self._pod)
        if name is None:
            return
        self.node_name = name
        jobs: list[asyncio.Task[None]] = []
        try:
            await self._prepare()
            jobs = [asyncio.create_task(self._live()), asyncio.create_task(self._probe()), asyncio.create_task(self._sync())]
            while "deletionTimestamp" not in self._pod["metadata"]:
                self._follow_touch()
                self._follow_resources()
                await self.observer.follow(self.ip)
                await self._say()
                await self._news.wait()
                self._news.clear()
            grace = float(self._pod["metadata"].get("deletionGracePeriodSeconds", 0))
            await asyncio.sleep(min(self.conduct.stop_seconds, grace))
        finally:
            for job in (*jobs, *([self._reading] if self._reading else [])):
                job.cancel()
            self._drop_engine()
            await self.observer.close()
        await self._node.finish(self._pod)

    async def _prepare(self) -> None:
        self.ip = self._node.take_address()
        self._resources = _resources(self._pod)
        self._touched = self._touch()
        await asyncio.sleep(CREATE_SECONDS)
        self._observer_since = time.time()
        await self._read()

    async def _live(self) -> None:
        """Start the engine, again and again, with the kubelet's pauses."""
        pause = 0.0
        while True:
            self._ended.clear()
            self._started_at = time.time()
            name = f"{self.name}/{self.uid[:8]}/{self.restarts}"
            self.engine = SimulatedEngine(self.bot, self.name, name, conduct=self.conduct, ledger=self._node.ledger, changed=self.wake)
            self.engine.begin(self._text)
            self._waiting = {}
            self.wake()
            death = self._death()
            if death:
                await asyncio.sleep(self.conduct.start_seconds)
                self.kill(death)
            await self._ended.wait()
            lived = time.time() - self._started_at
            self._last_state = _terminated(self._end_reason, self._started_at, f"{self.uid}-{self.restarts}")
            self._drop_engine()
            if lived > 10 * 60:
                pause = 0.0
            if pause:
                self._waiting = {"reason": "CrashLoopBackOff", "message": f"back-off {pause:.0f}s restarting failed container"}
                self.wake()
                self._resume.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._resume.wait(), max(0.0, pause - lived))
            pause = min(LONGEST_BACKOFF_SECONDS, pause * 2.0 if pause else self.conduct.backoff_seconds)
            self.restarts += 1

    async def _probe(self) -> None:
        """End an engine that does not answer."""
        while True:
            await asyncio.sleep(0.5)
            engine = self.engine
            silent = time.time() - (engine.answered_at or engine.started_at) if engine is not None and engine.hangs else 0.0
            if silent > LIVENESS_SECONDS:
                self.kill("Killed")

    async def _sync(self) -> None:
        """Bring the document now and then, as the kubelet does without being touched."""
        while True:
            await asyncio.sleep(SYNC_SECONDS if self._text is not None else MISSING_SYNC_SECONDS)
            await self._read()

    def _drop_engine(self) -> None:
        engine, self.engine = self.engine, None
        if engine is not None:
            engine.end()

    def _death(self) -> str:
        """Return how the engine dies at its start, if it does."""
        conduct, document = self.conduct, self.observer.document
        if document is not None and document.activity is Activity.FENCE:
            return ""  # what it would die of it does not begin
        elsewhere = bool(conduct.dies_on_nodes) and self.node_name not in conduct.dies_on_nodes
        fits = bool(conduct.needs_memory) and self._memory_limit() >= conduct.needs_memory
        return "" if elsewhere or fits else conduct.dies_at_start

    def _memory_limit(self) -> int:
        text = self._resources.get("limits", {}).get("memory")
        return parse_bytes(text) if text else 0

    # The mounted document

    def _touch(self) -> str | None:
        annotations = self._pod["metadata"].get("annotations") or {}
        touched: str | None = annotations.get("tradingbot.dev/document-hash")
        return touched

    def _follow_touch(self) -> None:
        touched = self._touch()
        if touched != self._touched:
            self._touched = touched
            self.touches += 1
            self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        """Bring the engine and the observer the document, as the ConfigMap has it."""
        volumes = {volume["name"]: volume for volume in self._pod["spec"]["volumes"]}
        config = await self._node.config(
            self.bot.namespace, volumes["config"]["configMap"]["name"], stale_seconds=self.conduct.stale_seconds
        )
        text = config.get(_document_key(self._pod))
        if text == self._text:
            return
        self._text = text
        try:
            self.observer.document = parse_document(text) if text is not None else None
        except SpecError:
            self.observer.document = None
        if self.engine is not None:
            self.engine.offer(text)
        self.wake()

    # Its resources

    def _follow_resources(self) -> None:
        if not self.conduct.resize:
            self._resources = _resources(self._pod)
        self.observer.memory_limit_bytes = self._memory_limit() or None

    # What the kubelet says of it

    async def _say(self) -> None:
        status = self._status()
        if status != self._written:
            self._written = status
            await self._node.write_status(self._pod, status)

    def _status(self) -> Object:
        engine = self.engine
        ready = engine is not None and engine.is_ready
        conditions = [
            self._condition("PodScheduled", met=True),
            self._condition("PodReadyToStartContainers", met=True),
            self._condition("Initialized", met=True),
            self._condition("ContainersReady", met=ready),
            self._condition("Ready", met=ready),
        ]
        if self.conduct.resize and _resources(self._pod) != self._resources:
            conditions.append(
                self._condition("PodResizePending", met=True) | {"reason": self.conduct.resize, "message": "the node has no room for it"}
            )
        container = f"containerd://{self.uid}-{self.restarts}"
        state = {"waiting": self._waiting} if engine is None else {"running": {"startedAt": _time(self._started_at)}}
        image = self._pod["spec"]["containers"][0]["image"]
        return {
            "phase": "Running",
            "observedGeneration": self._pod["metadata"].get("generation", 1),
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "hostIP": "127.0.0.1",
            "startTime": _time(self._observer_since),
            "conditions": conditions,
            "initContainerStatuses": [
                {
                    "name": OBSERVER_CONTAINER,
                    "image": image,
                    "imageID": image,
                    "containerID": f"containerd://{self.uid}-observer",
                    "ready": True,
                    "started": True,
                    "restartCount": self.observer_restarts,
                    "state": {"running": {"startedAt": _time(self._observer_since)}},
                }
            ],
            "containerStatuses": [
                {
                    "name": ENGINE_CONTAINER,
                    "image": image,
                    "imageID": image,
                    "containerID": container,
                    "ready": ready,
                    "started": engine is not None,
                    "restartCount": self.restarts,
                    "state": state,
                    "lastState": self._last_state,
                    "resources": self._resources,
                    "allocatedResources": self._resources.get("requests", {}),
                }
            ],
        }

    def _condition(self, kind: str, *, met: bool) -> Object:
        status = "True" if met else "False"
        before = self._condition_times.get(kind)
        if before is None or before[0] != status:
            before = self._condition_times[kind] = (status, _time(time.time()))
        return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": before[1]}


def _resources(pod: Object) -> Object:
    resources = pod["spec"]["containers"][0].get("resources") or {}
    return {name: dict(resources[name]) for name in ("limits", "requests") if resources.get(name)}


def _document_key(pod: Object) -> str:
    """Return the name of the pod's document, as its engine finds it in its environment."""
    variables = pod["spec"]["containers"][0]["env"]
    path: str = next(variable["value"] for variable in variables if variable["name"] == ENV_CONFIG)
    for variable in variables:
        field = (variable.get("valueFrom") or {}).get("fieldRef", {}).get("fieldPath")
        if field in {"metadata.name", "metadata.uid"}:
            path = path.replace(f"$({variable['name']})", pod["metadata"][field.partition(".")[2]])
    return path.rpartition("/")[2]


def _terminated(reason: str, started_at: float, container: str) -> Object:
    return {
        "terminated": {
            "exitCode": EXIT_CODES[reason],
            "reason": "Error" if reason == "Killed" else reason,
            "startedAt": _time(started_at),
            "finishedAt": _time(time.time()),
            "containerID": f"containerd://{container}",
        }
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
