"""What is said of a bot, from facts: the judgement is the operator's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_cli.explanation import Explanation, explain, explain_refused
from tradingbot_cli.situation import OperatorView, Situation, count_fleet, describe_source, read_settings
from tradingbot_contract.document import VERSION, SpecError
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_operator.bot_status import EngineExit, TradingBotStatus, parse_status
from tradingbot_operator.cache import BotKey
from tradingbot_operator.desired.revision import pod_revision, shard_revision
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import TradingBot, parse_bot
from tradingbot_operator.settings import MetricsSource, OperatorSettings
from tradingbot_operator.timestamp import format_time
from tradingbot_operator.world import ContainerFacts, FleetFacts, PodFacts, ReportView, World

NOW = 1_800_000_000.0
SYMBOLS = ("AAPL", "MSFT")


def bot(annotations: dict[str, str] | None = None, **sections: Any) -> TradingBot:
    return parse_bot(
        {
            "apiVersion": VERSION,
            "kind": "TradingBot",
            "metadata": {"name": "trend", "namespace": "prod", "uid": "1", "generation": 1, "annotations": annotations or {}},
            "spec": {"strategy": {"name": "ema-cross"}, "market": {"symbols": list(SYMBOLS)}} | sections,
        }
    )


def report(*findings: Finding) -> ObserverReport:
    engine = EngineStatus(
        state=EngineState.RUNNING,
        generation=1,
        started_at=NOW - 1000,
        heartbeat_at=NOW,
        last_bar_at=NOW - 2,
        revision=shard_revision(bot(), SYMBOLS),
        symbols=SYMBOLS,
        busy_symbols=(),
        activity="Trade",
        grant=1,
    )
    return ObserverReport(
        namespace="prod",
        bot="trend",
        shard=0,
        pod_uid="pod-1",
        observed_at=NOW,
        generation=1,
        observer_started_at=NOW - 1000,
        interval_seconds=15.0,
        engine_pid=7,
        engine_restarts=0,
        last_answer_at=NOW,
        score=95.0,
        findings=findings,
        sample=Sample(at=NOW, memory_bytes=64 * 2**20, memory_limit_bytes=512 * 2**20, score=95.0),
        engine=engine,
    )


def finding(reason: FindingReason, *, lasts: float) -> Finding:
    return Finding(reason, Severity.CRITICAL, f"{reason.value} is measured", since=NOW - lasts)


def status(**changes: Any) -> TradingBotStatus:
    shard = {"name": "trend-0", "symbols": list(SYMBOLS), "pod": "trend-0", "podUid": "pod-1", "grant": 1, "cameUp": True}
    written: dict[str, Any] = {"observedGeneration": 1, "phase": "Running", "message": "trades 2 symbols", "shards": [shard], "replicas": 1}
    return parse_status(written | changes)


RUNNING = ContainerFacts(running_since=NOW - 1000, started=True)
DEAD = ContainerFacts(
    restarts=3,
    waiting_reason="CrashLoopBackOff",
    exit=EngineExit(container_id="c3", reason="EngineExited", exit_code=1, finished_at=format_time(NOW - 5)),
)


def told(
    made: TradingBot | None = None, *, engine: ContainerFacts = RUNNING, events: tuple[dict[str, Any], ...] = (), **facts: Any
) -> Explanation:
    of = made or bot()
    pod = PodFacts(
        name="trend-0",
        uid="pod-1",
        node="worker",
        ready=engine is RUNNING,
        restart_hash=pod_revision(bot()),
        created_at=NOW - 1010,
        ready_since=NOW - 995,
        engine=engine,
        observer=RUNNING,
    )
    fields: dict[str, Any] = {
        "bot": of,
        "status": status(),
        "children": {},
        "pods": (pod,),
        "reports": {"pod-1": ReportView(report=report())},
        "now": NOW,
    }
    operator = facts.pop("operator", OperatorView())
    world = World(**(fields | facts))
    return explain(Situation(world=world, settings=OperatorSettings(engine_image="x"), operator=operator, events=events, unknown=()), world)


def test_a_bot_that_is_well_needs_nothing() -> None:
    found = told()
    assert found.why == (
        "Trades 2 symbols.",
        "The engine of trend-0 is Running, score 95, 64Mi of 512Mi of memory, last bar 2s ago, runs generation 1.",
    )
    assert found.steps == ()
    assert found.next == ("Nothing: it is as it should be. It looks again when something changes, and every 60 s.",)


def test_a_dead_engine_is_told_with_the_step_that_is_due() -> None:
    found = told(engine=DEAD)
    (step,) = found.steps
    assert (step.cause, step.step, step.held_by) == ("CrashLooping", "RestartPod", "")
    assert "Next step, now: recreate pod trend-0 (RestartPod)." in found.next
    assert any("tradingbot logs trend -n prod --previous" in advice for advice in found.advice)


@pytest.mark.parametrize(
    ("facts", "held", "reason", "until"),
    [
        ({"made": bot(health={"remediation": {"mode": "Off"}})}, "mode is Off", "", ""),
        ({"made": bot({"tradingbot.dev/skip-remediation": "true"})}, "skip-remediation is set", "RemediationSkipped", ""),
        ({"fleet": FleetFacts(judged=4, sick=4)}, "4 of 4 bots are sick at once", "FleetSick", format_time(NOW + 10)),
        (
            {
                "status": status(
                    remediation={"budget": {"maxActions": 12, "perSeconds": 3600, "remaining": 0, "level": 0.0, "asOf": format_time(NOW)}}
                )
            },
            "all 12 steps",
            "BudgetSpent",
            format_time(NOW + 300),
        ),
    ],
)
def test_a_brake_is_told_with_its_end(facts: dict[str, Any], held: str, reason: str, until: str) -> None:
    found = told(engine=DEAD, **facts)
    (step,) = found.steps
    assert held in step.held_by
    assert (step.step, step.held_reason, step.held_until) == ("RestartPod", reason, until)
    assert any("held back" in sentence and held in sentence for sentence in found.next)


def test_a_rehearsal_is_said_to_be_one() -> None:
    found = told(bot(health={"remediation": {"mode": "DryRun"}}), engine=DEAD)
    assert any("It is a dry run: nothing is done." in sentence for sentence in found.next)


def test_against_what_no_step_helps_nothing_is_done() -> None:
    down = {"pod-1": ReportView(report=report(finding(FindingReason.DATABASE_DOWN, lasts=30)))}
    found = told(reports=down, status=status(health={"findings": [{"reason": "DatabaseDown", "severity": "critical"}]}))
    assert "The observer of trend-0 finds DatabaseDown (critical) for 30s: DatabaseDown is measured." in found.why
    assert found.next == ("Nothing: against DatabaseDown no step of the operator helps; it waits until that ends.",)
    assert found.advice == ("check the database and its Secret; a restart would not help",)


def test_a_silent_engine_does_not_speak_by_its_last_word() -> None:
    silent = {"pod-1": ReportView(report=report(finding(FindingReason.ENGINE_SILENT, lasts=3)))}
    found = told(reports=silent)
    assert "The engine of trend-0 does not answer; the last that it said is that it was Running." in found.why
    assert "the kubelet comes first" in found.steps[0].held_by


def test_what_is_not_known_causes_nothing() -> None:
    found = told(reports={"pod-1": ReportView(missing=Reason.OBSERVER_UNREACHABLE, detail="no answer")})
    assert found.next == ("Nothing: how the engines are is not known, and what is not known causes no action.",)


def test_a_bot_that_no_operator_has_looked_at_is_made_first() -> None:
    found = told(status=parse_status({}), pods=(), reports={})
    assert found.why[0] == "No operator has looked at it yet."
    (said,) = found.next
    assert said.startswith("It makes the bot's StatefulSet")


def test_the_operators_own_absence_and_a_hold_on_the_bot_come_first() -> None:
    found = told(bot({"tradingbot.dev/paused": "true"}), operator=OperatorView(found=True, ready=0, where="ops/operator"))
    assert any("The operator ops/operator is not running" in sentence for sentence in found.why)
    assert found.next[0] == "Nothing, whatever happens: the annotation tradingbot.dev/paused holds it off."


def test_a_roll_out_is_told_with_what_it_waits_for() -> None:
    busy = msgspec.structs.replace(report(), engine=msgspec.structs.replace(report().engine, open_positions=1, busy_symbols=("AAPL",)))  # type: ignore[type-var]  # it has one
    found = told(bot(strategy={"name": "ema-cross", "parameters": {"fastPeriod": 7}}), reports={"pod-1": ReportView(report=busy)})
    assert "Pod trend-0 has to be replaced (SpecChanged)." in found.next
    assert any(sentence.startswith("The roll-out waits (WaitingForPositions)") for sentence in found.next)


def test_what_happened_is_in_order_and_told_once() -> None:
    decided = {"time": format_time(NOW - 60), "action": "RestartPod", "reason": "CrashLooping", "shard": "trend-0", "result": "Helped"}
    events = (
        {"reason": "CrashLooping", "message": "recreates pod trend-0: again", "lastTimestamp": format_time(NOW - 60), "metadata": {}},
        {"reason": "Helped", "message": "it helped", "lastTimestamp": format_time(NOW - 50), "metadata": {}},
        {
            "reason": "EngineExited",
            "message": "it ended",
            "firstTimestamp": format_time(NOW - 300),
            "lastTimestamp": format_time(NOW - 70),
            "count": 3,
            "metadata": {},
        },
    )
    found = told(status=status(remediation={"history": [decided]}), events=events)
    assert [moment.text for moment in found.happened] == [
        "EngineExited: it ended (3 times until 07:58:50 UTC)",
        "RestartPod of trend-0, because of CrashLooping: helped",
    ]


def test_a_resource_that_cannot_be_read_is_said_to_be_so() -> None:
    situation = Situation(
        world=None,
        problem="spec.risk: unknown",
        settings=OperatorSettings(engine_image="x"),
        operator=OperatorView(),
        events=(),
        unknown=(),
    )
    found = explain_refused(situation, "prod", "trend")
    assert found.why == ("The stored resource can't be read: spec.risk: unknown.",)
    assert "kubectl -n prod edit tb trend" in found.advice[0]


def healthy(namespace: str, value: str, reason: str) -> dict[str, Any]:
    condition = {"type": "Healthy", "status": value, "reason": reason}
    return {"metadata": {"name": "b", "namespace": namespace}, "status": {"conditions": [condition]}}


def test_the_fleet_is_counted_as_the_operator_counts_it() -> None:
    bodies = [
        healthy("a", "True", "Healthy"),
        healthy("a", "False", "CrashLooping"),
        healthy("a", "False", "DatabaseDown"),
        healthy("a", "Unknown", "NotStarted"),
        healthy("b", "False", "EngineGone"),
        {"metadata": {"name": "new", "namespace": "a"}},
    ]
    another = BotKey("a", "another")
    assert count_fleet(bodies, (), this=another) == FleetFacts(judged=5, sick=3)
    assert count_fleet(bodies, ("a",), this=another) == FleetFacts(judged=4, sick=2)
    assert count_fleet(bodies, (), this=BotKey("b", "b")) == FleetFacts(judged=4, sick=2), "it counts once"


def test_an_operator_that_judges_by_something_else_is_told_of() -> None:
    settings = OperatorSettings(engine_image="x", metrics_source=MetricsSource.PROMETHEUS, prometheus_max_age_seconds=90.0)
    assert "Prometheus" in describe_source(settings)
    assert "up to 90 s older" in describe_source(settings)
    assert "here the observers themselves were asked" in describe_source(None)
    assert describe_source(OperatorSettings(engine_image="x")) == ""


def test_the_operators_settings_are_read_from_its_deployment() -> None:
    variables = [
        {"name": "TRADINGBOT_OPERATOR_ENGINE_IMAGE", "value": "engine:2"},
        {"name": "TRADINGBOT_OPERATOR_MAX_UNHEALTHY_PERCENT", "value": "25"},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    deployment = {"metadata": {"namespace": "ops"}, "spec": {"template": {"spec": {"containers": [{"env": variables}]}}}}
    settings = read_settings(deployment)
    assert (settings.engine_image, settings.max_unhealthy_percent, settings.namespace) == ("engine:2", 25.0, "ops")
    variables.append({"name": "TRADINGBOT_OPERATOR_NEWER", "value": "1"})
    with pytest.raises(SpecError, match="unknown settings"):
        read_settings(deployment)
