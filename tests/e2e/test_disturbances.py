"""Whatever happens to the operator and to the API server, engines trade on, and none of them is restarted for it.

Three bots are watched through all of it: their pods, their processes and their bars. When nothing happens, nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from rig.api_writes import count_writes
from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.nodes import on_node, restart_api_server
from rig.operator_log import OperatorLog
from rig.operators import Operators
from rig.release import install
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

QUIET_SECONDS: Final = 60.0
"""Longer than the slowest thing that repeats in operator, engine and observer, but for the operator's full listing."""
PASSES: Final = 100
RECONCILES: Final = "tradingbot_operator_reconciles_total"


@pytest.fixture(scope="module")
def bots(start: StartBots) -> list[Bot]:
    """Return three bots that trade."""
    started = start(*(manifest(f"undisturbed-{number}", speed=60) for number in range(3)))
    for bot in started:
        bot.wait_trading()
        for kind in ("Ready", "Healthy", "TuningApplied"):
            bot.wait_condition(kind, "True")
    return started


@pytest.fixture(autouse=True)
def same_processes(bots: list[Bot]) -> Iterator[None]:
    """Hold that every engine trades on, in the same process of the same pod."""
    before = [(bot.pod_uid(), bot.container()["containerID"], bot.wait_trading()) for bot in bots]
    yield
    for bot, (uid, container, status) in zip(bots, before, strict=True):
        after = bot.wait_trading(beyond_bars=status.bars)
        assert bot.pod_uid() == uid
        assert bot.container()["containerID"] == container
        assert after.started_at == status.started_at
        assert after.bars - status.bars == after.bars_this_run - status.bars_this_run, "no bar is missing"
        assert not bot.history()


@pytest.fixture
def operators(kube: Kube) -> Operators:
    return Operators(kube)


def reconciles(bot: Bot) -> None:
    """Wait until a change of the spec has gone through the operator, to the engine and back into the status."""
    entries = 500 + int(time.time()) % 500
    bot.wait_tuned(bot.change(cache={"maxEntries": entries}))


def test_a_leader_that_is_killed_is_followed_by_the_other(bots: list[Bot], operators: Operators) -> None:
    operators.wait_ready()
    killed = operators.kill_leader()
    reconciles(bots[0])
    assert operators.holder() not in {"", killed}
    operators.wait_ready()


def test_a_leader_that_is_told_to_end_hands_over(bots: list[Bot], operators: Operators) -> None:
    operators.wait_ready()
    ended = operators.delete_leader()
    reconciles(bots[0])
    assert operators.holder() not in {"", ended}
    operators.wait_ready()


def test_an_api_server_that_is_restarted_costs_no_engine(
    kube: Kube, bots: list[Bot], operators: Operators, operator_log: OperatorLog
) -> None:
    # kopf takes every connection that is refused for an error, and tries again.
    operator_log.allow(r"Request attempt #\d+/\d+ failed; will retry: ")
    # A leader that can't renew its lease ends, and says so; nobody acts meanwhile.
    operator_log.allow(r"CRITICAL this operator ends, because it no longer leads: ")
    restart_api_server(kube)
    for bot in bots:
        reconciles(bot)
    operators.wait_ready()


@pytest.fixture
def other_version(kube: Kube, images: dict[str, str]) -> Iterator[dict[str, str]]:
    """Return other names of the same images, as the next version's would be."""
    names = {key: f"{images[key].rpartition(':')[0]}:next-version" for key in ("operator", "engine")}
    for node in kube.items("nodes", None):
        for key, name in names.items():
            tag = "ctr -n k8s.io images tag --force docker.io/$1 docker.io/$2"
            on_node(kube, node["metadata"]["name"], tag, images[key], name)
    yield names
    install(kube, images)


def test_another_version_of_the_operator_replaces_no_engine(
    kube: Kube, bots: list[Bot], operators: Operators, images: dict[str, str], other_version: dict[str, str]
) -> None:
    install(kube, other_version)
    assert {pod["spec"]["containers"][0]["image"] for pod in operators.pods()} == {other_version["operator"]}
    for bot in bots:
        reconciles(bot)
        pod = bot.pod()
        assert pod is not None
        assert {container["image"] for container in pod["spec"]["containers"]} == {images["engine"]}, "engines stay what they were"
        bot.wait_condition("Progressing", "False", reason="UpToDate")


def test_forced_passes_write_nothing(kube: Kube, bots: list[Bot], operators: Operators) -> None:
    """Each touch is an annotation that means nothing to the operator; it looks at the whole bot because of it."""
    operators.wait_ready()
    before, passes = count_writes(kube), operators.count(RECONCILES, result="done")
    for number in range(1, PASSES + 1):
        for bot in bots:
            kube.merge("tradingbots", bot.name, bot.namespace, {"metadata": {"annotations": {"tests.example/touched": str(number)}}})
        wanted = passes + number * len(bots)
        eventually(
            f"each bot was looked at {number} times",
            lambda wanted=wanted: operators.count(RECONCILES, result="done") >= wanted,  # type: ignore[misc]  # mypy can't infer a lambda with a default
            every_seconds=0.05,
        )
    assert operators.count(RECONCILES, result="error") == 0
    written = count_writes(kube) - before
    assert written.pop("PATCH tradingbots") == PASSES * len(bots), "the touches themselves"
    assert not written


def test_an_idle_fleet_writes_nothing(kube: Kube, bots: list[Bot], leaving: list[str]) -> None:
    for name in leaving:
        eventually(f"the namespace {name} of an earlier module is gone", lambda name=name: kube.get("namespaces", name, None) is None)  # type: ignore[misc]  # mypy can't infer a lambda with a default
    for bot in bots:
        # That it has begun to trade is news, and is written within a minute; from then on there is none.
        eventually("its first fill is in the status", lambda bot=bot: bot.status()["trading"]["fills"] > 0, explain=bot.explain)  # type: ignore[misc]  # mypy can't infer a lambda with a default
    before, bars = count_writes(kube), [bot.wait_trading().bars for bot in bots]
    ends = time.monotonic() + QUIET_SECONDS
    eventually("the time is over", lambda: time.monotonic() > ends, within_seconds=2 * QUIET_SECONDS, every_seconds=5.0)
    assert not count_writes(kube) - before
    for bot, count in zip(bots, bars, strict=True):
        assert bot.wait_trading().bars > count + QUIET_SECONDS, "they were to be watched while they trade"
