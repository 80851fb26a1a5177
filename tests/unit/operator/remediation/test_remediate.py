"""The whole of remediation: what it answers, and what holds whatever it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingbot_contract.report import EngineState, FindingReason
from tradingbot_operator.bot_status import (
    HISTORY_LENGTH,
    Adjustment,
    Decision,
    Effort,
    Quarantine,
    RemediationRecord,
    parse_status,
    render_status,
)
from tradingbot_operator.bot_status import TradingBotStatus as Status
from tradingbot_operator.operations import RemediationMode
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import DELETING, PLIGHTS, Plight, Situation, Step, remediate
from tradingbot_operator.world import ContainerFacts, FleetFacts

Make = Callable[..., Any]
FAILED, KILLED, OUT_OF_MEMORY = 1, 137, -1


def test_a_bot_that_is_well_has_a_full_budget_and_nothing_else(moment: Any) -> None:
    remedy = remediate(moment.situation())
    assert (remedy.outcomes, remedy.restart, remedy.judged) == ((), None, ())
    assert remedy.adjustments == {"calm-0": None}
    assert remedy.quarantines == {"calm-0": None}
    assert remedy.recheck_seconds == float("inf")
    assert remedy.record.history == []
    assert remedy.record.budget is not None
    assert remedy.record.budget.remaining == 12


def test_a_decision_says_what_was_known(moment: Any) -> None:
    remedy = remediate(moment.situation(moment.shard(pod=moment.dead_pod())))
    assert remedy.restart is not None
    decision = remedy.restart.decision
    assert decision is not None
    assert (decision.action, decision.reason, decision.shard, decision.pod, decision.pod_uid, decision.result) == (
        *("RestartPod", "CrashLooping", "calm-0", "calm-0", "pod-1"),
        "",
    )
    assert decision.time == moment.ago(0)
    for known in ("died 2 times in pod calm-0", "exit code 1", "64Mi of 512Mi", "budget 12.00 of 12", "fleet 1 sick of 10"):
        assert known in decision.inputs
    assert remedy.record.history == [decision]
    assert remedy.record.budget is not None
    assert remedy.record.budget.remaining == 11


def test_a_step_in_place_deletes_no_pod(moment: Any) -> None:
    bot = moment.bot(remediation={"memoryCeiling": "1Gi"})
    remedy = remediate(moment.situation(moment.shard(pod=moment.dead_pod(OUT_OF_MEMORY)), bot=bot))
    assert remedy.restart is None
    assert remedy.adjustments == {"calm-0": Adjustment(memory_limit="615Mi", since=moment.ago(0))}


def test_an_engine_that_was_killed_for_its_memory_and_is_restarted_counts_as_one_that_dies(moment: Any) -> None:
    effort = Effort(shard="calm-0", steps=["ShrinkCaches"], at=moment.ago(100))
    remedy = remediate(moment.situation(moment.shard(pod=moment.dead_pod(OUT_OF_MEMORY)), record=RemediationRecord(efforts=[effort])))
    assert remedy.restart is not None
    assert remedy.restart.cause.reason is Reason.CRASH_LOOPING


def test_quarantine_remembers_what_a_person_has_to_change(moment: Any) -> None:
    effort = Effort(shard="calm-0", failures=5, restarts=5, steps=["RestartPod", "RecreateElsewhere"], at=moment.ago(3000))
    bot = moment.bot(generation=7, annotations={"tradingbot.dev/restart": "monday"})
    situation = moment.situation(moment.shard(pod=moment.dead_pod()), bot=bot, record=RemediationRecord(efforts=[effort]))
    remedy = remediate(situation)
    quarantine = remedy.quarantines["calm-0"]
    assert quarantine is not None
    assert (quarantine.reason, quarantine.generation, quarantine.restart, quarantine.since) == ("CrashLooping", 7, "monday", moment.ago(0))
    assert "tradingbot.dev/restart" in quarantine.message
    assert remedy.restart is not None, "its pod goes, so that the next one comes up fenced"


def test_the_worst_off_engine_comes_first(moment: Any) -> None:
    full = moment.shard(moment.finding("MemoryHigh", "warning"), name="calm-0", pod=moment.pod(name="calm-0"))
    silent = moment.shard(moment.finding("EngineSilent"), name="calm-1", pod=moment.pod(name="calm-1", uid="pod-2"))
    dead = moment.shard(name="calm-2", pod=moment.dead_pod(name="calm-2", uid="pod-3"))
    remedy = remediate(moment.situation(full, silent, dead))
    assert [outcome.shard for outcome in remedy.outcomes] == ["calm-0", "calm-1", "calm-2"]
    assert [outcome.shard for outcome in remedy.outcomes if outcome.decision] == ["calm-2"]
    assert all("calm-2 comes first" in outcome.hold.message for outcome in remedy.outcomes if outcome.hold)


def test_a_restart_that_was_decided_and_not_carried_out_is_carried_out_and_costs_nothing_more(moment: Any) -> None:
    dead = moment.shard(pod=moment.dead_pod())
    record = remediate(moment.situation(dead)).record
    for seconds, is_due in ((0.0, False), (1.0, False), (2.0, True), (59.0, True)):
        later = remediate(moment.situation(dead, record=record, now=moment.now + seconds))
        assert (later.restart is not None) is is_due
        assert later.record == record
        assert taken(later) == []
        if later.restart is not None:
            assert later.restart.decision == record.history[0]
            assert later.restart.cause.reason is Reason.CRASH_LOOPING
    at = moment.now + 5.0
    for other in (
        moment.dead_pod(uid="pod-2"),  # it was carried out
        moment.dead_pod(terminating=True),  # it is being carried out
        moment.pod(),  # the engine is up again
    ):
        assert remediate(moment.situation(moment.shard(pod=other), record=record, now=at)).restart is None
    skipped = moment.bot(annotations={"tradingbot.dev/skip-remediation": "true"})
    for bot in (skipped, moment.bot(remediation={"mode": "DryRun"}), moment.bot(remediation={"mode": "Off"})):
        assert remediate(moment.situation(dead, record=record, now=at, bot=bot)).restart is None
    assert remediate(moment.situation(dead, record=record, now=at, fleet=FleetFacts(judged=3, sick=3))).restart is None


def test_what_was_tried_for_a_shard_that_is_no_more_is_forgotten(moment: Any) -> None:
    efforts = [Effort(shard="calm-0", failures=1, at=moment.ago(5)), Effort(shard="calm-9", failures=1, at=moment.ago(5))]
    remedy = remediate(moment.situation(record=RemediationRecord(efforts=efforts)))
    assert remedy.record.efforts == efforts[:1]


def test_the_history_keeps_the_last_ten(moment: Any) -> None:
    past = [Decision(time=moment.ago(9000 - n), action="RestartPod", reason="EngineSilent", result="Helped") for n in range(10)]
    remedy = remediate(moment.situation(moment.shard(pod=moment.dead_pod()), record=RemediationRecord(history=past)))
    assert remedy.record.history[:-1] == past[1:]
    assert len(remedy.record.history) == HISTORY_LENGTH


# What holds for every situation


@st.composite
def situations(draw: Any, moment: Any, *, unheard: bool | None = None, mode: str | None = None, sick: bool = False) -> Any:
    """Return any situation: pods in every state, any findings, any memory of the past."""
    bot = moment.bot(
        generation=draw(st.integers(1, 2)),
        remediation={
            "mode": mode or draw(st.sampled_from(["On", "On", "On", "DryRun", "Off"])),
            "maxActions": draw(st.integers(1, 12)),
            "quarantineAfter": draw(st.integers(1, 5)),
        }
        | draw(st.sampled_from([{}, {"memoryCeiling": "1Gi"}])),
        lifecycle={"updatePolicy": draw(st.sampled_from(["Wait", "Proceed", "Flatten"]))},
        annotations=draw(st.sampled_from([{}, {}, {"tradingbot.dev/paused": "true"}, {"tradingbot.dev/skip-remediation": "true"}])),
        market={"symbols": ["AAPL", "MSFT", "GOOG"]},
    )
    names = [f"calm-{number}" for number in range(draw(st.integers(1, 3)))]
    decisions = st.builds(
        Decision,
        time=st.integers(0, 4000).map(moment.ago),
        action=st.sampled_from([*(step.value for step in Step), "DryRun"]),
        reason=st.sampled_from([reason.value for reason in PLIGHTS]),
        shard=st.sampled_from(names),
        pod_uid=st.sampled_from(["old", "pod-1"]),
        result=st.sampled_from(["", "Helped", "DidNotHelp"]),
    )
    efforts = [
        Effort(
            shard=name,
            failures=draw(st.integers(0, 6)),
            restarts=draw(st.integers(0, 6)),
            steps=draw(st.lists(st.sampled_from([step.value for step in Step]), unique=True)),
            at=moment.ago(draw(st.integers(0, 4000))),
            helped=draw(st.booleans()),
            answered=draw(st.sampled_from(["", "c1"])),
        )
        for name in names
        if draw(st.booleans())
    ]
    return moment.situation(
        *(draw(_shards(moment, name, unheard)) for name in names),
        bot=bot,
        record=RemediationRecord(history=draw(st.lists(decisions, max_size=HISTORY_LENGTH)), efforts=efforts),
        fleet=FleetFacts(judged=5, sick=3) if sick else FleetFacts(judged=draw(st.integers(5, 9)), sick=draw(st.integers(0, 3))),
    )


@st.composite
def _shards(draw: Any, moment: Any, name: str, unheard: bool | None) -> Any:
    runs = draw(st.booleans())
    codes = st.sampled_from([FAILED, KILLED, OUT_OF_MEMORY])
    engine = ContainerFacts(
        running_since=moment.now - draw(st.integers(0, 4000)) if runs else None,
        started=draw(st.booleans()),
        waiting_reason="" if runs or unheard else draw(st.sampled_from(["", "CrashLoopBackOff", "ContainerCreating"])),
        restarts=draw(st.integers(0, 3)),
        # Where only Unknown is asked for, the kubelet knows of no death either.
        exit=None if unheard else draw(st.none() | codes.map(lambda code: moment.exit(code, "c1"))),
    )
    pod = moment.pod(
        name=name,
        uid=draw(st.sampled_from(["pod-1", "old"])),
        ready=draw(st.booleans()),
        terminating=draw(st.integers(0, 9)) == 0,
        engine=engine,
        ready_since=moment.now - draw(st.integers(0, 4000)),
    )
    severities = st.sampled_from(["critical", "warning"])
    reasons = draw(st.lists(st.sampled_from([reason.value for reason in FindingReason]), unique=True, max_size=4))
    report = moment.report(
        *(moment.finding(reason, draw(severities), lasts=draw(st.integers(0, 300))) for reason in reasons),
        state=draw(st.sampled_from(EngineState)),
        open_positions=draw(st.integers(0, 1)),
    )
    return moment.shard(
        name=name,
        pod=pod,
        report=report,
        unheard=draw(st.booleans()) if unheard is None else unheard,
        rolling_out=draw(st.booleans()),
        start_seconds=draw(st.none() | st.floats(0.0, 60.0)),
        adjustment=draw(st.none() | st.just(Adjustment(cache_percent=50, since=moment.ago(4000)))),
        quarantine=draw(st.none() | st.just(Quarantine(reason="CrashLooping", generation=1))),
    )


def switched_off(before: Situation) -> Situation:
    """Return the same situation of a bot whose remediation is off."""
    spec, change = before.bot.spec, msgspec.structs.replace
    health = change(spec.health, remediation=change(spec.health.remediation, mode=RemediationMode.OFF))
    return change(before, bot=change(before.bot, spec=change(spec, health=health)))


def taken(remedy: Any) -> list[Decision]:
    return [outcome.decision for outcome in remedy.outcomes if outcome.decision]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_is_deterministic_and_a_second_look_decides_nothing_and_writes_nothing(moment: Any, data: st.DataObject) -> None:
    before = data.draw(situations(moment))
    remedy = remediate(before)
    assert remediate(before) == remedy
    after = moment.take_over(before, remedy)
    again = remediate(after)
    assert taken(again) == []
    # An earlier step that was not carried out is, until its pod is gone; one of now is left to who decided it.
    assert again.restart == (None if taken(remedy) else remedy.restart)
    assert (again.record, again.adjustments, again.quarantines) == (remedy.record, remedy.adjustments, remedy.quarantines)
    # What is written is what is read.
    assert parse_status(render_status(Status(remediation=remedy.record))).remediation == remedy.record


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_step_at_most_and_none_while_one_is_in_flight(moment: Any, data: st.DataObject) -> None:
    before = data.draw(situations(moment))
    remedy = remediate(before)
    steps = taken(remedy)
    assert len(steps) <= 1
    if any(step.action in DELETING for step in steps):
        assert remedy.restart is not None
        assert remedy.restart.decision == steps[0]
    elif remedy.restart is not None:
        # Not a new one, but one that was written down before and not carried out.
        assert remedy.restart.decision in before.record.history
    in_flight = [step for step in remedy.record.history if step.action != "DryRun"][-1:]
    if steps and steps[0].action != "DryRun":
        assert in_flight == steps
        earlier = [step for step in remedy.record.history[:-1] if step.action != "DryRun"][-1:]
        assert all(step.result for step in earlier)
    assert all((outcome.hold is None) is (outcome.decision is not None) for outcome in remedy.outcomes)
    assert all(len(step.inputs) <= 1024 for step in steps)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_is_not_known_never_leads_to_a_step(moment: Any, data: st.DataObject) -> None:
    remedy = remediate(data.draw(situations(moment, unheard=True)))
    assert remedy.outcomes == ()
    assert remedy.restart is None


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_nothing_is_done_while_the_fleet_is_sick(moment: Any, data: st.DataObject) -> None:
    remedy = remediate(data.draw(situations(moment, sick=True)))
    assert taken(remedy) == []
    assert remedy.restart is None


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_dry_run_changes_nothing_but_the_record(moment: Any, data: st.DataObject) -> None:
    before = data.draw(situations(moment, mode="DryRun"))
    off = remediate(switched_off(before))
    remedy = remediate(before)
    assert remedy.restart is None
    assert (remedy.adjustments, remedy.quarantines, remedy.record.efforts) == (off.adjustments, off.quarantines, off.record.efforts)
    assert all(step.action == "DryRun" and step.step for step in taken(remedy))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_off_a_pause_and_a_quarantine_hold_in_every_situation(moment: Any, data: st.DataObject) -> None:
    before = data.draw(situations(moment))
    remedy = remediate(before)
    held = before.rules.mode.value == "Off" or before.bot.metadata.annotations
    in_quarantine = {shard.name for shard in before.shards if shard.before.quarantine and before.bot.metadata.generation == 1}
    assert not (held and taken(remedy))
    assert not in_quarantine & {step.shard for step in taken(remedy)}


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_an_engine_that_trades_is_restarted_only_when_that_disturbs_nothing(moment: Any, data: st.DataObject) -> None:
    before = data.draw(situations(moment))
    restart = remediate(before).restart
    # One that was decided before and not carried out is held by the same.
    if restart is None or PLIGHTS[restart.cause.reason] is not Plight.ALIVE:
        return
    shard = next(shard for shard in before.shards if shard.name == restart.shard)
    assert not shard.rolling_out
    assert shard.view.report is not None
    assert shard.view.report.engine is not None
    policy = before.bot.spec.lifecycle.update_policy.value
    assert policy == "Proceed" or shard.view.report.engine.open_positions == 0


@settings(max_examples=10, deadline=None)
@given(fates=st.lists(st.tuples(st.integers(1, 60), st.sampled_from([FAILED, KILLED, OUT_OF_MEMORY])), min_size=1, max_size=60))
def test_no_course_of_deaths_exceeds_the_budget_or_leaves_an_engine_down_for_good(
    make_engine: Make, make_ward: Make, moment: Any, fates: list[tuple[int, int]]
) -> None:
    left = list(fates)

    def fate(engine: Any) -> int | None:
        if left and not engine.quarantine and engine.age >= left[0][0]:
            return left.pop(0)[1]
        return None

    bot = moment.bot(remediation={"maxActions": 4, "perSeconds": 600, "memoryCeiling": "1Gi"})
    engine = make_engine(fate=fate)
    ward = make_ward([engine], bot=bot)
    ward.pass_seconds(1800)
    assert len(ward.steps) <= 4 + 1800 * 4 / 600
    # When nobody kills it any more, it is up: trading, or fenced.
    assert engine.is_up or left
