"""Thirty bots: what holds the operator still (a shared cause, nothing to do), and what does not (one poisoned bot among many)."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Final

import pytest

from audit_log import count
from bot_rig import BotView, Rig, eventually
from tradingbot_contract.report import EngineState

FLEET: Final = 30
SICK: Final = 15
"""More than 40 % of them."""
QUICK: Final = {"health": {"remediation": {"backoffSeconds": 1, "quarantineAfter": 2, "maxActions": 60}}}
RESYNCS: Final = 100
IDLE_SECONDS: Final = 30.0


@pytest.fixture
def fleet(rig: Rig, namespace: str) -> list[BotView]:
    return [rig.create(namespace, f"bot-{number}", **QUICK) for number in range(FLEET)]


def test_a_cause_that_many_share_is_waited_out_and_healing_goes_on_after_it(rig: Rig, namespace: str, fleet: list[BotView]) -> None:
    kubelet = rig.kubelet
    with rig.operator(namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        operator.stop()
        sick, well = fleet[:SICK], fleet[SICK:]
        pods = {bot: kubelet.pods_of(namespace, bot.name)[f"{bot.name}-0"] for bot in sick}
        for bot in sick:
            kubelet.conduct(namespace, bot.name, dies_at_start="Error", backoff_seconds=300.0)
            kubelet.do(pods[bot].kill)
        eventually("all of them crash again and again", lambda: all(pod.restarts == 1 and pod.engine is None for pod in pods.values()))
        made = _made(rig, namespace)
        operator.start()
        for bot in sick:
            bot.wait_condition("Healthy", "False", "CrashLooping")
        eventually("it is said why nothing is done", lambda: any(event["reason"] == "FleetSick" for bot in sick for event in bot.events()))
        time.sleep(5.0)  # nothing is waited for: it is a time in which nothing may happen
        assert _made(rig, namespace) == made
        assert not [decision for bot in fleet for decision in bot.history()]

        # Most get well by themselves; the others are then seen to.
        for bot in sick:
            kubelet.conduct(namespace, bot.name, dies_at_start="")
        for bot in sick[3:]:
            kubelet.do(pods[bot].start_again)
        for bot in fleet:
            bot.wait_condition("Ready", "True", within_seconds=90)
        replaced = _made(rig, namespace) - made
        assert {f"{bot.name}-0" for bot in sick[:3]} <= set(replaced) <= {f"{bot.name}-0" for bot in sick}
        assert {decision["reason"] for bot in sick[:3] for decision in bot.history()} == {"CrashLooping"}
        assert not [decision for bot in well for decision in bot.history()]
        # Others that are not quite well yet may be helped, too, once most are; nobody while the fleet is sick.
        for decision in (decision for bot in sick for decision in bot.history()):
            counted = re.search(r"fleet (\d+) sick of", decision["inputs"])
            assert counted is not None
            assert int(counted[1]) <= FLEET * 40 // 100, decision
        assert not operator.bad_lines()


def test_a_fleet_that_falls_sick_while_the_operator_watches_is_held_still(rig: Rig, namespace: str, fleet: list[BotView]) -> None:
    kubelet = rig.kubelet
    with rig.operator(namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        made, pods = _made(rig, namespace), {bot: kubelet.pods_of(namespace, bot.name)[f"{bot.name}-0"] for bot in fleet[:SICK]}
        for bot, pod in pods.items():
            kubelet.conduct(namespace, bot.name, dies_at_start="Error", backoff_seconds=300.0)
            kubelet.do(pod.kill)
        for bot in pods:
            bot.wait_condition("Healthy", "False")
        eventually("it is said why nothing is done", lambda: any(event["reason"] == "FleetSick" for bot in pods for event in bot.events()))
        time.sleep(5.0)  # nothing is waited for: it is a time in which nothing may happen
        # They fall sick one after the other: until more than the limit are, nobody can know that they share a cause.
        replaced = _made(rig, namespace) - made
        print(f"{sum(replaced.values())} of {SICK} were replaced before it was known that the fleet is sick")
        assert sum(replaced.values()) <= FLEET * 40 // 100
        assert set(replaced.values()) <= {1}
        assert not operator.bad_lines()


def test_one_poisoned_bot_among_many_ends_in_quarantine_and_the_others_trade_on(rig: Rig, namespace: str, fleet: list[BotView]) -> None:
    kubelet = rig.kubelet
    with rig.operator(namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        poisoned, others = fleet[0], fleet[1:]
        made, pod = _made(rig, namespace), kubelet.pods_of(namespace, poisoned.name)[f"{poisoned.name}-0"]
        kubelet.conduct(namespace, poisoned.name, dies_at_start="Error", backoff_seconds=20.0)
        kubelet.do(pod.kill)
        eventually(
            "it is in quarantine", lambda: poisoned.status().get("phase") == "Quarantined", within_seconds=120, explain=poisoned.explain
        )
        eventually("nothing of it trades", lambda: not kubelet.do(lambda: kubelet.ledger.owners_in(namespace, poisoned.name)))
        history = [decision["action"] for decision in poisoned.history()]
        assert history[-1] == "Quarantine"
        assert "RestartPod" in history
        assert "RecreateElsewhere" in history
        eventually(
            "it is told loudly", lambda: ("Quarantined", "Warning") in {(event["reason"], event["type"]) for event in poisoned.events()}
        )
        eventually("its pod has been made anew, and is fenced", lambda: _is_fenced(rig, poisoned), explain=poisoned.explain)
        settled = _made(rig, namespace)
        time.sleep(10.0)  # nothing is waited for: it is a time in which nothing may happen
        assert _made(rig, namespace) == settled
        assert set(settled - made) == {f"{poisoned.name}-0"}
        assert not [decision for bot in others for decision in bot.history()]

        # A person has mended it and says so.
        kubelet.conduct(namespace, poisoned.name, dies_at_start="")
        poisoned.annotate(restart="mended")
        poisoned.wait_settled()
        assert not operator.bad_lines()


def test_forced_resyncs_and_idleness_write_nothing(rig: Rig, namespace: str, fleet: list[BotView]) -> None:
    with rig.operator(namespace, LEADER_ELECTION="on", NAMESPACE=namespace) as operator:
        for bot in fleet:
            bot.wait_settled()
        # The API server counts by kind and not by namespace; one that goes is deleted kind by kind.
        eventually(
            "no namespace is going", lambda: not any("deletionTimestamp" in item["metadata"] for item in rig.api.items("namespaces", None))
        )
        eventually("the operator has nothing more to say", lambda: _is_quiet(rig, namespace))
        made, audit, requests = _made(rig, namespace), rig.audit(), _requests(rig)
        passes = _passes(operator.page("/metrics") or "")
        for number in range(RESYNCS):
            fleet[number % FLEET].annotate(touched=str(number))
        eventually("every touch was looked at", lambda: _passes(operator.page("/metrics") or "") >= passes + RESYNCS - FLEET)
        eventually("the operator has nothing more to say", lambda: _is_quiet(rig, namespace))
        writes = count(audit.writes())
        print(f"{RESYNCS} resyncs: the operator has written {dict(writes)}; requests of all: {dict(_requests(rig) - requests)}")
        assert set(writes) <= {"update leases", "patch leases", "create leases"}
        assert _made(rig, namespace) == made
        by_others = _requests(rig) - requests
        changed = {name for name in by_others if name.split()[0] in {"POST", "PUT", "PATCH", "APPLY", "DELETE"}}
        # The cluster's controllers tell of what they saw whenever they come to it; that our operator tells nothing stands above.
        told = {"POST events", "PATCH events"}
        assert changed - told <= {"PATCH tradingbots", "PUT leases", "PATCH leases", "APPLY leases", "POST leases"}, str(changed)

        audit = rig.audit()
        time.sleep(IDLE_SECONDS)  # nothing is waited for: it is a time in which nothing may happen
        writes = count(audit.writes())
        print(f"idle for {IDLE_SECONDS:.0f} s: the operator has written {dict(writes)}")
        assert set(writes) <= {"update leases", "patch leases"}
        assert not operator.bad_lines()


def _made(rig: Rig, namespace: str) -> Counter[str]:
    return rig.kubelet.do(lambda: Counter({name: times for (where, name), times in rig.kubelet.made.items() if where == namespace}))


def _is_fenced(rig: Rig, bot: BotView) -> bool:
    def look() -> bool:
        engines = [pod.engine for pod in rig.kubelet.pods.values() if (pod.bot.namespace, pod.bot.name) == (bot.namespace, bot.name)]
        return bool(engines) and all(engine is not None and engine.status().state is EngineState.FENCED for engine in engines)

    return rig.kubelet.do(look)


def _is_quiet(rig: Rig, namespace: str) -> bool:
    """Return whether three seconds have passed without a write in a namespace."""
    audit = rig.audit()
    time.sleep(3.0)
    return not [write for write in audit.writes(namespace=namespace) if write.resource != "leases"]


def _passes(metrics: str) -> float:
    """Return how often the operator has looked at a bot."""
    return sum(float(number) for number in re.findall(r"^tradingbot_operator_reconciles_total\{[^}]*\} (\S+)$", metrics, re.MULTILINE))


def _requests(rig: Rig) -> Counter[str]:
    """Return how often the API server was asked for what, by its own count."""
    page = rig.api.raw("GET", "/metrics").body
    found: Counter[str] = Counter()
    for labels, number in re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)$", page, re.MULTILINE):
        label = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        found[f"{label['verb']} {label['resource']}{'/' + label['subresource'] if label['subresource'] else ''}"] += int(float(number))
    return found
