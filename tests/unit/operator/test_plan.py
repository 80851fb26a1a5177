"""The whole of the operator's judgement, on a simulated cluster: what a plan asks for is done, and then it is asked again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tradingbot_contract.document import SpecError, restart_hash
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Severity
from tradingbot_operator.actions import Action, ApplyChild, DeleteChild, Plan, RestartPod, TouchPod
from tradingbot_operator.bot_status import (
    EngineExit,
    Phase,
    TradingBotStatus,
    parse_status,
    render_status,
)
from tradingbot_operator.desired import build_document
from tradingbot_operator.health import CRASH_LOOP
from tradingbot_operator.kinds import ObjectKey, key_of
from tradingbot_operator.plan import plan, plan_refused
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import RESTART
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import Applied, ContainerFacts, PodFacts, Problem, ReportView, World

Make = Callable[..., Any]
SETTINGS = OperatorSettings(engine_image="tradingbot/engine:1")


def conditions(status: TradingBotStatus | None) -> dict[str, tuple[str, str]]:
    assert status is not None
    return {condition.type: (condition.status.value, condition.reason) for condition in status.conditions}


def settled(world: World) -> World:
    """Return the world after a pass that only wrote its status."""
    made = plan(world, SETTINGS)
    assert not made.actions
    assert made.status is not None
    return msgspec.structs.replace(world, status=made.status)


def test_a_bot_that_is_well_is_left_alone(make_world: Make) -> None:
    world = make_world()
    first = plan(world, SETTINGS)
    assert conditions(first.status) == {
        "Accepted": ("True", "Accepted"),
        "Ready": ("True", "EngineReady"),
        "Healthy": ("True", "Healthy"),
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


@pytest.mark.parametrize("reason", sorted(set(FindingReason) - {FindingReason.ENGINE_SILENT, FindingReason.ENGINE_GONE}, key=str))
@pytest.mark.parametrize("severity", Severity)
def test_only_an_engine_that_does_not_answer_is_ever_restarted(make_world: Make, reason: FindingReason, severity: Severity) -> None:
    world = make_world()
    made = plan(msgspec.structs.replace(world, reports=with_finding(world, reason, severity)), SETTINGS)
    assert made.actions == ()
    if severity is Severity.CRITICAL:
        assert conditions(made.status)["Healthy"] == ("False", reason.value)


def test_what_the_engine_reads_at_its_start_rolls_the_pod(make_world: Make, make_bot: Make) -> None:
    world = settled(make_world())
    bot = make_bot(generation=2, strategy={"name": "ema-cross", "parameters": {"fastPeriod": 3}})
    made = plan(msgspec.structs.replace(world, bot=bot), SETTINGS)
    assert [action.manifest["kind"] for action in made.actions if isinstance(action, ApplyChild)] == ["ConfigMap", "StatefulSet"]
    assert not any(isinstance(action, TouchPod) for action in made.actions)
    assert conditions(made.status)["Ready"] == ("False", "RollingOut")
    assert conditions(made.status)["Accepted"] == ("Unknown", "EngineStarting"), "what the old engine says is of the old spec"


def engine_of(report: ObserverReport, **changes: Any) -> ObserverReport:
    assert report.engine is not None
    return msgspec.structs.replace(report, engine=msgspec.structs.replace(report.engine, **changes))


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
    assert made.status.remediation.budget.remaining == 2
    (notice,) = [notice for notice in made.notices if notice.reason is Reason.ENGINE_SILENT]
    assert "recreates pod calm-0" in notice.message


def test_a_dry_run_is_told_of_and_does_nothing(make_world: Make, make_bot: Make, make_report: Make, make_finding: Make) -> None:
    bot = make_bot(health={"remediation": {"mode": "DryRun"}})
    made = plan(make_world(bot=bot, report=make_report(make_finding(FindingReason.ENGINE_SILENT))), SETTINGS)
    assert made.actions == ()
    assert made.status is not None
    assert [decision.action for decision in made.status.remediation.history] == ["DryRun"]
    assert any("dry run" in notice.message for notice in made.notices)


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


def test_a_condition_keeps_the_time_of_its_last_turn(make_world: Make, now: float) -> None:
    world = settled(make_world())
    later = msgspec.structs.replace(world, now=now + 500, reports={"pod-1": ReportView(missing=Reason.REPORT_STALE)})
    made = plan(later, SETTINGS).status
    assert made is not None
    turned = {condition.type: parse_time(condition.last_transition_time) - now for condition in made.conditions}
    assert turned == {"Accepted": 0.0, "Ready": 0.0, "Healthy": 500.0, "Progressing": 0.0}


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
    made = plan(make_world(pods=(make_pod(ready=False, engine=engine),), reports={}), SETTINGS)
    assert conditions(made.status)["Ready"] == ("False", reason)
    assert made.status is not None
    assert made.status.phase is phase


def test_a_pod_that_no_node_takes(make_world: Make, make_pod: Make) -> None:
    pod = make_pod(ready=False, engine=ContainerFacts(), unschedulable="0/2 nodes are available")
    made = plan(make_world(pods=(pod,), reports={}), SETTINGS)
    assert conditions(made.status)["Ready"] == ("False", "Unschedulable")


# --- Any order of events

BODY = {
    "apiVersion": "tradingbot.dev/v1alpha1",
    "kind": "TradingBot",
    "metadata": {"name": "calm", "namespace": "bots", "uid": "bot-uid", "generation": 1},
    "spec": {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL"]}},
}
EVENTS = st.sampled_from(
    ["well", "silent", "gone", "refused", "unheard", "crash-loop", "death", "drift", "child-lost", "spec", "thresholds", "pod-lost"]
)
STEPS = st.lists(st.tuples(EVENTS, st.sampled_from([0, 1, 3, 7, 11, 31, 65, 700])), max_size=25)


class Cluster:
    """Does what plans ask for, and what events say."""

    def __init__(self, max_actions: int) -> None:
        self.now = 1_800_000_000.0
        self.spec: dict[str, Any] = json.loads(json.dumps(BODY["spec"])) | {"health": {"remediation": {"maxActions": max_actions}}}
        self.generation = 1
        self.status = TradingBotStatus()
        self.children: dict[ObjectKey, dict[str, Any]] = {}
        self.pod: PodFacts | None = None
        self.report: ObserverReport | None = None
        self.made_pods = 0
        self.restarts: list[float] = []

    @property
    def bot(self) -> TradingBot:
        metadata = {**BODY["metadata"], "generation": self.generation}  # type: ignore[dict-item]  # BODY is a plain mapping
        return parse_bot({**BODY, "metadata": metadata, "spec": self.spec})

    def world(self) -> World:
        pods = (self.pod,) if self.pod else ()
        reports = {self.pod.uid: ReportView(report=self.report, missing=Reason.OBSERVER_UNREACHABLE)} if self.pod else {}
        return World(bot=self.bot, status=self.status, children=self.children, pods=pods, reports=reports, now=self.now)

    def do(self, made: Plan) -> None:
        if made.status is not None:
            self.status = parse_status(json.loads(json.dumps(render_status(made.status))))
        for action in made.actions:
            self.take(action)

    def take(self, action: Action) -> None:
        match action:
            case ApplyChild():
                stored = json.loads(json.dumps(action.manifest))
                stored["metadata"] |= {"uid": "u", "resourceVersion": "1"}
                self.children[key_of(stored)] = stored
                if stored["kind"] == "StatefulSet":
                    wanted = stored["spec"]["template"]["metadata"]["annotations"]["tradingbot.dev/restart-hash"]
                    if self.pod is None or self.pod.restart_hash != wanted:
                        self.make_pod()
            case DeleteChild():
                del self.children[action.key]
            case RestartPod():
                recorded = self.status.remediation.history[-1]
                assert (recorded.pod_uid, recorded.action) == (action.uid, RESTART), "it was written down before"
                self.restarts.append(self.now)
                self.make_pod()
            case TouchPod():
                assert self.pod is not None
                self.pod = msgspec.structs.replace(self.pod, document_hash=action.document_hash)

    def make_pod(self) -> None:
        self.made_pods += 1
        self.report = None
        self.pod = PodFacts(
            name="calm-0",
            uid=f"pod-{self.made_pods}",
            ready=True,
            restart_hash=restart_hash(build_document(self.bot)),
            engine=ContainerFacts(running_since=self.now, started=True),
        )

    def happen(self, event: str) -> None:
        since = self.now - 40.0
        found = {"silent": FindingReason.ENGINE_SILENT, "gone": FindingReason.ENGINE_GONE, "refused": FindingReason.DOCUMENT_REFUSED}
        match event:
            case "well" | "silent" | "gone" | "refused":
                findings = (Finding(found[event], Severity.CRITICAL, event, since),) if event in found else ()
                self.report = self.make_report(findings)
            case "unheard":
                self.report = None
            case "crash-loop" | "death" if self.pod is not None:
                died = EngineExit(container_id=f"c{self.now}-{self.made_pods}", reason="EngineKilled", exit_code=137)
                count = self.pod.engine.restarts + 1
                waiting = ContainerFacts(waiting_reason=CRASH_LOOP, restarts=count, exit=died)
                again = ContainerFacts(running_since=self.now, started=True, restarts=count, exit=died)
                self.pod = msgspec.structs.replace(self.pod, engine=waiting if event == "crash-loop" else again)
            case "drift":
                for key in self.children:
                    self.children[key]["metadata"]["labels"]["app.kubernetes.io/part-of"] = "meddler"
            case "child-lost":
                self.children.pop(ObjectKey("Service", "calm"), None)
            case "spec":
                self.spec = self.spec | {"cache": {"maxEntries": self.generation + 1}}
                self.generation += 1
            case "thresholds":
                self.spec = self.spec | {"observability": {"intervalSeconds": 1 + self.generation % 100}}
                self.generation += 1
            case "pod-lost":
                self.pod = None

    def make_report(self, findings: tuple[Finding, ...]) -> ObserverReport:
        return ObserverReport(
            namespace="bots",
            bot="calm",
            shard=0,
            pod_uid="",
            observed_at=self.now,
            generation=1,
            observer_started_at=0.0,
            interval_seconds=15.0,
            engine_pid=1,
            engine_restarts=0,
            last_answer_at=self.now,
            score=90.0,
            findings=findings,
            sample=None,
            engine=EngineStatus(state=EngineState.RUNNING, generation=1, started_at=0.0, heartbeat_at=self.now, equity=1.0),
        )


@hypothesis_settings(deadline=None)
@given(steps=STEPS, max_actions=st.integers(1, 3))
def test_whatever_happens_it_is_seen_to_once_and_within_the_budget(steps: list[tuple[str, int]], max_actions: int) -> None:
    cluster = Cluster(max_actions)
    for event, seconds in steps:
        cluster.happen(event)
        taken: list[Action] = []
        for _ in range(4):
            made = plan(cluster.world(), SETTINGS)
            assert made == plan(cluster.world(), SETTINGS), "the same world gives the same plan"
            cluster.do(made)
            taken += made.actions
        assert (made.actions, made.status, made.notices) == ((), None, ()), "it comes to rest"
        applied = [key_of(action.manifest) for action in taken if isinstance(action, ApplyChild)]
        assert len(applied) == len(set(applied)), "nothing is done twice"
        assert sum(isinstance(action, RestartPod) for action in taken) <= 1
        for start in cluster.restarts:
            assert sum(start <= time < start + 3600 for time in cluster.restarts) <= max_actions
        assert cluster.status.restarts >= len(cluster.restarts) - 1
        cluster.now += seconds
