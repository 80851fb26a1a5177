"""What the engine follows live reaches it without a restart, is touched once, and is acknowledged."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from plan_worlds import SETTINGS, Make, conditions, engine_of, settled

from tradingbot_contract.report import Finding, FindingReason, Severity
from tradingbot_operator.actions import ApplyChild, RestartPod, TouchPod
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.monitoring.settings import MonitoringSettings
from tradingbot_operator.plan import plan
from tradingbot_operator.world import ReportView, World


@pytest.mark.parametrize(
    "change",
    [
        {"health": {"silentAfterSeconds": 99}},
        {"database": {"pool": {"size": 9}, "retry": {"attempts": 1}}},
        {"cache": {"memoryLimit": "7Mi"}},
        {"http": {"limit": 7}},
    ],
)
def test_what_the_engine_follows_reaches_the_pod_without_a_restart(make_world: Make, make_bot: Make, change: dict[str, Any]) -> None:
    world = settled(make_world())
    bot = make_bot(generation=2, **change)
    made = plan(msgspec.structs.replace(world, bot=bot), SETTINGS)
    assert [type(action).__name__ for action in made.actions] == ["ApplyChild", "TouchPod"]
    (config, touch) = made.actions
    assert isinstance(config, ApplyChild)
    assert config.manifest["kind"] == "ConfigMap"
    assert isinstance(touch, TouchPod)
    assert conditions(made.status)["Ready"] == ("True", "EngineReady")
    assert conditions(made.status)["Accepted"] == ("Unknown", "EngineStarting"), "the engine has not said that it runs this"


def test_another_place_of_the_runbooks_waits_for_the_next_pod(make_world: Make) -> None:
    own = msgspec.structs.replace(SETTINGS, monitoring=MonitoringSettings(runbook_base_url="https://wiki.example.com/runbooks"))
    (workload,) = plan(settled(make_world()), own).actions
    assert isinstance(workload, ApplyChild)
    assert workload.manifest["kind"] == "StatefulSet"


def live_change(make_world: Make, make_bot: Make, make_report: Make, **engine: Any) -> World:
    """Return the world of a live change whose children are applied, before the pod has said that it has seen it."""
    world: World = make_world(bot=make_bot(generation=2, cache={"maxEntries": 7}), report=engine_of(make_report(), **engine))
    return world


def test_a_pod_that_a_cut_off_pass_left_untouched_is_touched_later_and_once(make_world: Make, make_bot: Make, make_report: Make) -> None:
    world = live_change(make_world, make_bot, make_report)
    (touch,) = plan(world, SETTINGS).actions
    assert isinstance(touch, TouchPod)
    (pod,) = world.pods
    touched = msgspec.structs.replace(pod, document_hash=touch.document_hash)
    assert plan(msgspec.structs.replace(world, pods=(touched,)), SETTINGS).actions == ()


def test_a_document_that_somebody_changed_arrives_as_soon_as_it_is_put_back(make_world: Make, make_bot: Make, make_report: Make) -> None:
    key = ObjectKey("ConfigMap", "calm-config")
    world = live_change(make_world, make_bot, make_report)
    (touch,) = plan(world, SETTINGS).actions
    assert isinstance(touch, TouchPod)
    (pod,) = world.pods
    meddled = copy.deepcopy(dict(world.children))
    meddled[key] = copy.deepcopy(dict(meddled[key])) | {"data": {"config.yaml": "speed: ludicrous"}}
    meddled[key]["metadata"]["resourceVersion"] = "6"
    touched = msgspec.structs.replace(pod, document_hash=touch.document_hash)
    made = plan(msgspec.structs.replace(world, children=meddled, pods=(touched,)), SETTINGS)
    assert [type(action) for action in made.actions] == [ApplyChild, TouchPod]


def test_a_pod_that_has_its_document_is_not_touched(make_world: Make, make_bot: Make, make_report: Make) -> None:
    world = live_change(make_world, make_bot, make_report)
    for view in (ReportView(report=make_report(generation=2)), ReportView(), ReportView(report=make_report(generation=None))):
        assert plan(msgspec.structs.replace(world, reports={"pod-1": view}), SETTINGS).actions == ()


def test_a_live_change_is_accepted_when_the_engine_runs_it(make_world: Make, make_bot: Make, make_report: Make) -> None:
    made = plan(live_change(make_world, make_bot, make_report, generation=2, memory_mode="Minimal"), SETTINGS)
    assert conditions(made.status)["Accepted"] == ("True", "Accepted")
    assert made.status is not None
    assert (made.status.shards[0].config_generation, made.status.shards[0].memory_mode) == (2, "Minimal")


def test_a_live_change_that_the_engine_refuses_is_told_of_and_changes_nothing_else(
    make_world: Make, make_bot: Make, make_report: Make
) -> None:
    world = live_change(make_world, make_bot, make_report, document_refusal="memory: 600Mi are needed")
    made = plan(msgspec.structs.replace(world, reports=with_finding(world, FindingReason.DOCUMENT_REFUSED, Severity.WARNING)), SETTINGS)
    assert not any(isinstance(action, RestartPod) for action in made.actions)
    assert conditions(made.status)["Accepted"] == ("False", "DocumentRefused")
    assert conditions(made.status)["Ready"] == ("True", "EngineReady")
    assert made.status is not None
    assert (made.status.phase, made.status.message) == (
        Phase.REFUSED,
        "memory: 600Mi are needed; the engine goes on with generation 1",
    )
    assert made.status.shards[0].config_generation == 1


def with_finding(world: World, reason: FindingReason, severity: Severity) -> dict[str, ReportView]:
    """Return the reports of a world with one finding."""
    report = world.reports["pod-1"].report
    assert report is not None
    return {"pod-1": ReportView(report=msgspec.structs.replace(report, findings=(Finding(reason, severity, "found", since=0.0),)))}
