"""Observers that can't be heard, in every way in which that happens, across a fleet of thirty: nothing is known, so nothing is done."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from audit_log import count
from bot_rig import BotView, Rig, eventually

FLEET: Final = 30
OUTAGES: Final = {
    "refuses": {"ObserverUnreachable"},
    "hangs": {"ObserverUnreachable"},
    "error": {"ObserverUnreachable"},
    "garbage": {"ReportInvalid"},
    "empty": {"ReportInvalid"},
    "stranger": {"ReportInvalid"},
    "frozen": {"ReportStale"},
}
"""What an observer does, and the reason that must be given for not knowing."""


@pytest.fixture
def fleet(rig: Rig, namespace: str) -> list[BotView]:
    return [rig.create(namespace, f"bot-{number}") for number in range(FLEET)]


def test_an_observer_that_cannot_be_heard_is_unknown_and_nothing_is_done(rig: Rig, namespace: str, fleet: list[BotView]) -> None:
    with rig.operator(namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        audit, made = rig.audit(), _made(rig, namespace)
        ways = [list(OUTAGES)[number % len(OUTAGES)] for number in range(FLEET)]
        for bot, way in zip(fleet, ways, strict=True):
            rig.kubelet.conduct(namespace, bot.name, page=way)
        for bot, way in zip(fleet, ways, strict=True):
            condition = bot.wait_condition("Healthy", "Unknown")
            assert condition["reason"] in OUTAGES[way], f"{way}: {condition}"
        _assert_left_alone(rig, namespace, fleet, made)
        writes = count(audit.writes(namespace=namespace))
        assert {name.partition(" ")[2] for name in writes} <= {"tradingbots/status", "events"}, str(writes)

        for bot in fleet:
            rig.kubelet.conduct(namespace, bot.name, page="answers")
        for bot in fleet:
            bot.wait_condition("Healthy", "True")
        _assert_left_alone(rig, namespace, fleet, made)
        assert not operator.bad_lines()


def test_engines_that_hang_behind_observers_that_cannot_be_heard_are_left_to_the_kubelet(
    rig: Rig, namespace: str, fleet: list[BotView]
) -> None:
    with rig.operator(namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        made = _made(rig, namespace)
        for bot in fleet:
            rig.kubelet.conduct(namespace, bot.name, page="refuses")
        for bot in fleet:
            bot.wait_condition("Healthy", "Unknown")
        pods = [rig.kubelet.pods_of(namespace, bot.name)[f"{bot.name}-0"] for bot in fleet]
        for pod in pods:
            rig.kubelet.do(pod.hang)
        restarted = eventually("the kubelet has restarted every engine", lambda: all(pod.restarts == 1 for pod in pods))
        assert restarted
        _assert_left_alone(rig, namespace, fleet, made)
        assert not operator.bad_lines()


def _made(rig: Rig, namespace: str) -> Counter[str]:
    return rig.kubelet.do(lambda: Counter({name: times for (where, name), times in rig.kubelet.made.items() if where == namespace}))


def _assert_left_alone(rig: Rig, namespace: str, fleet: list[BotView], made: Counter[str]) -> None:
    assert _made(rig, namespace) == made, "pods were replaced"
    assert not [decision for bot in fleet for decision in bot.history()]
