"""A cluster in memory that does what plans ask for: an API server, a StatefulSet controller, kubelets and engines in a few lines each.

Everything in it happens at once, so that a plan's own steps are what takes more than one pass. What a test wants late or broken, it says.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tradingbot_contract.document import Activity, EngineDocument, parse_document
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Severity
from tradingbot_operator.actions import Action, ApplyChild, DeleteChild, Plan, ResizePod, RestartPod, SetFinalizers, TouchPod
from tradingbot_operator.bot_status import EngineExit, TradingBotStatus, parse_status, render_status
from tradingbot_operator.grants import stored_floor
from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.names import FINALIZER, RESTART_HASH, RESTART_REQUEST
from tradingbot_operator.plan import plan
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import CRASH_LOOP
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import ContainerFacts, FleetFacts, PodFacts, ReportView, ResizeFacts, World

SETTINGS = OperatorSettings(engine_image="tradingbot/engine:1")
BEGIN = 1_800_000_000.0
NAME = "calm"
_CONFIG = ObjectKey("ConfigMap", f"{NAME}-config")
_WORKLOAD = ObjectKey("StatefulSet", NAME)


NONESUCH = "NONESUCH"
"""A symbol that no feed has."""


class Engine:
    """An engine: it starts with a document, and obeys later ones as far as it can live."""

    def __init__(self, document: EngineDocument, now: float, positions: set[str]) -> None:
        self.started_with = document
        self.document = document
        self.started_at = now
        self.positions = positions
        """Symbols; they outlive it, because its journal does."""
        self.speaks = True
        self.obey(document, now)

    @property
    def fenced(self) -> bool:
        return self.started_with.activity is Activity.FENCE or self.document.activity is Activity.FENCE

    @property
    def refuses(self) -> bool:
        """Whether it can't run its document: the feed has no such symbol."""
        return NONESUCH in self.started_with.market.symbols

    @property
    def symbols(self) -> frozenset[str]:
        """What it may trade."""
        if self.fenced or self.refuses:
            return frozenset()
        own, given = set(self.started_with.market.symbols), set(self.document.market.symbols) - set(self.document.releasing)
        return frozenset(own & (given | self.positions))

    def obey(self, document: EngineDocument, now: float) -> None:
        self.document = document
        if self.refuses or (self.started_with.activity is Activity.FENCE and document.activity is not Activity.FENCE):
            self.started_with, self.started_at = document, now
        if document.activity is Activity.FLATTEN:
            self.positions.clear()
        if document.settle:
            self.positions -= set(document.releasing)

    def buy(self) -> None:
        given = set(self.document.market.symbols) - set(self.document.releasing)
        if not self.fenced and self.document.activity is Activity.TRADE:
            self.positions |= set(self.started_with.market.symbols) & given

    def status(self, now: float) -> EngineStatus:
        if self.refuses:
            return EngineStatus(
                state=EngineState.REFUSED,
                generation=self.document.generation,
                started_at=self.started_at,
                heartbeat_at=now,
                revision=self.document.revision,
                symbols=(),
                grant=self.document.grant,
                document_refusal=f"there is no {NONESUCH}",
            )
        restart = self.started_with.revision != self.document.revision
        return EngineStatus(
            state=EngineState.FENCED if self.fenced else EngineState.RUNNING,
            generation=self.started_with.generation if restart else self.document.generation,
            started_at=self.started_at,
            heartbeat_at=now,
            equity=1.0,
            currency="USD",
            open_positions=len(self.positions),
            revision=self.started_with.revision,
            symbols=tuple(sorted(self.symbols)),
            busy_symbols=tuple(sorted(self.positions)),
            activity=self.document.activity.value,
            grant=self.document.grant,
        )


class Cluster:
    """One bot, and all that there is for it."""

    def __init__(self, **spec: Any) -> None:
        self.now = BEGIN
        self.generation = 1
        self.spec: dict[str, Any] = {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL"]}} | spec
        self.annotations: dict[str, str] = {}
        self.finalizers: list[str] = []
        self.deleted_at: str | None = None
        self.gone = False
        self.fleet = FleetFacts()
        self.claims: tuple[Any, ...] = ()
        self.namespace_terminating = False
        self.status = TradingBotStatus()
        self.children: dict[ObjectKey, dict[str, Any]] = {}
        self.pods: dict[str, PodFacts] = {}
        self.engines: dict[str, Engine] = {}
        """By pod; a pod without one does not come up."""
        self.journals: dict[str, set[str]] = {}
        """Open positions, by shard."""
        self.findings: dict[str, FindingReason] = {}
        self.comes_up = True
        """Whether engines of pods that are made now come up."""
        self.restarts: list[tuple[str, Reason]] = []
        self.versions = 0
        self.made = 0

    # What people and machines do

    def change(self, **sections: Any) -> None:
        """Change the spec."""
        self.spec = self.spec | sections
        self.generation += 1

    def annotate(self, name: str, value: str) -> None:
        self.annotations = self.annotations | {name: value}

    def delete(self) -> None:
        self.deleted_at, self.generation = format_time(self.now), self.generation + 1
        self.gone = not self.finalizers

    def crash(self, pod: str) -> None:
        """Let the engine die again, so that the kubelet waits."""
        facts = self.pods[pod]
        count = facts.engine.restarts + 1
        died = EngineExit(container_id=f"{pod}-{self.now}-{count}", reason="EngineKilled", exit_code=1, finished_at=format_time(self.now))
        waiting = ContainerFacts(waiting_reason=CRASH_LOOP, restarts=count, exit=died)
        self.pods[pod] = msgspec.structs.replace(facts, engine=waiting, ready=False, ready_since=None)
        self.engines.pop(pod, None)

    def lose(self, pod: str) -> None:
        self.pods.pop(pod, None)
        self.engines.pop(pod, None)
        self.findings.pop(pod, None)
        self.control()

    # What the operator sees

    @property
    def bot(self) -> TradingBot:
        metadata = {"name": NAME, "namespace": "bots", "uid": "bot-uid", "generation": self.generation, "annotations": self.annotations}
        metadata |= {"finalizers": self.finalizers, "deletionTimestamp": self.deleted_at, "creationTimestamp": format_time(BEGIN)}
        return parse_bot({"apiVersion": "tradingbot.dev/v1alpha1", "kind": "TradingBot", "metadata": metadata, "spec": self.spec})

    def world(self) -> World:
        return World(
            bot=self.bot,
            status=self.status,
            children=self.children,
            pods=tuple(self.pods.values()),
            reports={pod.uid: self.view(pod) for pod in self.pods.values()},
            fleet=self.fleet,
            claims=self.claims,
            absent_pods=frozenset(shard.name for shard in self.status.shards) - self.pods.keys(),
            namespace_terminating=self.namespace_terminating,
            now=self.now,
        )

    def view(self, pod: PodFacts) -> ReportView:
        engine = self.engines.get(pod.name)
        if engine is None or not engine.speaks:
            return ReportView(missing=Reason.OBSERVER_UNREACHABLE)
        found = self.findings.get(pod.name)
        return ReportView(
            report=ObserverReport(
                namespace="bots",
                bot=NAME,
                shard=int(pod.name.rpartition("-")[2]),
                pod_uid=pod.uid,
                observed_at=self.now,
                generation=engine.document.generation,
                observer_started_at=0.0,
                interval_seconds=15.0,
                engine_pid=1,
                engine_restarts=0,
                last_answer_at=self.now,
                score=90.0,
                findings=(Finding(found, Severity.CRITICAL, found.value, self.now - 40.0),) if found else (),
                sample=None,
                engine=engine.status(self.now),
            )
        )

    # What becomes of a plan

    def step(self) -> Plan:
        """Make one pass, and do what it asks for."""
        made = plan(self.world(), SETTINGS)
        if made.status is not None:
            self.status = parse_status(json.loads(json.dumps(render_status(made.status))))
        for action in made.actions:
            self.take(action)
        return made

    def rest(self, passes: int = 40, seconds: float = 0.0) -> list[Action]:
        """Make passes until one finds nothing to do; return all that was done."""
        taken: list[Action] = []
        for _ in range(passes):
            made = self.step()
            taken += made.actions
            if not made.actions and made.status is None:
                return taken
            self.now += seconds
        raise AssertionError(f"it does not come to rest: {made.actions}, {self.status.message}")

    def take(self, action: Action) -> None:
        match action:
            case ApplyChild():
                self.apply(action)
            case DeleteChild():
                del self.children[action.key]
            case RestartPod():
                shard = next(shard for shard in self.status.shards if shard.name == action.name)
                assert shard.last_restart_reason == action.reason.value, "it was written down before"
                self.restarts.append((action.name, action.reason))
                self.lose(action.name)
            case TouchPod():
                self.pods[action.name] = msgspec.structs.replace(self.pods[action.name], document_hash=action.document_hash)
            case ResizePod():
                size = _size(action.requests, action.limits)
                self.pods[action.name] = msgspec.structs.replace(self.pods[action.name], resize=size)
            case SetFinalizers():
                self.finalizers = [FINALIZER] if action.present else []
                self.gone = self.deleted_at is not None and not action.present

    def apply(self, action: ApplyChild) -> None:
        stored = json.loads(json.dumps(action.manifest))
        key = key_of(stored)
        self.versions += 1
        before = self.children.get(key, {})
        stored["metadata"] |= {"uid": f"uid-{key}", "resourceVersion": str(self.versions)}
        stored["metadata"]["generation"] = before.get("metadata", {}).get("generation", 0) + 1
        self.children[key] = stored
        if key == _CONFIG:
            for pod, engine in self.engines.items():
                document = self.document(pod)
                if document is not None:
                    engine.obey(document, self.now)
        self.control()

    def control(self) -> None:
        """Do what the controller of StatefulSets and the kubelets do."""
        workload = self.children.get(_WORKLOAD)
        if workload is None:
            return
        wanted = [f"{NAME}-{number}" for number in range(workload["spec"]["replicas"])]
        for pod in [pod for pod in self.pods if pod not in wanted]:
            del self.pods[pod]
            self.engines.pop(pod, None)
        for pod in wanted:
            if pod not in self.pods:
                self.make_pod(pod, workload)
            elif pod not in self.engines and self.pods[pod].engine.waiting_reason == "ContainerCreating":
                self.start(pod, workload)
        workload["status"] = {"observedGeneration": workload["metadata"]["generation"], "replicas": len(self.pods)}

    def make_pod(self, pod: str, workload: dict[str, Any]) -> None:
        self.made += 1
        template = workload["spec"]["template"]
        annotations = template["metadata"]["annotations"]
        resources = template["spec"]["containers"][0]["resources"]
        self.pods[pod] = PodFacts(
            name=pod,
            uid=f"pod-{self.made}",
            node="worker",
            created_at=self.now,
            restart_hash=annotations[RESTART_HASH],
            restart_request=annotations.get(RESTART_REQUEST, ""),
            resize=_size(resources["requests"], resources["limits"]),
            engine=ContainerFacts(waiting_reason="ContainerCreating" if self.comes_up else "ImagePullBackOff"),
        )
        self.start(pod, workload)

    def start(self, pod: str, workload: dict[str, Any]) -> None:
        """Start the engine of a pod, as soon as its document is new enough."""
        document = self.document(pod)
        assert document is not None, "no pod is made before its document"
        made_to_run = self.pods[pod].engine.waiting_reason == "ContainerCreating"
        if made_to_run and document.grant >= stored_floor(workload):
            self.engines[pod] = Engine(document, self.now, self.journals.setdefault(pod, set()))
            running = ContainerFacts(running_since=self.now, started=True)
            self.pods[pod] = msgspec.structs.replace(self.pods[pod], ready=True, ready_since=self.now, engine=running)

    def document(self, pod: str) -> EngineDocument | None:
        text = self.children.get(_CONFIG, {}).get("data", {}).get(f"{pod}.yaml")
        return parse_document(text) if text else None

    def owners(self) -> dict[str, list[str]]:
        """Return which pods' engines may trade which symbol."""
        found: dict[str, list[str]] = {}
        for pod, engine in self.engines.items():
            for symbol in engine.symbols:
                found.setdefault(symbol, []).append(pod)
        return found


def _size(requests: dict[str, str], limits: dict[str, str]) -> ResizeFacts:
    return ResizeFacts(
        memory_request=requests["memory"],
        memory_limit=limits["memory"],
        cpu_request=requests["cpu"],
        cpu_limit=limits.get("cpu", ""),
        actual_memory_limit=limits["memory"],
    )
