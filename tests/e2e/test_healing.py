"""Engines that hang or die trade again, without an order lost or made twice; one that can't is stopped loudly. The reason is written down.

The scenarios run side by side, each with a bot of its own, and one more bot is left alone: its books are what those of all that were
healed must be.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.ledger import compare_ledgers
from rig.memory_hog import run_out_of_memory
from rig.release import install
from rig.side_by_side import Running, begin, bot_name
from rig.waiting import eventually
from tradingbot_contract.report import EngineState

StartBots = Callable[..., list[Bot]]

MEBIBYTE: Final = 2**20
KILLS: Final = 10
COMPARED_FILLS: Final = 10
NO_SUCH_IMAGE: Final = "tradingbot/engine:there-is-no-such-image"


def last_exit(bot: Bot) -> str:
    """Return the reason of the engine's last end, as the status has it."""
    (shard,) = bot.status()["shards"]
    assert "lastExit" in shard, shard
    assert bot.status()["restarts"] >= 1
    return str(shard["lastExit"]["reason"])


def steps(bot: Bot) -> list[tuple[str, str]]:
    """Return action and reason of every decision, having held that each says what was known."""
    decisions = bot.history()
    assert all(decision["inputs"] for decision in decisions), decisions
    return [(decision["action"], decision["reason"]) for decision in decisions]


def is_well(bot: Bot) -> None:
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 100)
    bot.wait_condition("Ready", "True")
    bot.wait_condition("Healthy", "True")
    bot.wait_phase("Running")


def trades_again_with_the_same_books(bot: Bot, calm: Bot) -> None:
    is_well(bot)
    eventually("there is something to compare", lambda: bot.wait_trading().fills >= COMPARED_FILLS, explain=bot.explain)
    compare_ledgers(bot, calm, at_least=COMPARED_FILLS)


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


def an_engine_killed_once_is_the_kubelets(bot: Bot, calm: Bot) -> None:
    bot.wait_condition("Ready", "True")
    bot.wait_trading(beyond_bars=200)
    pod = bot.pod_uid()
    bot.wait_restarted(bot.signal(signal.SIGKILL))
    trades_again_with_the_same_books(bot, calm)
    eventually("the status has the reason", lambda: last_exit(bot) == "EngineKilled", explain=bot.explain)
    assert bot.pod_uid() == pod
    assert not bot.history()


def an_engine_killed_again_and_again_is_not_left_waiting(bot: Bot, calm: Bot) -> None:
    bot.wait_trading(beyond_bars=200)
    first_pod = bot.pod_uid()
    for _ in range(KILLS):
        bot.wait_restarted(bot.signal(signal.SIGKILL))
    assert bot.pod_uid() != first_pod, "the kubelet's growing pause was waited out"
    bot.wait_event("CrashLooping")
    for action, reason in steps(bot):
        assert action == "RestartPod"
        assert reason in {"CrashLooping", "EngineGone"}
    assert bot.status()["phase"] != "Quarantined", "each restart has helped"
    trades_again_with_the_same_books(bot, calm)


def an_engine_that_dies_at_each_start_is_put_in_quarantine(bot: Bot, calm: Bot) -> None:
    bot.wait_phase("Quarantined", within_seconds=180.0)
    bot.wait_event("Quarantined")
    assert bot.wait_condition("Healthy", "False")["message"]
    taken = steps(bot)
    assert taken[0] == ("RestartPod", "CrashLooping")
    assert [action for action, _ in taken][-2:] == ["RecreateElsewhere", "Quarantine"]

    def fenced() -> bool:
        status = bot.engine()
        return status is not None and status.state is EngineState.FENCED

    eventually("its engine is up, and fenced", fenced, within_seconds=120.0, explain=bot.explain)
    pod = bot.pod_uid()
    # A change of the spec is a person's word that it may begin anew.
    bot.change(strategy=calm.read()["spec"]["strategy"])
    bot.wait_event("QuarantineEnded")
    bot.wait_replaced(pod)
    assert steps(bot) == taken, "quarantine was the last that was done to it"
    trades_again_with_the_same_books(bot, calm)


def an_engine_that_runs_out_of_memory_gets_more_in_place(bot: Bot, calm: Bot) -> None:
    bot.wait_trading(beyond_bars=200)
    pod, before = bot.pod_uid(), bot.memory_limit_bytes()
    bot.wait_restarted(run_out_of_memory(bot))
    bot.wait_event("OOMKilled")
    eventually("the status has the reason", lambda: last_exit(bot) == "OOMKilled", explain=bot.explain)
    eventually("it has more memory", lambda: bot.memory_limit_bytes() >= before + 100 * MEBIBYTE, explain=bot.explain)
    assert bot.memory_limit_bytes() <= 256 * MEBIBYTE, "spec.health.remediation.memoryCeiling"
    trades_again_with_the_same_books(bot, calm)
    assert steps(bot) == [("GrowMemory", "OOMKilled")]
    assert bot.pod_uid() == pod, "no pod was replaced for it"
    assert bot.container()["restartCount"] == 1, "nor was the engine restarted a second time"


def an_engine_whose_memory_is_nearly_full_is_helped_while_it_trades(bot: Bot, _: Bot) -> None:
    """The caches come first; what follows when that does not help takes minutes, and is tested without a cluster."""
    started, pod = bot.wait_trading().started_at, bot.pod_uid()
    bot.wait_event("MemoryHigh", within_seconds=180.0)
    eventually(
        "it has a step to tell of", lambda: steps(bot) == [("ShrinkCaches", "MemoryHigh")], within_seconds=180.0, explain=bot.explain
    )
    (shard,) = bot.status()["shards"]
    assert shard["adjustment"]["cachePercent"] == 50
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 100)
    bot.wait_condition("Ready", "True")
    assert bot.pod_uid() == pod
    assert bot.wait_trading().started_at == started, bot.explain()


def a_version_that_does_not_come_up_is_taken_back_by_the_old_spec(bot: Bot, _: Bot) -> None:
    bot.wait_condition("Ready", "True")
    pod, before = bot.pod_uid(), bot.wait_trading()
    bot.change(engine={"image": NO_SUCH_IMAGE, "imagePullPolicy": "Never"})
    bot.wait_condition("Progressing", "False", reason="RolloutStalled", within_seconds=180.0)
    bot.wait_event("RolloutStalled")
    assert not bot.history()
    generation = bot.change(engine={"image": None, "imagePullPolicy": None})
    bot.wait_replaced(pod)
    bot.wait_tuned(generation)
    bot.wait_event("PodStuck")
    bot.wait_condition("Progressing", "False", reason="UpToDate")
    assert bot.wait_trading().bars >= before.bars


def an_exhausted_pool_gets_one_restart(bot: Bot, _: Bot) -> None:
    bot.wait_trading()
    pod = bot.pod_uid()
    bot.wait_event("PoolExhausted", within_seconds=180.0)
    bot.wait_replaced(pod)
    is_well(bot)
    assert steps(bot) == [("RestartPod", "PoolExhausted")]


def an_exhausted_pool_waits_for_open_positions(bot: Bot, _: Bot) -> None:
    bot.wait_trading()
    pod = bot.pod_uid()
    bot.wait_event("WaitingForPositions", within_seconds=180.0)
    assert bot.pod_uid() == pod
    assert not bot.history()
    # It is for a person to say that it need not wait.
    bot.change(lifecycle={"updatePolicy": "Proceed"})
    bot.wait_replaced(pod)
    is_well(bot)
    assert steps(bot) == [("RestartPod", "PoolExhausted")]


SCENARIOS: Final = (
    a_hanging_engine_is_restarted,
    an_engine_killed_once_is_the_kubelets,
    an_engine_killed_again_and_again_is_not_left_waiting,
    an_engine_that_dies_at_each_start_is_put_in_quarantine,
    an_engine_that_runs_out_of_memory_gets_more_in_place,
    an_engine_whose_memory_is_nearly_full_is_helped_while_it_trades,
    an_exhausted_pool_gets_one_restart,
    an_exhausted_pool_waits_for_open_positions,
    a_version_that_does_not_come_up_is_taken_back_by_the_old_spec,
)
_SMALL: Final[dict[str, Any]] = {"resources": {"requests": {"memory": "96Mi"}, "limits": {"memory": "128Mi"}}}
# Silence is found before the kubelet's liveness probe has ended it.
_HEALTH: Final[dict[str, Any]] = {"silentAfterSeconds": 3}


def sections(scenario: object, rehearsal: str) -> dict[str, Any]:
    """Return what is special in the spec of a scenario's bot."""
    if scenario is an_engine_that_dies_at_each_start_is_put_in_quarantine:
        remediation = {"backoffSeconds": 1, "quarantineAfter": 2}
        return {"strategy": "rehearsal:Poison", "engine": _SMALL | {"image": rehearsal}, "health": _HEALTH | {"remediation": remediation}}
    if scenario is an_engine_that_runs_out_of_memory_gets_more_in_place:
        return {"health": _HEALTH | {"remediation": {"memoryCeiling": "256Mi"}}}
    if scenario is an_engine_whose_memory_is_nearly_full_is_helped_while_it_trades:
        # 40Mi of its own and 130Mi of 192Mi: above the limit of the warning (85 %), and with room for a start.
        room = {"resources": {"requests": {"memory": "96Mi"}, "limits": {"memory": "192Mi"}}, "image": rehearsal}
        hoard = {"strategy": "rehearsal:Hoard", "parameters": {"mebibytes": 130}, "engine": room}
        return hoard | {"health": {"remediation": {"memoryCeiling": "512Mi", "backoffSeconds": 1}}}
    if scenario is a_version_that_does_not_come_up_is_taken_back_by_the_old_spec:
        return {"lifecycle": {"updatePolicy": "Proceed"}}
    if scenario in {an_exhausted_pool_gets_one_restart, an_exhausted_pool_waits_for_open_positions}:
        policy = "Wait" if scenario is an_exhausted_pool_waits_for_open_positions else "Proceed"
        return {"strategy": "rehearsal:Leak", "engine": _SMALL | {"image": rehearsal}, "lifecycle": {"updatePolicy": policy}}
    return {}


@pytest.fixture(scope="module")
def unbraked(kube: Kube, images: dict[str, str]) -> Iterator[None]:
    """Let the operator act though most of its bots are sick at once: that is no fault that they share, but this module's doing."""
    install(kube, images, "maxUnhealthyPercent=100")
    yield
    install(kube, images)


@pytest.fixture(scope="module")
def running(start: StartBots, rehearsal: str, unbraked: None) -> Iterator[Running]:  # noqa: ARG001 - it is installed so
    """Return all scenarios, begun at once."""
    usual: dict[str, Any] = {"engine": _SMALL, "cache": {"memoryLimit": "16Mi"}, "health": _HEALTH}
    manifests = [manifest(bot_name(scenario), **(usual | sections(scenario, rehearsal))) for scenario in SCENARIOS]
    calm, *bots = start(manifest("calm", **usual), *manifests)
    with begin(SCENARIOS, bots, [calm] * len(bots)) as running:
        yield running


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_healing(running: Running, scenario: str) -> None:
    running[scenario].result()
