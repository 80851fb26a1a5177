"""What is done about a sick engine is written down first, told of, and counted."""

from __future__ import annotations

import msgspec
import pytest
from plan_worlds import SETTINGS, Make, conditions, engine_of, settled

from tradingbot_contract.report import Finding, FindingReason, Severity
from tradingbot_operator.actions import RestartPod
from tradingbot_operator.bot_status import EngineExit, Phase
from tradingbot_operator.plan import plan
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import RESTART
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import ContainerFacts, FleetFacts, ReportView, World

TREATED = {FindingReason.ENGINE_SILENT, FindingReason.ENGINE_GONE, FindingReason.MEMORY_HIGH, FindingReason.POOL_EXHAUSTED}


def with_finding(world: World, reason: FindingReason, severity: Severity) -> dict[str, ReportView]:
    """Return the reports of a world with one finding."""
    report = world.reports["pod-1"].report
    assert report is not None
    return {"pod-1": ReportView(report=msgspec.structs.replace(report, findings=(Finding(reason, severity, "found", since=0.0),)))}


@pytest.mark.parametrize("reason", sorted(set(FindingReason) - TREATED, key=str))
@pytest.mark.parametrize("severity", Severity)
def test_what_no_step_would_help_is_left_alone(make_world: Make, reason: FindingReason, severity: Severity) -> None:
    world = make_world()
    made = plan(msgspec.structs.replace(world, reports=with_finding(world, reason, severity)), SETTINGS)
    assert made.actions == ()
    if severity is Severity.CRITICAL:
        assert conditions(made.status)["Healthy"] == ("False", reason.value)


def test_a_death_is_told_of_once(make_world: Make, make_pod: Make, now: float) -> None:
    world = settled(make_world())
    died = EngineExit(container_id="c1", reason="OOMKilled", exit_code=137)
    pod = make_pod(engine=ContainerFacts(restarts=1, running_since=now - 5, started=True, exit=died))
    after = msgspec.structs.replace(world, pods=(pod,))
    made = plan(after, SETTINGS)
    assert made.status is not None
    assert (made.status.restarts, made.status.shards[0].last_restart_reason) == (1, "OOMKilled")
    assert [notice.reason for notice in made.notices] == [Reason.OOM_KILLED]
    assert plan(settled(after), SETTINGS).notices == ()
    # The next one, of the same kind, is told of again.
    twice = make_pod(engine=ContainerFacts(restarts=2, running_since=now, exit=msgspec.structs.replace(died, container_id="c2")))
    made = plan(msgspec.structs.replace(settled(after), pods=(twice,)), SETTINGS)
    assert made.status is not None
    assert made.status.restarts == 2
    assert [notice.reason for notice in made.notices] == [Reason.OOM_KILLED]


def test_a_death_of_which_the_kubelet_knows_no_more_is_told_of_all_the_same(make_world: Make, make_pod: Make, now: float) -> None:
    world = settled(make_world())
    after = msgspec.structs.replace(world, pods=(make_pod(engine=ContainerFacts(restarts=1, running_since=now - 5, started=True)),))
    made = plan(after, SETTINGS)
    assert made.status is not None
    assert (made.status.restarts, made.status.shards[0].last_restart_reason) == (1, "ExitUnknown")
    assert [notice.reason for notice in made.notices] == [Reason.EXIT_UNKNOWN]
    assert plan(settled(after), SETTINGS).notices == ()
    # It is told of the next one as well, and how that one ended.
    died = EngineExit(container_id="c2", reason="EngineExited", exit_code=1)
    twice = make_pod(engine=ContainerFacts(restarts=2, running_since=now, started=True, exit=died))
    made = plan(msgspec.structs.replace(settled(after), pods=(twice,)), SETTINGS)
    assert made.status is not None
    assert (made.status.restarts, made.status.shards[0].last_restart_reason) == (2, "EngineExited")
    assert [notice.reason for notice in made.notices] == [Reason.ENGINE_EXITED]


def test_a_death_and_what_is_done_about_it_are_both_told_of(make_world: Make, make_bot: Make, make_pod: Make, now: float) -> None:
    world = settled(make_world(bot=make_bot(health={"remediation": {"memoryCeiling": "1Gi"}})))
    died = EngineExit(container_id="c1", reason="OOMKilled", exit_code=137, finished_at=format_time(now - 2))
    pod = make_pod(engine=ContainerFacts(restarts=1, running_since=now - 1, started=True, exit=died))
    made = plan(msgspec.structs.replace(world, pods=(pod,)), SETTINGS)
    (notice,) = (notice for notice in made.notices if notice.reason is Reason.OOM_KILLED)
    assert "ended with exit code 137" in notice.message
    assert "memory limit" in notice.message
    assert made.status is not None
    assert made.status.remediation.history[-1].action == "GrowMemory"


def test_restarts_add_up_over_pods(make_world: Make, make_pod: Make, make_report: Make, make_finding: Make) -> None:
    world = settled(make_world(pods=(make_pod(engine=ContainerFacts(restarts=2, running_since=0.0, started=True)),)))
    assert world.status.restarts == 2, "they happened while no operator looked"
    silent = msgspec.structs.replace(world, reports={"pod-1": ReportView(report=make_report(make_finding(FindingReason.ENGINE_SILENT)))})
    made = plan(silent, SETTINGS)
    assert [type(action) for action in made.actions] == [RestartPod]
    assert made.status is not None
    replaced = msgspec.structs.replace(silent, status=made.status, pods=(make_pod(uid="pod-2"),), reports={})
    after = plan(replaced, SETTINGS).status
    assert after is not None
    assert (after.restarts, after.shards[0].last_restart_reason) == (3, "EngineSilent")


def test_the_decision_is_in_the_status_of_the_plan_that_restarts(make_world: Make, make_report: Make, make_finding: Make) -> None:
    made = plan(make_world(report=make_report(make_finding(FindingReason.ENGINE_SILENT))), SETTINGS)
    assert made.actions == (RestartPod("calm-0", "pod-1", 1, Reason.ENGINE_SILENT),)
    assert made.status is not None
    (decision,) = made.status.remediation.history
    assert (decision.action, decision.reason) == (RESTART, "EngineSilent")
    assert made.status.remediation.budget is not None
    assert made.status.remediation.budget.remaining == 11
    (notice,) = [notice for notice in made.notices if notice.reason is Reason.ENGINE_SILENT]
    assert "recreates pod calm-0" in notice.message


def test_a_dry_run_is_told_of_and_does_nothing(make_world: Make, make_bot: Make, make_report: Make, make_finding: Make) -> None:
    bot = make_bot(health={"remediation": {"mode": "DryRun"}})
    made = plan(make_world(bot=bot, report=make_report(make_finding(FindingReason.ENGINE_SILENT))), SETTINGS)
    assert made.actions == ()
    assert made.status is not None
    assert [decision.action for decision in made.status.remediation.history] == ["DryRun"]
    assert any("dry run" in notice.message for notice in made.notices)


def test_a_pass_says_whether_the_bot_is_judged_and_sick(make_world: Make, make_report: Make, make_finding: Make) -> None:
    well, unknown = make_world(), make_world(reports={"pod-1": ReportView(missing=Reason.OBSERVER_UNREACHABLE)})
    sick = make_world(report=make_report(make_finding(FindingReason.ENGINE_SILENT)))
    told = [plan(world, SETTINGS).tally for world in (well, unknown, sick)]
    assert [(tally.judged, tally.sick) for tally in told] == [(True, False), (False, False), (True, True)]
    assert [decision.action for decision in told[2].decisions] == [RESTART]


def test_what_holds_a_step_back_is_told_of_once(make_world: Make, make_report: Make, make_finding: Make) -> None:
    world = make_world(report=make_report(make_finding(FindingReason.ENGINE_SILENT)), fleet=FleetFacts(judged=10, sick=9))
    made = plan(world, SETTINGS)
    assert made.actions == ()
    assert Reason.FLEET_SICK in {notice.reason for notice in made.notices}
    assert made.tally.held == (Reason.FLEET_SICK,)
    again = plan(msgspec.structs.replace(world, status=made.status), SETTINGS)
    assert (again.status, again.notices, again.tally.held) == (None, (), ())
    # Who looks at the bot's series, or starts anew, still has to see it.
    assert made.figures is not None
    assert again.figures is not None
    assert made.figures.held == again.figures.held == ("FleetSick",)


def test_what_is_held_back_is_not_told_again_with_every_other_news(
    make_world: Make, make_body: Make, make_report: Make, make_finding: Make, now: float
) -> None:
    """The status has one sentence, and there may be something worse to say."""
    body = make_body(generation=2)
    body["metadata"]["annotations"] = {"tradingbot.dev/skip-remediation": "true"}
    report = engine_of(
        make_report(make_finding(FindingReason.MEMORY_HIGH, Severity.WARNING, lasts=600.0), generation=2), document_refusal="too large"
    )
    world = settled(make_world(bot=parse_bot(body), report=report))
    assert world.status.phase is Phase.REFUSED
    richer = ReportView(report=engine_of(report, equity=200_000.0))
    made = plan(msgspec.structs.replace(world, reports={"pod-1": richer}, now=now + 400.0), SETTINGS)
    assert made.status is not None, "equity is news"
    assert made.figures is not None
    assert made.figures.held == ("RemediationSkipped",)
    assert (made.notices, made.tally.held) == ((), ())
