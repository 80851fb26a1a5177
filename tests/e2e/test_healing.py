"""Engines that hang, die or eat their memory trade again, without an order lost or made twice, and the reason is written down.

The scenarios run side by side, each with a bot of its own, and one more bot is left alone: its books are what all others' must be.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from rig.bots import Bot, manifest
from rig.kube import KubectlError, Object
from rig.ledger import compare_ledgers
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]
Scenario = Callable[[Bot, Bot], None]

# Run in the engine's container: several processes that take memory until the kernel ends the engine, which they have made its first
# choice (raising a score takes no privilege). Each is small, so that the engine stays the largest, too.
_EAT_MEMORY = """
import os, time
engine = {pid}
with open(f"/proc/{{engine}}/oom_score_adj", "w") as score:
    score.write("1000")
for _ in range(8):
    if os.fork() == 0:
        break
held = []
while os.path.exists(f"/proc/{{engine}}"):
    held.append(b"x" * 2**20)
    time.sleep(0.02)
"""


def uid_of(bot: Bot) -> str:
    pod = bot.pod()
    assert pod is not None
    return str(pod["metadata"]["uid"])


def history(bot: Bot) -> list[Object]:
    found: list[Object] = bot.status()["remediation"]["history"]
    return found


def last_exit(bot: Bot) -> str:
    """Return the reason of the engine's last end, as the status has it."""
    (shard,) = bot.status()["shards"]
    assert "lastExit" in shard, shard
    assert shard["lastRestartReason"] == shard["lastExit"]["reason"]
    assert bot.status()["restarts"] >= 1
    return str(shard["lastExit"]["reason"])


def trades_again_with_the_same_books(bot: Bot, calm: Bot) -> None:
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 100)
    bot.wait_condition("Ready", "True")
    bot.wait_condition("Healthy", "True")
    bot.wait_phase("Running")
    compare_ledgers(bot, calm)


def a_hanging_engine_is_restarted(bot: Bot, calm: Bot) -> None:
    bot.wait_condition("Ready", "True")
    before = bot.wait_trading(beyond_bars=200)
    stopped = bot.signal(signal.SIGSTOP)
    bot.wait_condition("Healthy", "False", reason="EngineSilent")
    after = bot.wait_restarted(stopped)
    assert after.bars >= before.bars
    bot.wait_event("EngineSilent")
    bot.wait_event("EngineKilled")
    eventually("the status has the reason", lambda: last_exit(bot) == "EngineKilled", explain=bot.explain)
    trades_again_with_the_same_books(bot, calm)


def an_engine_that_is_killed_again_and_again_is_not_left_waiting(bot: Bot, calm: Bot) -> None:
    bot.wait_trading(beyond_bars=200)
    first_pod = uid_of(bot)
    for _ in range(4):
        killed = bot.signal(signal.SIGKILL)
        bot.wait_restarted(killed)
    assert uid_of(bot) != first_pod, "the kubelet's growing pause was waited out"
    bot.wait_event("CrashLooping")
    decisions = history(bot)
    assert decisions
    for decision in decisions:
        assert decision["action"] == "RestartPod", decision
        assert decision["reason"] in {"CrashLooping", "EngineGone"}, decision
        assert decision["inputs"], "it says what was known"
    budget = bot.status()["remediation"]["budget"]
    assert budget["remaining"] == budget["maxActions"] - len(decisions)
    trades_again_with_the_same_books(bot, calm)


def an_engine_that_runs_out_of_memory_says_so(bot: Bot, calm: Bot) -> None:
    bot.wait_trading(beyond_bars=200)
    report = eventually("the observer reports", bot.report)
    assert report.engine_pid is not None
    killed = report.observed_at
    with contextlib.suppress(KubectlError):  # it ends with the container that it brings down
        bot.python(_EAT_MEMORY.format(pid=report.engine_pid))
    bot.wait_restarted(killed)
    bot.wait_event("OOMKilled")
    eventually("the status has the reason", lambda: last_exit(bot) == "OOMKilled", explain=bot.explain)
    trades_again_with_the_same_books(bot, calm)


def a_silent_observer_is_no_reason_to_touch_the_engine(bot: Bot, calm: Bot) -> None:
    before = bot.wait_trading(beyond_bars=200)
    pod = uid_of(bot)
    bot.signal(signal.SIGSTOP, container="observer")
    bot.wait_condition("Healthy", "Unknown")
    trading = bot.wait_trading(beyond_bars=before.bars + 200)
    assert trading.started_at == before.started_at
    bot.signal(signal.SIGCONT, container="observer")
    trades_again_with_the_same_books(bot, calm)
    after = bot.wait_trading()
    assert after.started_at == before.started_at
    assert uid_of(bot) == pod
    assert not history(bot)


SCENARIOS: list[Scenario] = [
    a_hanging_engine_is_restarted,
    an_engine_that_is_killed_again_and_again_is_not_left_waiting,
    an_engine_that_runs_out_of_memory_says_so,
    a_silent_observer_is_no_reason_to_touch_the_engine,
]


@pytest.fixture(scope="module")
def running(start: StartBots) -> Iterator[dict[str, Future[None]]]:
    """Return all scenarios, begun at once."""
    names = [scenario.__name__.replace("_", "-")[:40].rstrip("-") for scenario in SCENARIOS]
    small = {"resources": {"requests": {"memory": "96Mi"}, "limits": {"memory": "128Mi"}}}
    caches = {"memoryLimit": "16Mi"}
    # Silence is found before the kubelet's liveness probe has ended it.
    health = {"silentAfterSeconds": 3}
    calm, *bots = start(
        manifest("calm", engine=small, cache=caches), *(manifest(name, engine=small, cache=caches, health=health) for name in names)
    )
    with ThreadPoolExecutor(len(bots)) as pool:
        yield {scenario.__name__: pool.submit(scenario, bot, calm) for scenario, bot in zip(SCENARIOS, bots, strict=True)}


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_healing(running: dict[str, Future[None]], scenario: str) -> None:
    running[scenario].result()
