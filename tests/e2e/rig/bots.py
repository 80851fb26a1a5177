"""One TradingBot on a cluster: what its resource says, what its pod says, and the harm that a test does to it."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any

import msgspec

from rig.kube import CHILDREN, Kube, KubectlError, Object
from rig.waiting import eventually
from tradingbot_contract.document import VERSION
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENGINE_PORT, OBSERVER_PORT, REPORT_PATH, STATUS_PATH
from tradingbot_contract.report import EngineState, EngineStatus, ObserverReport

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


def manifest(name: str, *, speed: float = 20.0, loop: bool = True, strategy: str = "ema-cross", **sections: Any) -> Object:
    """Return a bot that trades two symbols quickly, so that there is something to see within seconds."""
    spec: Object = {
        "strategy": {"name": strategy, "parameters": {"fastPeriod": 5, "slowPeriod": 15}},
        "market": {"symbols": ["AAPL", "MSFT"], "feed": {"replay": {"speed": speed, "loop": loop}}},
        "observability": {"intervalSeconds": 2},
    }
    if strategy != "ema-cross":
        del spec["strategy"]["parameters"]
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

    def pod(self) -> Object | None:
        """Return the pod that runs now; one that is on its way out is not it."""
        for item in self.kube.items("pods", self.namespace, labelSelector=f"app.kubernetes.io/instance={self.name}"):
            if "deletionTimestamp" not in item["metadata"]:
                return item
        return None

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
