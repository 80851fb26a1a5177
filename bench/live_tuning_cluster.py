"""How long from a changed spec to an engine that runs it, and to a status that says so, on a cluster, while the engine trades.

The spec is patched 30 times, the pool of database connections and the caches in turn, at random moments. *Applied* is from just before
the patch is sent to the engine's own line in its log; *acknowledged* is until `TuningApplied` is true for that generation, as
somebody sees it who asks for the bot again and again. In the end the memory limit is raised, which needs no restart either.

No tick may be lost: bars are counted without a gap, the process stays the same, and the books equal, order by order, those of a bot that
nobody has touched.

    make bench-live_tuning_cluster
    python bench/live_tuning_cluster.py [CHANGES]
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

# The tests' way to a cluster is also the measurements'; it is no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from rig.bots import Bot, manifest
from rig.figures import describe_place
from rig.kube import Kube
from rig.ledger import compare_ledgers
from rig.release import cluster, cluster_environment, install
from rig.waiting import eventually

NAMESPACE: Final = "bench-live-tuning"
CHANGES: Final = 30
SPEED: Final = 100.0
LOOK_SECONDS: Final = 0.02
AIM_SECONDS: Final = 1.0
MEBIBYTE: Final = 2**20


def main() -> None:
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES
    cluster("up")
    images = json.loads(cluster("load"))
    kube = Kube(cluster_environment())
    install(kube, images)
    kube.make_namespace(NAMESPACE)
    tuned, calm = (Bot(kube, NAMESPACE, name) for name in ("tuned", "calm"))
    small = {"resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}}}
    kube.apply(*(manifest(bot.name, speed=SPEED, engine=small) for bot in (tuned, calm)), namespace=NAMESPACE)
    for bot in (tuned, calm):
        bot.wait_trading()
        for kind in ("Ready", "Healthy", "TuningApplied"):
            bot.wait_condition(kind, "True")
    before, pod = tuned.wait_trading(), tuned.pod_uid()
    sent, acknowledged = tune(tuned, changes)
    applied = [read_applied(tuned)[generation] - at for generation, at in sent.items()]
    memory_seconds = raise_memory(tuned)
    after = tuned.wait_trading(beyond_bars=before.bars)
    assert tuned.pod_uid() == pod
    assert tuned.container()["restartCount"] == 0
    assert after.started_at == before.started_at
    assert after.bars - before.bars == after.bars_this_run - before.bars_this_run, "a bar is missing"
    compare_ledgers(tuned, calm)
    kube.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    figures = {"applied": spread(applied), "acknowledged": spread(acknowledged), "memory_raised_seconds": round(memory_seconds, 2)}
    tell(kube, changes, figures)
    kube.close()


def tune(bot: Bot, changes: int) -> tuple[dict[int, float], list[float]]:
    """Change the spec so often; return when each generation was sent, and after how many seconds each was acknowledged."""
    pauses = random.Random(1)  # noqa: S311 - repeatable, not secret
    sent: dict[int, float] = {}
    acknowledged: list[float] = []
    for number in range(changes):
        time.sleep(pauses.uniform(0.2, 1.2))
        pool = {"database": {"pool": {"size": 2 + number % 5, "maxOverflow": number % 3}}}
        cache = {"cache": {"maxEntries": 500 + number, "memoryLimit": f"{20 + number}Mi"}}
        at = time.time()
        generation = bot.kube.merge("tradingbots", bot.name, bot.namespace, {"spec": pool if number % 2 else cache})["metadata"][
            "generation"
        ]
        sent[generation] = at
        tuned = partial(is_tuned, bot, generation)
        eventually(f"generation {generation} is acknowledged", tuned, every_seconds=LOOK_SECONDS, explain=bot.explain)
        acknowledged.append(time.time() - at)
    return sent, acknowledged


def is_tuned(bot: Bot, generation: int) -> bool:
    condition = bot.condition("TuningApplied")
    return condition["status"] == "True" and int(condition["observedGeneration"]) >= generation


def read_applied(bot: Bot) -> dict[int, float]:
    """Return when each generation was at work, by the engine's log."""
    log = bot.kube.kubectl("-n", bot.namespace, "logs", f"{bot.name}-0", "-c", "engine", "--tail=-1")
    found = re.findall(r"^(\S+) INFO document applied generation=(\d+) ", log, re.MULTILINE)
    return {int(generation): dt.datetime.fromisoformat(moment).timestamp() for moment, generation in found}


def raise_memory(bot: Bot) -> float:
    """Raise the memory limit; return the seconds until the kernel holds the engine to the new one."""
    at = time.time()
    bot.kube.merge("tradingbots", bot.name, bot.namespace, {"spec": {"engine": {"resources": {"limits": {"memory": "384Mi"}}}}})
    eventually("the limit is raised", lambda: bot.memory_limit_bytes() == 384 * MEBIBYTE, explain=bot.explain)
    return time.time() - at


def spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)

    def share(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 3)

    return {"p50_seconds": share(0.5), "p99_seconds": share(0.99), "max_seconds": round(ordered[-1], 3)}


def tell(kube: Kube, changes: int, figures: dict[str, Any]) -> None:
    for what in ("applied", "acknowledged"):
        one = figures[what]
        print(
            f"{what}: p50 {one['p50_seconds']:.3f} s, p99 {one['p99_seconds']:.3f} s, max {one['max_seconds']:.3f} s over {changes} changes"
        )
    print(f"memory limit raised in place after {figures['memory_raised_seconds']:.2f} s; no restart, no tick lost, books equal to a twin's")
    result = {
        "name": "live_tuning_cluster",
        "changes": changes,
        "figures": figures,
        "aim_seconds": AIM_SECONDS,
        "aim_met": figures["acknowledged"]["p99_seconds"] <= AIM_SECONDS,
    }
    print(json.dumps(result | describe_place(kube)))


if __name__ == "__main__":
    main()
