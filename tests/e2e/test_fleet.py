"""When most of a fleet is sick at once, they share the cause, and no restart of a single bot helps: the operator holds still."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Final

from rig.bots import Bot, manifest
from rig.kube import Kube
from rig.nodes import signal_pods
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

FLEET: Final = 6
AT_LEAST: Final = 3
"""So many must be sick before a fleet counts as sick; until the others are known to be, something may be done about fewer."""


def test_a_fleet_that_is_sick_is_left_to_the_kubelet_and_people_hear_of_it(kube: Kube, start: StartBots) -> None:
    bots = start(*(manifest(f"of-many-{number}") for number in range(FLEET)))
    for bot in bots:
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
        bot.wait_condition("Healthy", "True")

    def kill_all() -> float:
        pods = [pod for bot in bots if (pod := bot.pod()) is not None]
        assert len(pods) == FLEET
        return signal_pods(kube, pods, "tradingbot_engine", signal.SIGKILL)

    # All engines die at once, and again as soon as the kubelet has started them: now it lets them wait.
    killed = kill_all()
    for bot in bots:
        bot.wait_restarted(killed)
    kill_all()

    def held_back() -> list[Bot]:
        held = [bot for bot in bots if any(event["reason"] == "FleetSick" for event in bot.events())]
        assert len(held) > FLEET - AT_LEAST, [bot.name for bot in held]
        return held

    eventually("people hear of it", held_back, explain=lambda: "\n".join(bot.explain() for bot in bots))
    for bot in bots:
        bot.wait_trading(within_seconds=180.0)
        bot.wait_condition("Healthy", "True")
        bot.wait_phase("Running")
    # When most of them are well again, the last sick ones may be helped like any other; never while the fleet was sick.
    for decision in (decision for bot in bots for decision in bot.history()):
        sick = re.search(r"fleet (\d+) sick of", decision["inputs"])
        assert sick is not None
        assert int(sick[1]) < AT_LEAST, decision
