"""How long from the harm to the operator's action, where one is due, and to an engine that trades again, for each kind of harm.

The moment of the harm is taken just before it is done; the next bar's time is the new engine's own. Both are of the same kernel's clock.
The operator's action is seen from outside: the first moment at which the bot's pod is another one, or on its way out. Where there is
none, the kubelet has done what was to be done. The last two rows are of the operator itself: a change of a bot's spec is sent as soon as
its leader is gone, and what counts is when the status says that the engine runs it.

    make bench-recovery
    python bench/recovery.py [ROUNDS]
"""

from __future__ import annotations

import contextlib
import json
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# The tests' way to a cluster is also the measurements'; it is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from rig.bots import Bot, manifest
from rig.figures import describe_place
from rig.kube import Kube
from rig.memory_hog import run_out_of_memory
from rig.operators import Operators
from rig.release import cluster, cluster_environment, install
from rig.waiting import eventually

NAMESPACE: Final = "bench-recovery"
ROUNDS: Final = 3
IN_A_ROW: Final = 10
SPEED: Final = 50.0
LOOK_SECONDS: Final = 0.05
KILLED_AIM: Final = 5.0
HUNG_AIM: Final = 15.0

Harm = Callable[[Bot], float]
"""Does it, and returns when, in seconds since the epoch."""


@dataclass
class Row:
    """What was measured of one kind of harm, in seconds from the harm."""

    aim: float | None = None
    trading: list[float] = field(default_factory=list)
    action: list[float] = field(default_factory=list)
    """Only of rounds in which the operator acted on the pod."""
    actors: set[str] = field(default_factory=set)
    """Who brought the engine back, and why."""

    def figures(self) -> dict[str, Any]:
        return {
            "actors": sorted(self.actors),
            "aim_seconds": self.aim,
            "aim_met": self.aim is None or max(self.trading) <= self.aim,
            "to_action_seconds": _spread(self.action),
            "to_trading_seconds": _spread(self.trading),
            "rounds": [round(seconds, 2) for seconds in self.trading],
        }


def _spread(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    return {"median": round(statistics.median(seconds), 2), "min": round(min(seconds), 2), "max": round(max(seconds), 2)}


class PodWatch:
    """Looks at a bot's pod again and again, on a thread, until it is gone or on its way out."""

    def __init__(self, bot: Bot, uid: str) -> None:
        self._bot = bot
        self._uid = uid
        self._ended = threading.Event()
        self.left_at: float | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _look(self) -> None:
        while self.left_at is None and not self._ended.wait(LOOK_SECONDS):
            pod = self._bot.pod()
            if pod is None or pod["metadata"]["uid"] != self._uid:
                self.left_at = time.time()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    cluster("up")
    images = json.loads(cluster("load"))
    kube = Kube(cluster_environment())
    install(kube, images)
    kube.make_namespace(NAMESPACE)
    rows: dict[str, Row] = {}
    for number in range(rounds):
        # Each kind of harm gets a new bot, so that no round pays for the back-off or the budget of another.
        names = [f"{kind}-{number}" for kind in ("killed", "stopped", "eaten", "asked")]
        killed, stopped, eaten, asked = fresh(kube, *names)
        measure(rows.setdefault("killed (-9) once", Row(KILLED_AIM)), killed, kill)
        measure(rows.setdefault("stopped (SIGSTOP)", Row(HUNG_AIM)), stopped, stop)
        measure(rows.setdefault("killed by the kernel for its memory", Row(KILLED_AIM)), eaten, run_out_of_memory)
        measure(rows.setdefault("restart asked for by annotation", Row()), asked, ask_for_restart)
        kube.kubectl("-n", NAMESPACE, "delete", "tradingbots", "--all", "--wait=false")
    (bot,) = fresh(kube, "in-a-row")
    for _ in range(IN_A_ROW):
        measure(rows.setdefault(f"killed (-9) {IN_A_ROW} times in a row, each", Row(KILLED_AIM)), bot, kill)
    leave(rows, bot, Operators(kube))
    kube.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    tell(kube, rows)
    kube.close()


def fresh(kube: Kube, *names: str) -> list[Bot]:
    """Return new bots that trade and are ready."""
    bots = [Bot(kube, NAMESPACE, name) for name in names]
    small = {"resources": {"requests": {"memory": "96Mi"}, "limits": {"memory": "128Mi"}}}
    # It is restarted in any case, with its positions: what is measured is the operator, not when a strategy sells.
    lifecycle = {"updatePolicy": "Proceed"}
    remediation = {"remediation": {"memoryCeiling": "512Mi"}}
    specs = [
        manifest(name, speed=SPEED, engine=small, cache={"memoryLimit": "16Mi"}, lifecycle=lifecycle, health=remediation) for name in names
    ]
    kube.apply(*specs, namespace=NAMESPACE)
    for bot in bots:
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
        bot.wait_condition("Healthy", "True")
    return bots


def kill(bot: Bot) -> float:
    return bot.signal(signal.SIGKILL)


def stop(bot: Bot) -> float:
    return bot.signal(signal.SIGSTOP)


def ask_for_restart(bot: Bot) -> float:
    asked = time.time()
    bot.kube.merge("tradingbots", bot.name, bot.namespace, {"metadata": {"annotations": {"tradingbot.dev/restart": str(asked)}}})
    return asked


def measure(row: Row, bot: Bot, harm: Harm) -> None:
    """Do harm to a bot, wait until a new engine has processed a bar, and note how long that took."""
    before = bot.pod_uid()
    watch = PodWatch(bot, before)
    with watch.watching():
        harmed = harm(bot)
        status = bot.wait_restarted(harmed, within_seconds=180.0)
    assert status.last_bar_at is not None
    row.trading.append(status.last_bar_at - harmed)
    if watch.left_at is None:
        row.actors.add("kubelet")
    else:
        row.action.append(watch.left_at - harmed)
        row.actors.add(f"RestartPod {restart_reason(bot)}")
    print(f"{bot.name}: trading after {row.trading[-1]:.2f} s", flush=True)


def restart_reason(bot: Bot) -> str:
    def look() -> str:
        (shard,) = bot.status()["shards"]
        return str(shard["lastRestartReason"])

    return eventually("the status has the reason of the restart", look, explain=bot.explain)


def leave(rows: dict[str, Row], bot: Bot, operators: Operators) -> None:
    """Take the leader away in both ways, and note how long it takes until another one has carried out a change of the spec."""
    for what, aim, harm in (
        ("leader killed (-9), until a change is carried out", 17.0, operators.kill_leader),
        ("leader deleted, until a change is carried out", 3.0, operators.delete_leader),
    ):
        operators.wait_ready()
        row = rows.setdefault(what, Row(aim, actors={"the other operator"}))
        started_at = bot.wait_trading().started_at
        holder = harm()
        harmed = time.time()
        generation = bot.change(cache={"maxEntries": 100 + int(harmed) % 1000})
        bot.wait_tuned(generation)
        row.trading.append(time.time() - harmed)
        assert operators.holder() != holder
        assert bot.wait_trading().started_at == started_at, "the engine trades on"


def tell(kube: Kube, rows: dict[str, Row]) -> None:
    print(f"\n{'':52}{'to action':>16}{'to trading':>16}{'aim':>6}")
    print(f"{'':52}{'median    max':>16}{'median    max':>16}")
    for what, row in rows.items():
        action = f"{statistics.median(row.action):.2f} {max(row.action):>6.2f}" if row.action else "none"
        trading = f"{statistics.median(row.trading):.2f} {max(row.trading):>6.2f}"
        print(f"{what:52}{action:>16}{trading:>16}{'' if row.aim is None else f'{row.aim:.0f}':>6}  {', '.join(sorted(row.actors))}")
    figures = {what: row.figures() for what, row in rows.items()}
    print(json.dumps({"name": "recovery", "figures": figures, **describe_place(kube)}))


if __name__ == "__main__":
    main()
