"""The control plane with the resource installed and nodes that are played, as tests use it: bots go in, what became of them comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from api_client import ApiClient, Object
from audit_log import AuditLog
from control_plane import ControlPlane, find_programs
from operator_process import OperatorProcess
from rig import waiting
from simulated_kubelet import NODES, SimulatedKubelet
from tradingbot_contract.document import VERSION
from tradingbot_operator.schema import build_crd

ROOT: Final = Path(__file__).resolve().parents[2]
BASIC_SPEC: Final[Object] = {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL", "MSFT"]}}
_SETTLED: Final = (("Accepted", "True"), ("Ready", "True"), ("Progressing", "False"), ("TuningApplied", "True"), ("Healthy", "True"))
Seen = TypeVar("Seen")


class Rig:
    """Everything that a test needs, for as long as it is entered."""

    def __init__(self) -> None:
        self.plane = ControlPlane(find_programs())
        self.kubelet: SimulatedKubelet
        self.api: ApiClient

    def __enter__(self) -> Self:
        self.plane.start((build_crd(),))
        try:
            server = self.plane.api_server
            self.api = server.client("admin")
            self.kubelet = SimulatedKubelet(server.url, server.certificate, server.tokens["kubelet"])
            for node in NODES:
                self.api.create("nodes", None, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
            self.kubelet.__enter__()
        except BaseException:
            self.plane.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kubelet.__exit__(kind, error, trace)
        self.api.close()
        self.plane.close()

    def make_namespace(self, name: str) -> str:
        """Make a namespace in which only pods that keep the restricted Pod Security standard may run."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.api.create("namespaces", None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        return name

    def operator(self, *namespaces: str, **settings: str) -> OperatorProcess:
        """Return an operator that is not started yet."""
        return OperatorProcess(self.plane.api_server.kubeconfig("operator"), namespaces=namespaces, settings=settings)

    def audit(self) -> AuditLog:
        """Return the log of what is changed from now on."""
        return AuditLog(self.plane.api_server.audit_path)

    def bot(self, namespace: str, name: str) -> BotView:
        return BotView(self, namespace, name)

    def create(self, namespace: str, name: str, **sections: Any) -> BotView:
        """Make a bot; `sections` are those of its spec beside what it needs at least."""
        self.api.create("tradingbots", namespace, manifest(name, **sections))
        return self.bot(namespace, name)


@dataclass(frozen=True)
class BotView:
    """A bot by name. Nothing is remembered: every method looks anew."""

    rig: Rig = field(repr=False)
    namespace: str
    name: str

    def read(self) -> Object:
        found = self.rig.api.get("tradingbots", self.name, self.namespace)
        assert found is not None, f"there is no bot {self.name}"
        return found

    def status(self) -> Object:
        found: Object = self.read().get("status") or {}
        return found

    def condition(self, kind: str) -> Object:
        """Return a condition of the generation that is there now; an older one counts as not yet there."""
        bot = self.read()
        for condition in (bot.get("status") or {}).get("conditions", []):
            if condition["type"] == kind:
                assert condition.get("observedGeneration") == bot["metadata"]["generation"], f"{condition} is of an earlier generation"
                found: Object = condition
                return found
        raise AssertionError(f"there is no condition {kind} yet")

    def change(self, **sections: Any) -> None:
        """Merge a change into its spec."""
        self.rig.api.patch("tradingbots", self.name, self.namespace, {"spec": sections})

    def annotate(self, **annotations: str | None) -> None:
        """Set annotations of `tradingbot.dev/`; None takes one away."""
        named = {f"tradingbot.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.rig.api.patch("tradingbots", self.name, self.namespace, {"metadata": {"annotations": named}})

    def delete(self) -> None:
        self.rig.api.delete("tradingbots", self.name, self.namespace)

    def events(self) -> list[Object]:
        return [event for event in self.rig.api.items("events", self.namespace) if event["involvedObject"]["name"] == self.name]

    def pods(self) -> list[Object]:
        return self.rig.api.items("pods", self.namespace, labelSelector=f"app.kubernetes.io/instance={self.name}")

    def history(self) -> list[Object]:
        """Return the decisions of remediation, oldest first."""
        found: list[Object] = (self.status().get("remediation") or {}).get("history", [])
        return found

    def explain(self) -> str:
        bot = self.rig.api.get("tradingbots", self.name, self.namespace)
        if bot is None:
            return "there is no bot"
        pods = [
            {"name": pod["metadata"]["name"], "metadata": pod["metadata"].get("annotations"), **pod.get("status", {})}
            for pod in self.pods()
        ]
        events = [f"{event['type']} {event['reason']} ({event.get('count')} times): {event['message']}" for event in self.events()]
        del bot["metadata"]["managedFields"]
        return "\n".join([json.dumps(bot, indent=1), *events, json.dumps(pods, indent=1), *self.rig.kubelet.failures])

    # Waiting for it

    def wait_condition(self, kind: str, status: str, reason: str = "", *, within_seconds: float = 60.0) -> Object:
        def look() -> Object:
            condition = self.condition(kind)
            assert condition["status"] == status, str(condition)
            assert not reason or condition["reason"] == reason, str(condition)
            return condition

        return eventually(f"{self.name} is {kind}={status} {reason}", look, within_seconds=within_seconds, explain=self.explain)

    def wait_settled(self, *, within_seconds: float = 60.0) -> Object:
        """Wait until everything is as the spec wants it, and return the bot."""

        def look() -> Object:
            for kind, status in _SETTLED:
                condition = self.condition(kind)
                assert condition["status"] == status, str(condition)
            return self.read()

        return eventually(f"{self.name} is settled", look, within_seconds=within_seconds, explain=self.explain)

    def wait_gone(self, *, within_seconds: float = 60.0) -> None:
        """Wait until the bot, and all that belonged to it, is gone."""

        def look() -> bool:
            assert self.rig.api.get("tradingbots", self.name, self.namespace) is None, "the bot is there"
            assert not self.pods(), "it has pods"
            return True

        eventually(f"{self.name} is gone", look, within_seconds=within_seconds, explain=self.explain)


def manifest(name: str, **sections: Any) -> Object:
    """Return a bot with the least that a spec has to say, and with what is given."""
    return {"apiVersion": VERSION, "kind": "TradingBot", "metadata": {"name": name}, "spec": BASIC_SPEC | sections}


def eventually(
    what: str,
    look: Callable[[], Seen | None],
    *,
    within_seconds: float = 60.0,
    every_seconds: float = 0.05,
    explain: Callable[[], str] | None = None,
) -> Seen:
    """As :func:`rig.waiting.eventually`, with the patience and the eye for a control plane whose nodes are played."""
    return waiting.eventually(what, look, within_seconds=within_seconds, every_seconds=every_seconds, explain=explain)
