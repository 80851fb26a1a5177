"""What the status says of an engine: whether it can run, is ready, is well; and in one word where it is."""

from __future__ import annotations

import msgspec
import pytest
from plan_worlds import SETTINGS, Make, conditions, engine_of, settled

from tradingbot_contract.report import EngineState, Finding, FindingReason, Sample, Severity
from tradingbot_operator.bot_status import EngineExit, Phase, TradingBotStatus
from tradingbot_operator.plan import plan
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import ContainerFacts, ReportView


def test_a_refused_document_is_the_users_to_mend(make_world: Make, make_pod: Make, make_report: Make) -> None:
    said = "strategy.name: there is no strategy 'tea-leaves'"
    refused = Finding(FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL, said, since=0.0)
    report = engine_of(make_report(refused), state=EngineState.REFUSED, message=said, equity=None)
    made = plan(make_world(report=report, pods=(make_pod(ready=False),)), SETTINGS)
    assert made.actions == ()
    assert made.status is not None
    assert (made.status.phase, made.status.message) == (Phase.REFUSED, said)
    assert conditions(made.status) == {
        "Accepted": ("False", "DocumentRefused"),
        "Ready": ("False", "DocumentRefused"),
        "Healthy": ("False", "DocumentRefused"),
        "TuningApplied": ("False", "DocumentRefused"),
        "Progressing": ("False", "UpToDate"),
    }
    assert [notice.reason for notice in made.notices] == [Reason.DOCUMENT_REFUSED]


def test_the_engines_word_holds_while_its_observer_is_away(make_world: Make) -> None:
    world = settled(make_world())
    away = msgspec.structs.replace(world, reports={"pod-1": ReportView(missing=Reason.OBSERVER_UNREACHABLE)})
    made = plan(away, SETTINGS)
    assert made.actions == ()
    assert conditions(made.status)["Accepted"] == ("True", "Accepted")
    assert conditions(made.status)["Healthy"] == ("Unknown", "ObserverUnreachable")
    assert made.status is not None
    assert made.status.phase is Phase.RUNNING
    assert made.status.trading is not None, "the last figures are kept, with their time"
    assert made.status.health.score is None, "a score that is not known is not shown"


def test_a_finished_feed_is_no_fault(make_world: Make, make_report: Make) -> None:
    made = plan(make_world(report=engine_of(make_report(), state=EngineState.FINISHED)), SETTINGS)
    assert made.status is not None
    assert made.status.phase is Phase.FINISHED


def test_a_condition_keeps_the_time_of_its_last_turn(make_world: Make, now: float) -> None:
    world = settled(make_world())
    later = msgspec.structs.replace(world, now=now + 500, reports={"pod-1": ReportView(missing=Reason.REPORT_STALE)})
    made = plan(later, SETTINGS).status
    assert made is not None
    turned = {condition.type: parse_time(condition.last_transition_time) - now for condition in made.conditions}
    assert turned == {"Accepted": 0.0, "Ready": 0.0, "Healthy": 500.0, "TuningApplied": 0.0, "Progressing": 0.0}


@pytest.mark.parametrize(
    ("engine", "reason", "phase"),
    [
        (ContainerFacts(waiting_reason="ImagePullBackOff", waiting_message="no such image"), "ImagePullFailed", Phase.FAILED),
        (ContainerFacts(waiting_reason="CreateContainerError"), "ContainerRefused", Phase.FAILED),
        (ContainerFacts(waiting_reason="ContainerCreating"), "PodPending", Phase.PENDING),
        (ContainerFacts(exit=EngineExit(container_id="c", reason="EngineKilled", exit_code=137)), "EngineStarting", Phase.STARTING),
        (ContainerFacts(running_since=1.0), "EngineStarting", Phase.STARTING),
        (ContainerFacts(running_since=1.0, started=True), "PodNotReady", Phase.STARTING),
    ],
)
def test_why_a_pod_is_not_ready(make_world: Make, make_pod: Make, engine: ContainerFacts, reason: str, phase: Phase) -> None:
    world = make_world(reports={})
    pod = make_pod(ready=False, engine=engine, created_at=world.now - 60)
    made = plan(msgspec.structs.replace(world, pods=(pod,)), SETTINGS)
    assert conditions(made.status)["Ready"] == ("False", reason)
    assert made.status is not None
    assert made.status.phase is phase


def test_a_pod_that_no_node_takes(make_world: Make, make_pod: Make) -> None:
    pod = make_pod(ready=False, engine=ContainerFacts(), unschedulable="0/2 nodes are available")
    made = plan(make_world(pods=(pod,), reports={}), SETTINGS)
    assert conditions(made.status)["Ready"] == ("False", "Unschedulable")


@pytest.mark.parametrize(("age_seconds", "shown"), [(0.2, "40Mi/512Mi"), (1.0, "1Mi/512Mi"), (900.0, "1Mi/512Mi")])
def test_memory_of_an_engine_that_has_only_begun_is_not_shown(
    make_world: Make, make_report: Make, now: float, age_seconds: float, shown: str
) -> None:
    report = make_report(sample=Sample(at=now, memory_bytes=2**20, memory_limit_bytes=512 * 2**20, score=95.0))
    engine = msgspec.structs.replace(report.engine, started_at=now - age_seconds)
    world = make_world(report=msgspec.structs.replace(report, engine=engine), status=TradingBotStatus(memory="40Mi/512Mi"))
    status = plan(world, SETTINGS).status
    assert status is not None
    assert status.memory == shown
