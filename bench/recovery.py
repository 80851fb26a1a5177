"""How long from an engine's death or hang to its next processed bar.

The moment of the harm is taken in the pod, just before the signal is sent; the next bar's time is the new engine's own. Both are of the
same kernel's clock. Nothing is waited out between rounds but what the operator needs to call the bot ready again.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

# The tests' way to a cluster is also the measurements'; it is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from rig.bots import Bot, manifest
from rig.figures import tell
from rig.kube import Kube
from rig.release import cluster, cluster_environment, install

NAMESPACE: Final = "bench-recovery"
ROUNDS: Final = 5
IN_A_ROW: Final = 4
SPEED: Final = 50.0


def main() -> None:
    cluster("up")
    images = json.loads(cluster("load"))
    kube = Kube(cluster_environment())
    install(kube, images)
    kube.make_namespace(NAMESPACE)
    rounds: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS):
        # Each kind of harm gets a new bot, so that no round pays for the back-off or the budget of another.
        rounds["killed (-9) to trading"].append(harm(fresh(kube, f"killed-{number}"), signal.SIGKILL))
        rounds["stopped (SIGSTOP) to trading"].append(harm(fresh(kube, f"stopped-{number}"), signal.SIGSTOP))
        bot = fresh(kube, f"in-a-row-{number}")
        row = [harm(bot, signal.SIGKILL) for _ in range(IN_A_ROW)]
        for position, seconds in enumerate(row, start=1):
            rounds[f"killed {IN_A_ROW} times in a row, kill {position}"].append(seconds)
        print(f"round {number + 1}: " + ", ".join(f"{what} {seconds[-1]:.2f} s" for what, seconds in rounds.items()))
        kube.kubectl("-n", NAMESPACE, "delete", "tradingbots", "--all")
    kube.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    tell("recovery", kube, rounds, {"killed (-9) to trading": 5.0, "stopped (SIGSTOP) to trading": 15.0})
    kube.close()


def fresh(kube: Kube, name: str) -> Bot:
    """Return a new bot that trades and is ready."""
    bot = Bot(kube, NAMESPACE, name)
    kube.apply(manifest(name, speed=SPEED), namespace=NAMESPACE)
    bot.wait_trading()
    bot.wait_condition("Ready", "True")
    return bot


def harm(bot: Bot, which: signal.Signals) -> float:
    """Send a signal to the engine and return the seconds until a new one has processed a bar."""
    harmed = bot.signal(which)
    status = bot.wait_restarted(harmed, within_seconds=180.0)
    assert status.last_bar_at is not None
    return status.last_bar_at - harmed


if __name__ == "__main__":
    main()
