"""The brakes: each holds what it should, lets go of what it should not hold, and the first one is the one that is told."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_operator.bot_status import Decision, Effort, Quarantine, RemediationRecord
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Outcome, remediate
from tradingbot_operator.remediation.budget import draw
from tradingbot_operator.remediation.holds import HOLDS
from tradingbot_operator.world import ContainerFacts, FleetFacts

DEAD, HUNG, GONE, FULL, STUCK = "dead", "EngineSilent", "EngineGone", "MemoryHigh", "PoolExhausted"


def shard(moment: Any, plight: str, **changes: Any) -> Any:
    """Return an engine that something is to be done about, if nothing holds it back."""
    if plight == DEAD:
        return moment.shard(pod=moment.dead_pod(), **changes)
    return moment.shard(moment.finding(plight, "critical" if plight in {HUNG, GONE} else "warning"), **changes)


def look(moment: Any, plight: str, *, bot: Any = None, record: RemediationRecord | None = None, **changes: Any) -> Outcome:
    situation = {key: changes.pop(key) for key in ("fleet", "now") if key in changes}
    remedy = remediate(moment.situation(shard(moment, plight, **changes), bot=bot, record=record or RemediationRecord(), **situation))
    assert len(remedy.outcomes) == 1
    return remedy.outcomes[0]


def reason_of(outcome: Outcome) -> Reason | None:
    assert outcome.hold is not None
    assert outcome.decision is None
    return outcome.hold.reason


@pytest.mark.parametrize("plight", [DEAD, HUNG, GONE, FULL, STUCK])
def test_without_a_brake_a_step_is_taken(moment: Any, plight: str) -> None:
    outcome = look(moment, plight)
    assert outcome.hold is None
    assert outcome.decision is not None


@pytest.mark.parametrize("plight", [DEAD, HUNG, FULL])
def test_what_the_user_has_switched_off_is_off(moment: Any, plight: str) -> None:
    assert reason_of(look(moment, plight, bot=moment.bot(remediation={"mode": "Off"}))) is None
    for annotation, reason in (("skip-remediation", Reason.REMEDIATION_SKIPPED), ("paused", Reason.RECONCILE_PAUSED)):
        name = f"tradingbot.dev/{annotation}"
        assert reason_of(look(moment, plight, bot=moment.bot(annotations={name: "true"}))) is reason
        assert look(moment, plight, bot=moment.bot(annotations={name: "false"})).decision is not None


@pytest.mark.parametrize("plight", [DEAD, HUNG])
def test_an_engine_in_quarantine_is_left_alone(moment: Any, plight: str) -> None:
    outcome = look(moment, plight, quarantine=Quarantine(reason="CrashLooping", generation=1))
    assert reason_of(outcome) is Reason.QUARANTINED


@pytest.mark.parametrize(("plight", "held"), [(DEAD, False), (HUNG, False), (FULL, True), (STUCK, True)])
def test_a_roll_out_holds_only_what_trades(moment: Any, plight: str, held: bool) -> None:
    assert (look(moment, plight, rolling_out=True).hold is not None) is held


def test_a_refused_document_holds_everything(moment: Any) -> None:
    refused = moment.finding("DocumentRefused")
    for pod, findings in ((moment.dead_pod(), (refused,)), (moment.pod(), (refused, moment.finding(HUNG)))):
        remedy = remediate(moment.situation(moment.shard(*findings, pod=pod)))
        assert reason_of(remedy.outcomes[0]) is None
    # One that goes on with the last good one is no reason to hold.
    warned = moment.finding("DocumentRefused", "warning")
    assert remediate(moment.situation(moment.shard(warned, pod=moment.dead_pod()))).restart is not None


@pytest.mark.parametrize(
    ("since", "start_seconds", "held"),
    [(29.0, None, True), (30.0, None, False), (79.0, 40.0, True), (80.0, 40.0, False), (30.0, 2.0, False)],
)
@pytest.mark.parametrize("plight", [HUNG, FULL])
def test_an_engine_that_has_only_been_started_is_left_alone(
    moment: Any, plight: str, since: float, start_seconds: float | None, held: bool
) -> None:
    pod = moment.pod(engine=ContainerFacts(running_since=moment.now - since, started=True))
    assert (look(moment, plight, pod=pod, start_seconds=start_seconds).hold is not None) is held


def test_until_its_startup_probe_has_passed_an_engine_is_the_kubelets(moment: Any) -> None:
    pod = moment.pod(engine=ContainerFacts(running_since=moment.now - 1000.0, started=False))
    assert reason_of(look(moment, HUNG, pod=pod)) is None


@pytest.mark.parametrize(("plight", "needed"), [(HUNG, 10.0), (GONE, 20.0)])
def test_the_kubelet_comes_first(moment: Any, plight: str, needed: float) -> None:
    for lasts, held in ((needed - 1.0, True), (needed, False)):
        remedy = remediate(moment.situation(moment.shard(moment.finding(plight, lasts=lasts))))
        assert (remedy.outcomes[0].hold is not None) is held
        if held:
            assert remedy.recheck_seconds == 1.0


@pytest.mark.parametrize(("plight", "held"), [(DEAD, False), (HUNG, False), (FULL, True), (STUCK, True)])
def test_an_excluded_period_protects_what_trades(moment: Any, plight: str, held: bool) -> None:
    whole_day = {"start": "00:00", "end": "23:59"}
    outcome = look(moment, plight, bot=moment.bot(remediation={"excludedPeriods": [whole_day]}))
    assert (outcome.hold is not None) is held
    if held:
        assert reason_of(outcome) is Reason.EXCLUDED_PERIOD


@pytest.mark.parametrize("plight", [DEAD, HUNG, FULL])
@pytest.mark.parametrize(("unseen", "held"), [(0, False), (1, False), (2, True), (30, True)])
def test_who_has_not_seen_the_fleet_yet_does_not_act_on_its_first_sick_bot(moment: Any, plight: str, unseen: int, held: bool) -> None:
    outcome = look(moment, plight, fleet=FleetFacts(judged=1, sick=1, unseen=unseen))
    assert (outcome.hold is not None) is held


@pytest.mark.parametrize("plight", [DEAD, HUNG, FULL])
@pytest.mark.parametrize(
    ("judged", "sick", "held"), [(7, 3, True), (8, 3, False), (100, 40, False), (100, 41, True), (2, 2, False), (3, 3, True), (0, 0, False)]
)
def test_a_sick_fleet_holds_everything(moment: Any, plight: str, judged: int, sick: int, held: bool) -> None:
    outcome = look(moment, plight, fleet=FleetFacts(judged=judged, sick=sick))
    assert (outcome.hold is not None) is held
    if held:
        assert reason_of(outcome) is Reason.FLEET_SICK


@pytest.mark.parametrize(
    ("policy", "positions", "held"),
    [("Wait", 0, False), ("Wait", 1, True), ("Flatten", 1, True), ("Flatten", 0, False), ("Proceed", 1, False)],
)
def test_an_engine_that_trades_is_not_restarted_with_open_positions(moment: Any, policy: str, positions: int, held: bool) -> None:
    bot = moment.bot(lifecycle={"updatePolicy": policy})
    report = moment.report(moment.finding(STUCK, "warning"), open_positions=positions)
    outcome = look(moment, STUCK, bot=bot, report=report)
    assert (outcome.hold is not None) is held
    if held:
        assert reason_of(outcome) is Reason.WAITING_FOR_POSITIONS


def test_positions_hold_no_step_that_leaves_the_engine_running_and_none_for_a_dead_one(moment: Any) -> None:
    report = moment.report(moment.finding(FULL, "warning"), open_positions=3)
    assert look(moment, FULL, report=report).decision is not None
    assert look(moment, DEAD, report=moment.report(open_positions=3)).decision is not None


def test_open_positions_that_are_not_known_hold_like_open_ones(moment: Any, change: Any) -> None:
    report = change(moment.report(moment.finding(STUCK, "warning")), engine=None)
    assert reason_of(look(moment, STUCK, report=report)) is Reason.WAITING_FOR_POSITIONS


@pytest.mark.parametrize("plight", [DEAD, HUNG, FULL])
def test_a_spent_budget_holds_and_says_when_it_goes_on(moment: Any, plight: str) -> None:
    bot = moment.bot(remediation={"maxActions": 1, "perSeconds": 600})
    record = RemediationRecord(budget=draw(None, bot.spec.health.remediation, moment.now - 100.0))
    outcome = look(moment, plight, bot=bot, record=record)
    assert reason_of(outcome) is Reason.BUDGET_SPENT
    assert outcome.hold is not None
    assert outcome.hold.seconds == 500.0


@pytest.mark.parametrize(("failures", "pause"), [(0, 0.0), (1, 20.0), (2, 60.0), (3, 120.0), (4, 200.0)])
def test_the_pause_grows_with_the_steps_that_did_not_help(moment: Any, failures: int, pause: float) -> None:
    for ago, held in ((pause - 1.0, True), (pause, False)):
        effort = Effort(shard="calm-0", failures=failures, at=moment.ago(max(0.0, ago)))
        outcome = look(moment, DEAD, record=RemediationRecord(efforts=[effort]))
        assert (outcome.hold is not None) is (held and failures > 0)


def test_the_unit_of_the_pause_is_the_users(moment: Any) -> None:
    effort = Effort(shard="calm-0", failures=2, at=moment.ago(7.0))
    for unit, held in ((1, False), (2, True)):
        bot = moment.bot(remediation={"backoffSeconds": unit})
        assert (look(moment, DEAD, bot=bot, record=RemediationRecord(efforts=[effort])).hold is not None) is held


def test_a_step_in_flight_holds_the_next_of_any_engine_of_the_bot(moment: Any) -> None:
    pending = Decision(time=moment.ago(5.0), action="RestartPod", reason="EngineSilent", shard="calm-1", pod="calm-1", pod_uid="pod-2")
    shards = (shard(moment, DEAD), moment.shard(pod=moment.pod(name="calm-1", uid="pod-2")))
    remedy = remediate(moment.situation(*shards, record=RemediationRecord(history=[pending])))
    assert remedy.restart is None
    assert remedy.outcomes[0].hold is not None
    assert "in flight" in remedy.outcomes[0].hold.message
    # A shard that is no more does not hold the others for ever.
    remedy = remediate(moment.situation(shards[0], record=RemediationRecord(history=[pending])))
    assert remedy.restart is not None


def test_the_brakes_are_in_the_order_of_the_specification() -> None:
    assert [check.__name__ for check in HOLDS] == [
        "mode_is_off",
        "is_skipped",
        "is_paused",
        "is_quarantined",
        "rolls_out",
        "document_refused",
        "nothing_is_left",
        "stabilises",
        "kubelet_is_first",
        "is_excluded",
        "fleet_is_unseen",
        "fleet_is_sick",
        "positions_are_open",
        "budget_is_spent",
        "backs_off",
        "one_at_a_time",
    ]
