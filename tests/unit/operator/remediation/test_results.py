"""Did the step help? And what follows for the count of those that did not."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.report import EngineState
from tradingbot_operator.bot_status import Decision, Effort, Quarantine, RemediationRecord
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Remedy, remediate
from tradingbot_operator.world import ContainerFacts

FAILED, KILLED, OUT_OF_MEMORY = 1, 137, -1


def judged(
    moment: Any, shard: Any, *, action: str = "RestartPod", reason: str = "CrashLooping", ago: float = 30.0, **effort: Any
) -> Remedy:
    """Return what is made of a step that was taken a while ago on the pod `old`, or in place on `pod-1`."""
    uid = "old" if action in {"RestartPod", "RecreateElsewhere", "Quarantine"} else "pod-1"
    decision = Decision(time=moment.ago(ago), action=action, reason=reason, shard="calm-0", pod="calm-0", pod_uid=uid)
    tried = Effort(**({"shard": "calm-0", "steps": [action], "at": moment.ago(ago), "answered": "c1"} | effort))
    return remediate(moment.situation(shard, record=RemediationRecord(history=[decision], efforts=[tried])))


def up_for(moment: Any, seconds: float, **changes: Any) -> Any:
    since = moment.now - seconds
    return moment.pod(**({"ready_since": since, "engine": ContainerFacts(running_since=since - 2.0, started=True)} | changes))


def died(moment: Any, code: int, container: str = "c9", *, ran_seconds: float = 5.0) -> Any:
    engine = ContainerFacts(waiting_reason="CrashLoopBackOff", restarts=1, exit=moment.exit(code, container), ran_seconds=ran_seconds)
    return moment.pod(ready=False, ready_since=None, engine=engine)


def result_of(remedy: Remedy) -> str:
    assert remedy.judged == (() if not remedy.record.history[0].result else (Reason(remedy.record.history[0].result),))
    return remedy.record.history[0].result


@pytest.mark.parametrize(("seconds", "expected"), [(9.0, ""), (10.0, "Helped")])
def test_a_dead_engine_is_helped_once_it_has_traded_for_a_while(moment: Any, seconds: float, expected: str) -> None:
    assert result_of(judged(moment, moment.shard(pod=up_for(moment, seconds)))) == expected


@pytest.mark.parametrize(
    ("code", "ran_seconds", "expected"),
    [
        (KILLED, 1.0, "Helped"),
        (KILLED, 4.0, "Helped"),
        (KILLED, 5.0, "DidNotHelp"),
        (FAILED, 1.0, "DidNotHelp"),
        (OUT_OF_MEMORY, 1.0, "DidNotHelp"),
    ],
)
def test_one_that_was_killed_before_anybody_could_look_is_no_failure(moment: Any, code: int, ran_seconds: float, expected: str) -> None:
    remedy = judged(moment, moment.shard(pod=died(moment, code, ran_seconds=ran_seconds), unheard=True))
    assert remedy.record.history[0].result == expected


@pytest.mark.parametrize("state", ["Starting", "Refused", "Stopping", "Fenced"])
def test_an_engine_that_is_up_and_does_not_trade_is_not_helped(moment: Any, state: str) -> None:
    report = moment.report(state=EngineState(state))
    shard = moment.shard(pod=up_for(moment, 50.0), report=report)
    assert result_of(judged(moment, shard, ago=59.0)) == ""
    assert result_of(judged(moment, shard, ago=60.0)) == "DidNotHelp"


@pytest.mark.parametrize("pod", ["none", "old", "terminating", "unready"])
@pytest.mark.parametrize(("start_seconds", "limit"), [(None, 60.0), (5.0, 60.0), (40.0, 120.0)])
def test_an_engine_that_does_not_come_up_in_time_is_not_helped(
    moment: Any, change: Any, pod: str, start_seconds: float | None, limit: float
) -> None:
    pods = {"none": None, "old": moment.pod(uid="old"), "terminating": moment.pod(terminating=True), "unready": moment.pod(ready=False)}
    shard = change(moment.shard(unheard=True, start_seconds=start_seconds), pod=pods[pod])
    assert result_of(judged(moment, shard, ago=limit - 1.0)) == ""
    assert result_of(judged(moment, shard, ago=limit)) == "DidNotHelp"


def test_a_pod_that_the_kubelet_calls_ready_will_do_where_the_observer_is_not_heard(moment: Any) -> None:
    assert result_of(judged(moment, moment.shard(pod=up_for(moment, 20.0), unheard=True))) == "Helped"


@pytest.mark.parametrize(
    ("code", "bars", "expected"),
    [
        pytest.param(KILLED, 5, "Helped", id="it traded, and somebody killed it"),
        pytest.param(KILLED, 0, "DidNotHelp", id="it was killed before it traded"),
        pytest.param(FAILED, 5, "DidNotHelp", id="it traded, and ended by itself"),
        pytest.param(OUT_OF_MEMORY, 5, "DidNotHelp", id="it traded, and needed too much memory"),
    ],
)
def test_an_engine_that_is_dead_again_is_judged_at_once_by_how_it_died(moment: Any, code: int, bars: int, expected: str) -> None:
    report = moment.report(bars_this_run=bars, started_at=moment.now - 5.0)
    shard = moment.shard(pod=died(moment, code), report=report)
    remedy = judged(moment, shard, ago=3.0)
    assert result_of(remedy) == expected
    # Who was helped and killed is restarted at once; who was not waits.
    assert (remedy.restart is not None) is (expected == "Helped")
    assert remedy.record.efforts[0].failures == (0 if expected == "Helped" else 1)
    assert remedy.record.efforts[0].answered == "c9"


def test_an_engine_that_was_seen_ready_has_come_up_although_its_observer_was_not_heard_in_time(moment: Any) -> None:
    for ready, expected in ((True, "Helped"), (False, "DidNotHelp")):
        shard = moment.shard(pod=died(moment, KILLED), unheard=True, ready=ready, pod_uid="pod-1")
        assert result_of(judged(moment, shard, ago=3.0)) == expected


def test_the_first_death_in_a_new_pod_is_the_kubelets_and_not_judged(moment: Any) -> None:
    engine = ContainerFacts(restarts=0, exit=moment.exit(FAILED, "c9"))
    assert result_of(judged(moment, moment.shard(pod=moment.pod(ready=False, engine=engine)))) == ""


def test_more_memory_helped_unless_the_kernel_kills_it_again(moment: Any) -> None:
    for container, expected in (("c1", "Helped"), ("c2", "DidNotHelp")):
        engine = ContainerFacts(running_since=moment.now - 20.0, started=True, restarts=2, exit=moment.exit(OUT_OF_MEMORY, container))
        shard = moment.shard(pod=moment.pod(engine=engine))
        assert result_of(judged(moment, shard, action="GrowMemory", reason="OOMKilled")) == expected


@pytest.mark.parametrize("reason", ["MemoryHigh", "PoolExhausted"])
@pytest.mark.parametrize(
    ("is_found", "ago", "expected"),
    [(False, 59.0, ""), (False, 60.0, "Helped"), (True, 179.0, ""), (True, 180.0, "DidNotHelp")],
)
def test_an_engine_that_trades_badly_has_some_samples_of_time(moment: Any, reason: str, is_found: bool, ago: float, expected: str) -> None:
    findings = (moment.finding(reason, "warning", lasts=30.0),) if is_found else ()
    assert result_of(judged(moment, moment.shard(*findings), action="ShrinkCaches", reason=reason, ago=ago)) == expected


def test_what_is_not_known_does_not_count_as_relief(moment: Any) -> None:
    assert result_of(judged(moment, moment.shard(unheard=True), action="ShrinkCaches", reason="MemoryHigh", ago=100.0)) == ""
    assert result_of(judged(moment, moment.shard(unheard=True), action="ShrinkCaches", reason="MemoryHigh", ago=180.0)) == "DidNotHelp"


def test_a_quarantine_helped_when_the_engine_is_up_and_fenced(moment: Any) -> None:
    quarantine = Quarantine(reason="CrashLooping", generation=1)
    fenced = moment.report(state=EngineState.FENCED)
    shard = moment.shard(pod=up_for(moment, 15.0, ready=False), report=fenced, quarantine=quarantine)
    assert result_of(judged(moment, shard, action="Quarantine")) == "Helped"
    trades = moment.shard(pod=up_for(moment, 15.0), quarantine=quarantine)
    assert result_of(judged(moment, trades, action="Quarantine")) == ""
    # One that a person has ended is not waited for.
    assert result_of(judged(moment, moment.shard(pod=up_for(moment, 15.0)), action="Quarantine")) == "DidNotHelp"


@pytest.mark.parametrize(("action", "restarts"), [("RestartPod", 3), ("RecreateElsewhere", 3), ("GrowMemory", 2)])
def test_only_restarts_count_towards_quarantine(moment: Any, action: str, restarts: int) -> None:
    shard = moment.shard(pod=died(moment, FAILED))
    remedy = judged(moment, shard, action=action, ago=3.0, failures=4, restarts=2)
    effort = remedy.record.efforts[0]
    assert (effort.failures, effort.restarts) == (5, restarts)


@pytest.mark.parametrize(
    ("code", "ago", "failures"),
    [
        pytest.param(FAILED, 599.0, 3, id="it ended by itself again, soon"),
        pytest.param(OUT_OF_MEMORY, 599.0, 3, id="it was killed for its memory again, soon"),
        pytest.param(FAILED, 601.0, 0, id="that is long ago"),
        pytest.param(KILLED, 30.0, 0, id="somebody killed it"),
    ],
)
def test_a_step_that_helped_is_taken_back_when_the_engine_ends_by_itself_soon(moment: Any, code: int, ago: float, failures: int) -> None:
    effort = Effort(shard="calm-0", failures=2, restarts=2, steps=["RestartPod"], at=moment.ago(ago), helped=True, answered="c1")
    shard = moment.shard(pod=died(moment, code))
    # It is told apart once, and not once more with each look.
    bot = moment.bot(remediation={"mode": "Off"})
    record = RemediationRecord(efforts=[effort])
    for _ in range(3):
        record = remediate(moment.situation(shard, bot=bot, record=record)).record
        assert (record.efforts[0].failures, record.efforts[0].restarts, record.efforts[0].helped) == (failures, failures, False)


def test_an_engine_that_came_up_in_a_pause_and_was_killed_from_outside_is_restarted_at_once(moment: Any) -> None:
    effort = Effort(shard="calm-0", failures=4, restarts=4, steps=["RestartPod"], at=moment.ago(30.0), answered="c1")
    for bars, code, at_once in ((5, KILLED, True), (0, KILLED, False), (5, FAILED, False)):
        report = moment.report(bars_this_run=bars, started_at=moment.now - 5.0)
        shard = moment.shard(pod=died(moment, code), report=report)
        remedy = remediate(moment.situation(shard, record=RemediationRecord(efforts=[effort])))
        assert (remedy.restart is not None) is at_once


def test_a_result_stands_in_the_history_of_its_step_only(moment: Any) -> None:
    older = Decision(time=moment.ago(900.0), action="RestartPod", reason="EngineSilent", shard="calm-0", result="DidNotHelp")
    rehearsed = Decision(time=moment.ago(20.0), action="DryRun", step="RestartPod", reason="EngineSilent", shard="calm-0")
    step = Decision(time=moment.ago(30.0), action="RestartPod", reason="CrashLooping", shard="calm-0", pod_uid="old")
    record = RemediationRecord(history=[older, step, rehearsed])
    remedy = remediate(moment.situation(moment.shard(pod=up_for(moment, 20.0)), record=record))
    assert [decision.result for decision in remedy.record.history] == ["DidNotHelp", "Helped", ""]
