"""What only the engine can know is wrong ends in a condition with the engine's own words, not in a crash loop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig.bots import Bot, manifest
from rig.kube import Object

StartBots = Callable[..., list[Bot]]


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (manifest("no-such-strategy", strategy="tea-leaves"), "tea-leaves"),
        (manifest("no-such-symbol", market={"symbols": ["NONESUCH"]}), "NONESUCH"),
    ],
    ids=["strategy", "symbol"],
)
def test_a_bot_that_cannot_run_says_why_and_waits_for_a_better_spec(start: StartBots, broken: Object, named: str) -> None:
    (bot,) = start(broken)
    condition = bot.wait_condition("Accepted", "False")
    assert named in condition["message"]
    assert bot.condition("Ready")["status"] == "False"
    assert bot.wait_event(condition["reason"])["type"] == "Warning"
    assert bot.container()["restartCount"] == 0, "it does not crash"

    start(manifest(bot.name))
    bot.wait_trading()
    bot.wait_condition("Accepted", "True")
    bot.wait_condition("Ready", "True")
    bot.wait_phase("Running")
    assert bot.container()["restartCount"] == 0
