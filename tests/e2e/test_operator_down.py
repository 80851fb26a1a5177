"""Engines need no operator to trade: without one they go on, and the kubelet restarts them; one that comes back disturbs nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable

from rig.bots import Bot, manifest
from rig.operator_log import OperatorLog
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]


def test_engines_trade_on_and_are_restarted_while_there_is_no_operator(start: StartBots, operator_log: OperatorLog) -> None:
    killed, untouched = start(manifest("killed"), manifest("untouched"))
    for bot in (killed, untouched):
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
    with operator_log.taken_away():
        # The engine trades on.
        bars = untouched.wait_trading().bars
        untouched.wait_trading(beyond_bars=bars + 50)
        # One that dies is restarted by the kubelet, in the same pod, and goes on where it stopped.
        pod, before = killed.pod(), killed.wait_trading()
        assert pod is not None
        killed.signal(signal.SIGKILL)
        after = killed.wait_trading(beyond_bars=before.bars)
        assert after.started_at > before.started_at
        now = killed.pod()
        assert now is not None
        assert now["metadata"]["uid"] == pod["metadata"]["uid"]
        eventually("the kubelet has counted", lambda: killed.container()["restartCount"] == 1, explain=killed.explain)

    # The operator that comes back sees what happened and touches nothing.
    for bot, restarts in ((killed, 1), (untouched, 0)):
        bot.wait_condition("Ready", "True")
        bot.wait_condition("Healthy", "True")
        bot.wait_phase("Running")
        assert bot.container()["restartCount"] == restarts
    now = killed.pod()
    assert now is not None
    assert now["metadata"]["uid"] == pod["metadata"]["uid"]
    killed.wait_trading(beyond_bars=after.bars)
