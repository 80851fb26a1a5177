"""Pods are replaced one at a time, for one reason, and not while that interrupts what the update policy protects."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_cluster import Cluster

from tradingbot_contract.document import Activity
from tradingbot_contract.report import FindingReason
from tradingbot_operator.actions import RestartPod
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.reasons import Reason

SHARED = {"urlSecretRef": {"name": "postgres"}}
NEW = {"name": "ema-cross", "parameters": {"fastPeriod": 3}}


def made(replicas: int = 1, policy: str = "Wait", **spec: Any) -> Cluster:
    symbols = ["AAPL", "GOOG", "IBM", "MSFT"]
    database = {"database": SHARED} if replicas > 1 else {}
    lifecycle = {"updatePolicy": policy}
    cluster = Cluster(market={"symbols": symbols}, scaling={"replicas": replicas}, lifecycle=lifecycle, **database, **spec)
    cluster.rest()
    return cluster


def condition(cluster: Cluster, kind: str) -> tuple[str, str]:
    found = cluster.status.condition(kind)
    assert found is not None
    return found.status.value, found.reason


def test_a_change_that_needs_a_process_replaces_every_pod_one_after_the_other() -> None:
    cluster = made(replicas=3)
    cluster.change(strategy=NEW)
    cluster.rest()
    assert cluster.restarts == [(f"calm-{number}", Reason.SPEC_CHANGED) for number in range(3)]
    assert [shard.last_restart_reason for shard in cluster.status.shards] == ["SpecChanged"] * 3
    assert cluster.status.restarts == 0, "roll-outs are not counted"
    assert cluster.status.tuning.rung == "Restart"
    assert condition(cluster, "TuningApplied") == ("True", "TuningApplied")


def test_what_a_new_operator_only_writes_on_pods_replaces_none() -> None:
    cluster = made()
    workload = cluster.children[ObjectKey("StatefulSet", "calm")]
    annotations = workload["spec"]["template"]["metadata"]["annotations"]
    wanted = dict(annotations)
    # As an operator has left it that knew nothing of being scraped.
    for name in ("prometheus.io/scrape", "prometheus.io/path"):
        del annotations[name]
    workload["metadata"]["annotations"]["tradingbot.dev/desired-hash"] = "of-an-earlier-version"
    cluster.rest()
    assert cluster.children[ObjectKey("StatefulSet", "calm")]["spec"]["template"]["metadata"]["annotations"] == wanted
    assert cluster.restarts == []


def test_the_next_pod_waits_for_the_one_before() -> None:
    cluster = made(replicas=3)
    cluster.comes_up = False
    cluster.change(strategy=NEW)
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED)]
    cluster.now += 121
    cluster.rest()
    assert condition(cluster, "Progressing") == ("False", "RolloutStalled")
    assert len(cluster.restarts) == 1, "the others trade on"


def test_going_back_to_the_spec_that_worked_repairs_the_pod_that_does_not_come_up() -> None:
    cluster = made(replicas=2)
    before = cluster.spec["strategy"]
    cluster.comes_up = False
    cluster.change(strategy=NEW)
    cluster.rest()
    cluster.comes_up = True
    cluster.change(strategy=before)
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED), ("calm-0", Reason.POD_STUCK)]
    assert condition(cluster, "Ready") == ("True", "EngineReady")


@pytest.mark.parametrize("policy", ["Wait", "Flatten"])
def test_a_pod_that_trades_nothing_is_replaced_whatever_the_policy(policy: str) -> None:
    cluster = made(policy=policy)
    cluster.engines["calm-0"].buy()
    cluster.crash("calm-0")
    cluster.change(strategy=NEW)
    cluster.rest(seconds=1)
    assert cluster.restarts[-1][0] == "calm-0"
    assert cluster.restarts[-1][1] in {Reason.POD_STUCK, Reason.CRASH_LOOPING}


def test_open_positions_are_waited_for() -> None:
    cluster = made()
    cluster.engines["calm-0"].buy()
    cluster.change(strategy=NEW)
    cluster.rest(seconds=1)
    assert cluster.restarts == []
    assert condition(cluster, "Progressing") == ("True", "WaitingForPositions")
    cluster.journals["calm-0"].clear()
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED)]


def test_positions_that_are_not_known_are_waited_for() -> None:
    cluster = made()
    cluster.engines["calm-0"].speaks = False
    cluster.change(strategy=NEW)
    cluster.rest()
    assert cluster.restarts == []
    assert condition(cluster, "Progressing") == ("True", "WaitingForPositions")


def test_who_does_not_wait_goes_ahead() -> None:
    cluster = made(policy="Proceed")
    cluster.engines["calm-0"].buy()
    cluster.change(strategy=NEW)
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED)]
    assert cluster.journals["calm-0"], "the new engine takes the positions over"


def test_who_flattens_sells_first_and_trades_again_after() -> None:
    cluster = made(policy="Flatten")
    cluster.engines["calm-0"].buy()
    cluster.change(strategy=NEW)
    seen = set()
    for _ in range(12):
        cluster.step()
        seen.add(cluster.engines["calm-0"].document.activity)
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED)]
    assert Activity.FLATTEN in seen
    assert cluster.engines["calm-0"].document.activity is Activity.TRADE


def test_a_person_asks_for_a_restart_once() -> None:
    cluster = made(replicas=2)
    cluster.annotate("tradingbot.dev/restart", "monday")
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.RESTART_REQUESTED), ("calm-1", Reason.RESTART_REQUESTED)]
    assert cluster.rest() == []


def test_no_pod_is_replaced_before_the_next_would_be_as_wanted() -> None:
    cluster = made()
    cluster.change(strategy=NEW)
    first = cluster.step()
    assert not any(isinstance(action, RestartPod) for action in first.actions)
    assert first.recheck_seconds < 1
    (second,) = cluster.step().actions
    assert isinstance(second, RestartPod)
    assert second.grace_seconds == 10, "it writes its journal and leaves"


def test_an_engine_in_quarantine_is_loud_and_fenced_and_a_change_of_the_spec_ends_it() -> None:
    cluster = made(health={"remediation": {"quarantineAfter": 1, "backoffSeconds": 1}})
    for _ in range(60):
        if cluster.engines and cluster.status.shards[0].quarantine is None:
            cluster.crash("calm-0")
            cluster.crash("calm-0")
        cluster.step()
        cluster.now += 20
    cluster.rest()
    assert condition(cluster, "Healthy") == ("False", "Quarantined")
    assert cluster.status.phase is Phase.QUARANTINED
    assert cluster.status.shards[0].health == "False: Quarantined"
    assert cluster.engines["calm-0"].document.activity is Activity.FENCE
    cluster.change(strategy=NEW)
    cluster.rest()
    assert condition(cluster, "Healthy") == ("True", "Healthy")
    assert cluster.engines["calm-0"].document.activity is Activity.TRADE


def test_memory_is_changed_in_place_and_the_rung_is_shown() -> None:
    cluster = made()
    cluster.change(engine={"resources": {"limits": {"memory": "768Mi"}}})
    cluster.rest()
    assert cluster.restarts == []
    assert cluster.pods["calm-0"].resize.memory_limit == "768Mi"
    assert cluster.status.tuning.rung == "InPlaceResize"
    assert condition(cluster, "TuningApplied") == ("True", "TuningApplied")


def test_a_live_change_is_the_lowest_rung() -> None:
    cluster = made(replicas=2)
    cluster.change(cache={"maxEntries": 7})
    cluster.rest()
    assert (cluster.restarts, cluster.status.tuning.rung) == ([], "LiveDocument")
    assert [shard.config_generation for shard in cluster.status.shards] == [2, 2]


def test_a_sick_engine_and_a_rollout_replace_no_two_pods_in_one_pass() -> None:
    cluster = made(replicas=2)
    cluster.findings["calm-1"] = FindingReason.ENGINE_SILENT
    cluster.change(strategy=NEW)
    for _ in range(10):
        restarts = len(cluster.restarts)
        cluster.step()
        assert len(cluster.restarts) <= restarts + 1
        cluster.now += 1
    assert {pod for pod, _ in cluster.restarts} == {"calm-0", "calm-1"}
