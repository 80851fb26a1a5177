"""How long from ``kubectl apply`` to the first bar that the engine has processed, and where the time goes.

The images are on the node; everything else is new in each round: StatefulSet, volume, pod. Times of the pod come from the API server,
which keeps whole seconds; the engine's start and its first bar are its own, to the millisecond, on the same clock.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Final

# The tests' way to a cluster is also the measurements'; it is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from rig.bots import Bot, manifest
from rig.figures import tell
from rig.kube import Kube, Object
from rig.release import cluster, cluster_environment, install
from rig.waiting import eventually
from tradingbot_contract.report import EngineStatus

NAMESPACE: Final = "bench-first-bar"
ROUNDS: Final = 6
SPEED: Final = 2.0
"""Steps per second, of one symbol: slow enough that the first bar is still the last when it is looked at."""


def main() -> None:
    cluster("up")
    images = json.loads(cluster("load"))
    kube = Kube(cluster_environment())
    install(kube, images)
    kube.make_namespace(NAMESPACE)
    rounds: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS):
        seen = measure(Bot(kube, NAMESPACE, f"round-{number}"))
        print(f"round {number + 1}: " + ", ".join(f"{what} {seconds:.2f} s" for what, seconds in seen.items()))
        for what, seconds in seen.items():
            rounds[what].append(seconds)
    kube.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    tell("first_bar", kube, rounds, {"apply to first bar": 5.0})
    kube.close()


def measure(bot: Bot) -> dict[str, float]:
    """Return the seconds from ``kubectl apply`` to each step of one new bot."""
    spec = manifest(bot.name, market={"symbols": ["AAPL"], "feed": {"replay": {"speed": SPEED}}})
    applied = time.time()
    bot.kube.apply(spec, namespace=bot.namespace)
    answered = time.time()

    def look() -> EngineStatus | None:
        status = bot.engine()
        return status if status is not None and status.bars_this_run > 0 else None

    status = eventually("the engine has processed a bar", look, every_seconds=0.05, explain=bot.explain)
    assert status.last_bar_at is not None
    first_bar = status.last_bar_at - (status.bars_this_run - 1) / SPEED
    bot.wait_condition("Ready", "True")
    ready = time.time()
    pod = bot.pod()
    assert pod is not None
    bot.kube.kubectl("-n", bot.namespace, "delete", "tradingbot", bot.name)
    observer = pod["status"]["initContainerStatuses"][0]["state"]["running"]["startedAt"]
    return {
        "kubectl apply": answered - applied,
        "pod scheduled (whole seconds)": _moment(_transition(pod, "PodScheduled")) - applied,
        "observer started (whole seconds)": _moment(observer) - applied,
        "engine process started": status.started_at - applied,
        "apply to first bar": first_bar - applied,
        "bot shown as ready": ready - applied,
    }


def _transition(pod: Object, kind: str) -> str:
    return next(str(condition["lastTransitionTime"]) for condition in pod["status"]["conditions"] if condition["type"] == kind)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
