"""What a plan does about children: it makes them, puts them back, removes them, and leaves alone what is well."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from plan_worlds import SETTINGS, Make, conditions, settled

from tradingbot_contract.document import SpecError
from tradingbot_operator.actions import ApplyChild, DeleteChild
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.plan import plan, plan_refused
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import Applied, Problem


def test_a_bot_that_is_well_is_left_alone(make_world: Make) -> None:
    world = make_world()
    first = plan(world, SETTINGS)
    assert conditions(first.status) == {
        "Accepted": ("True", "Accepted"),
        "Ready": ("True", "EngineReady"),
        "Healthy": ("True", "Healthy"),
        "TuningApplied": ("True", "TuningApplied"),
        "Progressing": ("False", "UpToDate"),
    }
    assert first.status is not None
    assert (first.status.phase, first.status.memory, first.status.symbols) == (Phase.RUNNING, "64Mi/512Mi", "AAPL,MSFT")
    assert [notice.reason for notice in first.notices] == [Reason.ENGINE_READY]
    again = plan(settled(world), SETTINGS)
    assert (again.status, again.actions, again.notices) == (None, (), ())


def test_a_new_bot_gets_its_children_in_order_and_waits_for_its_pod(make_world: Make) -> None:
    made = plan(make_world(children={}, pods=(), reports={}), SETTINGS)
    kinds = [action.manifest["kind"] for action in made.actions]
    assert kinds[-1] == "StatefulSet", "what the pod needs is there before it"
    assert sorted(kinds) == sorted(["NetworkPolicy", "PodDisruptionBudget", "Service", "ConfigMap", "PersistentVolumeClaim", "StatefulSet"])
    assert all(action.reason is Reason.CREATED for action in made.actions)
    assert conditions(made.status)["Progressing"] == ("True", "RollingOut")
    assert conditions(made.status)["Accepted"] == ("Unknown", "EngineStarting")
    assert made.status is not None
    assert made.status.phase is Phase.PENDING


def test_what_somebody_changed_is_put_back_and_told_of(make_world: Make) -> None:
    world = settled(make_world())
    world.children[ObjectKey("StatefulSet", "calm")]["spec"]["replicas"] = 0
    made = plan(world, SETTINGS)
    (action,) = made.actions
    assert isinstance(action, ApplyChild)
    assert (action.reason, action.resource_version) == (Reason.DRIFTED, "5")
    assert any(notice.reason is Reason.DRIFTED and "spec.replicas" in notice.message for notice in made.notices)


def test_what_the_cluster_insists_on_is_not_fought(make_world: Make) -> None:
    key = ObjectKey("Service", "calm")
    world = settled(make_world())
    world.children[key]["spec"]["publishNotReadyAddresses"] = False
    (action,) = plan(world, SETTINGS).actions
    assert isinstance(action, ApplyChild)
    assert plan(msgspec.structs.replace(world, settled={key: action.drift}), SETTINGS).actions == ()


def test_a_fight_over_a_child_is_fought_ever_more_slowly(make_world: Make, now: float) -> None:
    key = ObjectKey("Service", "calm")
    world = settled(make_world())
    rendering = world.children[key]["metadata"]["annotations"]["tradingbot.dev/desired-hash"]
    world.children[key]["spec"]["publishNotReadyAddresses"] = False
    for times, pause in ((1, 1.0), (2, 2.0), (5, 16.0), (50, 300.0)):
        for since, expected in ((pause - 0.5, 0), (pause, 1)):
            fought = msgspec.structs.replace(world, applied={key: Applied(rendering, times, now - since)})
            made = plan(fought, SETTINGS)
            assert len(made.actions) == expected
            assert conditions(made.status)["Progressing"] == ("True", "RollingOut")
            assert expected or made.recheck_seconds == 0.5
    other = msgspec.structs.replace(world, applied={key: Applied("another rendering", 50, now)})
    assert plan(other, SETTINGS).actions, "a changed resource does not wait for an old fight"


def test_a_child_that_is_not_wanted_is_removed_unless_it_is_somebody_elses(make_world: Make) -> None:
    world = settled(make_world())
    left = copy.deepcopy(world.children[ObjectKey("ConfigMap", "calm-config")])
    left["metadata"] |= {"name": "calm-old", "uid": "old-uid"}
    theirs = copy.deepcopy(left)
    theirs["metadata"] |= {"name": "theirs", "ownerReferences": []}
    children = dict(world.children) | {ObjectKey("ConfigMap", "calm-old"): left, ObjectKey("ConfigMap", "theirs"): theirs}
    made = plan(msgspec.structs.replace(world, children=children), SETTINGS)
    assert made.actions == (DeleteChild(ObjectKey("ConfigMap", "calm-old"), "old-uid"),)


@pytest.mark.parametrize(
    "metadata", [{"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"ownerReferences": [{"uid": "earlier", "controller": True}]}]
)
def test_children_that_the_garbage_collector_takes_are_left_to_it(make_world: Make, metadata: dict[str, Any]) -> None:
    world = make_world()
    for child in world.children.values():
        child["metadata"] |= metadata
    made = plan(world, SETTINGS)
    assert made.actions == ()
    assert conditions(made.status)["Progressing"] == ("True", "RollingOut")


def test_what_the_api_server_does_not_take_is_said(make_world: Make, make_pod: Make) -> None:
    problem = Problem(Reason.CHILD_REFUSED, "apply PersistentVolumeClaim calm-data: spec is immutable")
    for ready, phase in ((True, Phase.RUNNING), (False, Phase.FAILED)):
        made = plan(make_world(problem=problem, pods=(make_pod(ready=ready),)), SETTINGS)
        assert conditions(made.status)["Progressing"] == ("False", "ChildRefused")
        assert made.status is not None
        assert (made.status.phase, made.status.message) == (phase, problem.message)
    assert any(notice.reason is Reason.CHILD_REFUSED for notice in made.notices)


def test_a_resource_that_cannot_be_read_changes_nothing_but_its_condition(make_world: Make, now: float) -> None:
    before = settled(make_world()).status
    made = plan_refused(before, SpecError("spec.database.pool.size: Expected `int` >= 1"), generation=2, now=now)
    assert made.actions == ()
    assert conditions(made.status)["Accepted"] == ("False", "SpecInvalid")
    assert conditions(made.status)["Ready"] == conditions(before)["Ready"]
    assert made.status is not None
    assert "spec.database.pool.size" in made.status.message
    assert plan_refused(made.status, SpecError(made.status.message), generation=2, now=now).status is None
