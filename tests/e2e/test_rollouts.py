"""A change that needs a new pod: it waits for open positions, or goes ahead, or has them sold, as the bot says.

The scenarios run side by side, each with a bot of its own. ``Hold`` buys once and never sells, so its positions stay open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from rig.bots import Bot, manifest
from rig.ledger import read_ledger
from rig.side_by_side import Running, Scenario, begin, bot_name
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]

MEBIBYTE: Final = 2**20


def wait_positions(bot: Bot, count: int = 2) -> None:
    eventually(
        f"{bot.name} has {count} open positions",
        lambda: (status := bot.engine()) is not None and status.open_positions == count,
        explain=bot.explain,
    )


def restart_reason(bot: Bot) -> str:
    (shard,) = bot.status()["shards"]
    return str(shard["lastRestartReason"])


def sales(bot: Bot) -> int:
    return sum(side == "sell" for _, _, _, side, *_ in read_ledger(bot)["fills"])


def needs_a_new_pod(bot: Bot) -> int:
    """Change something that an engine only reads when it starts, and nothing of what it does; return the generation."""
    return bot.change(market={"warmupBars": 1})


def a_change_waits_while_positions_are_open(bot: Bot) -> None:
    wait_positions(bot)
    pod = bot.pod_uid()
    needs_a_new_pod(bot)
    bot.wait_condition("Progressing", "True", reason="WaitingForPositions")
    bars = bot.wait_trading().bars
    bot.wait_trading(beyond_bars=bars + 100)
    assert bot.pod_uid() == pod
    # What needs no new pod is applied meanwhile; and somebody decides that it need not wait.
    generation = bot.change(lifecycle={"updatePolicy": "Proceed"})
    bot.wait_replaced(pod)
    bot.wait_tuned(generation)
    bot.wait_event("SpecChanged")
    eventually("the status has the reason", lambda: restart_reason(bot) == "SpecChanged", explain=bot.explain)
    wait_positions(bot)
    assert sales(bot) == 0
    assert len(read_ledger(bot)["fills"]) == 2, "the new engine took the positions over"


def a_change_sells_what_is_open_before_it_goes_ahead(bot: Bot) -> None:
    wait_positions(bot)
    pod = bot.pod_uid()
    generation = needs_a_new_pod(bot)
    bot.wait_replaced(pod)
    bot.wait_tuned(generation)
    assert sales(bot) == 2
    assert not bot.history(), "a roll-out is no remediation"


def a_restart_that_is_asked_for_happens_once(bot: Bot) -> None:
    pod = bot.pod_uid()
    bot.annotate("tradingbot.dev/restart", "now, please")
    bot.wait_replaced(pod)
    bot.wait_event("RestartRequested")
    eventually("the status has the reason", lambda: restart_reason(bot) == "RestartRequested", explain=bot.explain)
    again = bot.pod_uid()
    # The same value asks for nothing, and a live change restarts nothing either.
    bot.annotate("tradingbot.dev/restart", "now, please")
    bot.wait_tuned(bot.change(cache={"maxEntries": 123}))
    assert bot.pod_uid() == again


def memory_and_cpu_change_in_place(bot: Bot) -> None:
    before, pod = bot.wait_trading(), bot.pod_uid()
    assert bot.memory_limit_bytes() == 128 * MEBIBYTE
    for limit in ("256Mi", "160Mi"):
        generation = bot.change(engine={"resources": {"requests": {"cpu": "20m"}, "limits": {"memory": limit}}})
        bot.wait_tuned(generation)
        assert bot.memory_limit_bytes() == int(limit.removesuffix("Mi")) * MEBIBYTE
    assert bot.pod_uid() == pod
    assert bot.container()["restartCount"] == 0
    assert bot.wait_trading(beyond_bars=before.bars).started_at == before.started_at


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_change_waits_while_positions_are_open,
    a_change_sells_what_is_open_before_it_goes_ahead,
    a_restart_that_is_asked_for_happens_once,
    memory_and_cpu_change_in_place,
)
_POLICIES: Final = {a_change_waits_while_positions_are_open: "Wait", a_change_sells_what_is_open_before_it_goes_ahead: "Flatten"}


@pytest.fixture(scope="module")
def running(start: StartBots, rehearsal: str) -> Iterator[Running]:
    """Return all scenarios, begun at once, each with a bot that is ready."""
    small: dict[str, Any] = {"resources": {"requests": {"memory": "96Mi"}, "limits": {"memory": "128Mi"}}}
    manifests = []
    for scenario in SCENARIOS:
        holds = scenario in _POLICIES
        manifests.append(
            manifest(
                bot_name(scenario),
                strategy="rehearsal:Hold" if holds else "ema-cross",
                engine=small | ({"image": rehearsal} if holds else {}),
                cache={"memoryLimit": "16Mi"},
                lifecycle={"updatePolicy": _POLICIES.get(scenario, "Proceed")},
            )
        )
    bots = start(*manifests)
    for bot in bots:
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
    with begin(SCENARIOS, bots) as running:
        yield running


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_rollouts(running: Running, scenario: str) -> None:
    running[scenario].result()
