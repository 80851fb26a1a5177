"""A bot that is deleted leaves nothing behind, whether its operator is up or not."""

from __future__ import annotations

from collections.abc import Callable

from rig.bots import Bot, manifest
from rig.kube import CHILDREN, Kube
from rig.operator_log import OperatorLog
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

# What the cluster itself puts into every namespace.
THEIRS = {"kube-root-ca.crt"}


def left_over(kube: Kube, namespace: str) -> list[str]:
    return [
        f"{kind}/{item['metadata']['name']}"
        for kind in (*CHILDREN, "pods", "tradingbots")
        for item in kube.items(kind, namespace)
        if item["metadata"]["name"] not in THEIRS
    ]


def test_deleting_a_bot_leaves_nothing(kube: Kube, namespace: str, start: StartBots) -> None:
    (bot,) = start(manifest("leaving"))
    bot.wait_trading()
    assert left_over(kube, namespace)
    kube.kubectl("-n", namespace, "delete", "tradingbot", bot.name, "--timeout=60s")
    eventually("nothing is left", lambda: not left_over(kube, namespace), explain=lambda: str(left_over(kube, namespace)))


def test_a_bot_can_be_deleted_while_there_is_no_operator(kube: Kube, namespace: str, start: StartBots, operator_log: OperatorLog) -> None:
    (bot,) = start(manifest("orphaned"))
    bot.wait_trading()
    with operator_log.taken_away():
        kube.kubectl("-n", namespace, "delete", "tradingbot", bot.name, "--timeout=60s")
        eventually("nothing is left", lambda: not left_over(kube, namespace), explain=lambda: str(left_over(kube, namespace)))


def test_a_bot_of_the_same_name_begins_anew(kube: Kube, namespace: str, start: StartBots) -> None:
    (bot,) = start(manifest("again"))
    bot.wait_trading(beyond_bars=100)
    kube.kubectl("-n", namespace, "delete", "tradingbot", bot.name, "--timeout=60s")
    (bot,) = start(manifest("again", speed=1))
    bot.wait_condition("Ready", "True")  # of the new bot: the old one's pod may take a moment to go
    status = bot.wait_trading()
    assert status.bars < 100, "it goes on where a deleted bot has stopped"
