"""One TradingBot on a cluster: what its resource says, what its pod says, and the harm that a test does to it."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any

import msgspec

from rig.kube import CHILDREN, Kube, KubectlError, Object
from rig.waiting import eventually
from tradingbot_contract.document import VERSION, BotIdentity
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENGINE_PORT, OBSERVER_PORT, REPORT_PATH, STATUS_PATH
from tradingbot_contract.report import EngineState, EngineStatus, ObserverReport
from tradingbot_engine.database.address import name_schema

# Run inside a container of the pod. The pod shares one process namespace, so a program is found by its command line.
_SIGNAL = """
import os, pathlib, sys, time
def command(folder):
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""
found = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()
         and {module!r}.encode() in command(p) and b"python" in command(p).split(b"\\0")[0]]
if not found:
    sys.exit("no process of {module}")
print(time.time(), flush=True)
for pid in found:
    os.kill(pid, {number})
"""

_READ_MEMORY_LIMIT = """
import pathlib
files = [pathlib.Path("/sys/fs/cgroup/memory.max"), pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
print(next(file.read_text() for file in files if file.exists()))
"""


def manifest(
    name: str,
    *,
    speed: float = 20.0,
    loop: bool = True,
    strategy: str = "ema-cross",
    parameters: Object | None = None,
    **sections: Any,
) -> Object:
    """Return a bot that trades two symbols quickly, so that there is something to see within seconds."""
    periods = {"fastPeriod": 5, "slowPeriod": 15}
    spec: Object = {
        "strategy": {"name": strategy, "parameters": parameters or (periods if strategy == "ema-cross" else {})},
        "market": {"symbols": ["AAPL", "MSFT"], "feed": {"replay": {"speed": speed, "loop": loop}}},
        "observability": {"intervalSeconds": 2},
    }
    return {"apiVersion": VERSION, "kind": "TradingBot", "metadata": {"name": name}, "spec": spec | sections}


@dataclass(frozen=True)
class Bot:
    """A bot by name. Nothing is remembered: every method looks anew."""

    kube: Kube
    namespace: str
    name: str

    # What the resource says

    def read(self) -> Object:
        found = self.kube.get("tradingbots", self.name, self.namespace)
        assert found is not None, f"there is no bot {self.name}"
        return found

    def status(self) -> Object:
        found: Object = self.read().get("status") or {}
        return found

    def condition(self, kind: str) -> Object:
        """Return a condition of the generation that is there now; a stale one counts as not yet there."""
        bot = self.read()
        for condition in (bot.get("status") or {}).get("conditions", []):
            if condition["type"] == kind:
                assert condition["observedGeneration"] == bot["metadata"]["generation"], f"{condition} is of an earlier generation"
                found: Object = condition
                return found
        raise AssertionError(f"there is no condition {kind} yet")

    def events(self) -> list[Object]:
        """Return the bot's own Events, without those of an earlier bot of its name."""
        uid = self.read()["metadata"]["uid"]
        return [event for event in self.kube.items("events", self.namespace) if event["involvedObject"].get("uid") == uid]

    def history(self) -> list[Object]:
        """Return what the operator has decided about the bot's engines, oldest first."""
        found: list[Object] = self.status().get("remediation", {}).get("history", [])
        return found

    def children(self) -> dict[str, Object]:
        """Return all objects that belong to the bot, by ``kind/name``."""
        uid = self.read()["metadata"]["uid"]
        return {
            f"{kind}/{item['metadata']['name']}": item
            for kind in CHILDREN
            for item in self.kube.items(kind, self.namespace)
            if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", []))
        }

    # What the pod says

    def pods(self) -> list[Object]:
        """Return the pods that run now, by name; one that is on its way out is none of them."""
        found = self.kube.items("pods", self.namespace, labelSelector=f"app.kubernetes.io/instance={self.name}")
        return sorted((pod for pod in found if "deletionTimestamp" not in pod["metadata"]), key=lambda pod: str(pod["metadata"]["name"]))

    def pod(self) -> Object | None:
        """Return the pod of the first shard, or None."""
        return next(iter(self.pods()), None)

    def pod_uid(self) -> str:
        """Return which pod of the first shard's name runs now."""
        pod = self.pod()
        assert pod is not None, f"{self.name} has no pod"
        return str(pod["metadata"]["uid"])

    def container(self, name: str = ENGINE_CONTAINER) -> Object:
        pod = self.pod()
        assert pod is not None, f"{self.name} has no pod"
        statuses = pod["status"].get("containerStatuses", []) + pod["status"].get("initContainerStatuses", [])
        for status in statuses:
            if status["name"] == name:
                found: Object = status
                return found
        raise AssertionError(f"{self.name} has no container {name} yet")

    def engine(self) -> EngineStatus | None:
        """Return the engine's own account, or None when it doesn't answer."""
        body = self._ask(ENGINE_PORT, STATUS_PATH)
        return None if body is None else msgspec.json.decode(body, type=EngineStatus)

    def report(self) -> ObserverReport | None:
        """Return the observer's report, or None when it doesn't answer."""
        body = self._ask(OBSERVER_PORT, REPORT_PATH)
        return None if body is None else msgspec.json.decode(body, type=ObserverReport)

    def engine_of(self, pod: Object) -> EngineStatus | None:
        """Return what the engine of one shard's pod says, or None when it doesn't answer."""
        body = self.kube.page(self.namespace, pod["metadata"]["name"], ENGINE_PORT, STATUS_PATH)
        return None if body is None else msgspec.json.decode(body, type=EngineStatus)

    def schema(self) -> str:
        """Return where the first shard's journal is in a database that bots share."""
        return name_schema(BotIdentity(namespace=self.namespace, name=self.name, uid=""))

    def memory_limit_bytes(self) -> int:
        """Return the limit that the kernel holds the engine's container to."""
        return int(self.python(_READ_MEMORY_LIMIT))

    def _ask(self, port: int, path: str) -> bytes | None:
        pod = self.pod()
        return None if pod is None else self.kube.page(self.namespace, pod["metadata"]["name"], port, path)

    def python(self, script: str, *, container: str = ENGINE_CONTAINER) -> str:
        """Run a script in the bot's pod and return what it printed."""
        pod = self.pod()
        assert pod is not None, f"{self.name} has no pod"
        return self.kube.kubectl("-n", self.namespace, "exec", pod["metadata"]["name"], "-c", container, "--", "python3", "-c", script)

    def signal(self, which: signal.Signals, *, container: str = ENGINE_CONTAINER) -> float:
        """Send a signal to the engine, or to the observer; return when, in seconds since the epoch."""
        script = _SIGNAL.format(module=f"tradingbot_{container}", number=int(which))
        try:
            said = self.python(script, container=container)
        except KubectlError as error:
            # The container's end is also the end of what runs in it; the script has said when before it struck.
            if not error.output:
                raise
            said = error.output
        return float(said)

    # What a person does to it

    def change(self, **sections: Any) -> int:
        """Change the spec as ``kubectl patch`` does; return the generation that this makes."""
        self.kube.patch("tradingbots", self.name, self.namespace, {"spec": sections})
        generation: int = self.read()["metadata"]["generation"]
        return generation

    def annotate(self, name: str, value: str) -> None:
        self.kube.kubectl("-n", self.namespace, "annotate", "--overwrite", "tradingbot", self.name, f"{name}={value}")

    def delete(self, *, wait: bool = True) -> None:
        self.kube.kubectl("-n", self.namespace, "delete", "tradingbot", self.name, *(["--timeout=120s"] if wait else ["--wait=false"]))

    # Waiting for it

    def explain(self) -> str:
        """Return everything that helps to understand why something did not happen."""
        pod = self.pod()
        parts = [
            json.dumps(self.status(), indent=1),
            *(f"{event['lastTimestamp']} {event['type']} {event['reason']}: {event['message']}" for event in self.events()),
            json.dumps(pod["status"], indent=1) if pod else "no pod",
            f"engine: {self.engine()}",
            f"observer: {self.report()}",
        ]
        if pod:
            name = pod["metadata"]["name"]
            done = self.kube.kubectl("-n", self.namespace, "logs", name, "--all-containers", "--prefix", "--tail=40", "--ignore-errors")
            parts.append(done)
        return "\n".join(parts)

    def wait_trading(self, *, beyond_bars: int = 0, within_seconds: float = 90.0) -> EngineStatus:
        """Wait until the engine runs and has processed more bars than given."""

        def look() -> EngineStatus | None:
            status = self.engine()
            running = status is not None and status.state is EngineState.RUNNING and status.bars_this_run > 0
            return status if running and status is not None and status.bars > beyond_bars else None

        what = f"{self.name} trades beyond {beyond_bars} bars"
        return eventually(what, look, within_seconds=within_seconds, explain=self.explain)

    def wait_restarted(self, since: float, *, within_seconds: float = 90.0) -> EngineStatus:
        """Wait until an engine that started after a moment (seconds since the epoch) has processed a bar."""

        def look() -> EngineStatus | None:
            status = self.engine()
            return status if status is not None and status.started_at > since and status.bars_this_run > 0 else None

        what = f"{self.name} trades again"
        return eventually(what, look, within_seconds=within_seconds, every_seconds=0.1, explain=self.explain)

    def wait_condition(self, kind: str, status: str, *, reason: str = "", within_seconds: float = 90.0) -> Object:
        """Wait until a condition has this status, and the reason if one is given."""

        def look() -> Object | None:
            condition = self.condition(kind)
            assert condition["status"] == status, str(condition)
            assert not reason or condition["reason"] == reason, str(condition)
            return condition

        return eventually(f"{self.name} is {kind}={status} {reason}", look, within_seconds=within_seconds, explain=self.explain)

    def wait_tuned(self, generation: int, *, within_seconds: float = 90.0) -> None:
        """Wait until the status says that every engine runs this generation."""

        def look() -> bool:
            condition = self.condition("TuningApplied")
            assert condition["status"] == "True", str(condition)
            return bool(condition["observedGeneration"] >= generation)

        eventually(f"{self.name} runs generation {generation}", look, within_seconds=within_seconds, explain=self.explain)

    def wait_replaced(self, pod_uid: str, *, within_seconds: float = 120.0) -> EngineStatus:
        """Wait until another pod than this one trades."""
        eventually(
            f"{self.name} has another pod",
            lambda: (pod := self.pod()) is not None and pod["metadata"]["uid"] != pod_uid,
            within_seconds=within_seconds,
            explain=self.explain,
        )
        return self.wait_trading(within_seconds=within_seconds)

    def wait_phase(self, phase: str, *, within_seconds: float = 90.0) -> None:
        """Wait until the status has this phase."""
        eventually(
            f"{self.name} is {phase}",
            lambda: self.status().get("phase") == phase,
            within_seconds=within_seconds,
            explain=self.explain,
        )

    def wait_event(self, reason: str, *, within_seconds: float = 60.0) -> Object:
        """Wait for an Event of the bot with this reason."""

        def look() -> Object | None:
            return next((event for event in self.events() if event["reason"] == reason), None)

        return eventually(f"{self.name} has the event {reason}", look, within_seconds=within_seconds, explain=self.explain)
