"""What is a cause, and all that is none."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.report import Dependency, FindingReason, Severity
from tradingbot_operator.bot_status import Effort
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import PLIGHTS, ended_by_itself, find_cause, kubelet_waits
from tradingbot_operator.world import ContainerFacts

FAILED, KILLED, TERMINATED, OUT_OF_MEMORY, SEGMENTATION_FAULT = 1, 137, 143, -1, 139
DATABASE = FindingReason.DATABASE_DOWN.value


def reason_of(case: Any) -> str | None:
    cause = find_cause(case)
    return cause.reason.value if cause else None


@pytest.mark.parametrize(
    ("facts", "waits"),
    [
        pytest.param({"running_since": 1.0, "started": True}, False, id="it runs"),
        pytest.param({"running_since": 1.0, "restarts": 7, "exit": FAILED}, False, id="it runs again"),
        pytest.param({"waiting_reason": "ContainerCreating"}, False, id="it has not been made"),
        pytest.param({"waiting_reason": "ImagePullBackOff", "restarts": 3, "exit": FAILED}, False, id="its image is missing"),
        pytest.param({"exit": FAILED, "restarts": 0}, False, id="the first death in a pod is restarted at once"),
        pytest.param({"exit": FAILED, "restarts": 1}, True, id="the second is waited with, from the moment of the death"),
        pytest.param({"exit": FAILED, "restarts": 1, "ran_seconds": 599.0}, True, id="soon"),
        pytest.param({"exit": FAILED, "restarts": 1, "ran_seconds": 601.0}, False, id="the kubelet has forgotten the first"),
        pytest.param({"waiting_reason": "CrashLoopBackOff", "restarts": 1, "exit": FAILED}, True, id="the kubelet says so"),
    ],
)
def test_it_is_known_when_the_kubelet_lets_a_dead_engine_wait(moment: Any, facts: dict[str, Any], waits: bool) -> None:
    code = facts.pop("exit", None)
    engine = ContainerFacts(**facts, exit=None if code is None else moment.exit(code))
    assert kubelet_waits(engine) is waits
    case = moment.case(moment.shard(pod=moment.pod(engine=engine), unheard=True))
    assert reason_of(case) == ("CrashLooping" if waits else None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(FAILED, True), (0, True), (KILLED, False), (TERMINATED, False), (SEGMENTATION_FAULT, True), (OUT_OF_MEMORY, True)],
)
def test_an_end_by_a_signal_from_outside_is_not_the_engines_doing(moment: Any, code: int, expected: bool) -> None:
    assert ended_by_itself(moment.exit(code)) is expected


def test_an_engine_that_has_not_ended_did_not_end_by_itself() -> None:
    assert not ended_by_itself(None)


def test_an_oom_kill_is_a_cause_until_it_is_answered_or_old(moment: Any) -> None:
    def case(*, ago: float = 5.0, answered: str = "", **engine: Any) -> Any:
        exit_ = moment.exit(OUT_OF_MEMORY, "c1", moment.now - ago)
        facts = ContainerFacts(**({"running_since": moment.now - ago + 1.0, "restarts": 1, "exit": exit_} | engine))
        return moment.case(moment.shard(pod=moment.pod(engine=facts)), effort=Effort(shard="calm-0", answered=answered))

    assert reason_of(case()) == "OOMKilled"
    assert reason_of(case(ago=599.0)) == "OOMKilled"
    assert reason_of(case(ago=600.0)) is None
    assert reason_of(case(answered="c1")) is None
    assert reason_of(case(answered="c0")) == "OOMKilled"
    # One that stays down is one, answered or not.
    assert reason_of(case(answered="c1", running_since=None, waiting_reason="CrashLoopBackOff")) == "OOMKilled"


def test_an_oom_kill_of_which_the_time_is_not_known_is_no_news(moment: Any, change: Any) -> None:
    exit_ = change(moment.exit(OUT_OF_MEMORY), finished_at="")
    pod = moment.pod(engine=ContainerFacts(running_since=moment.now, exit=exit_, restarts=1))
    assert reason_of(moment.case(moment.shard(pod=pod))) is None


@pytest.mark.parametrize("reason", sorted(reason.value for reason in FindingReason))
@pytest.mark.parametrize("severity", list(Severity))
def test_of_all_that_an_observer_finds_four_things_are_causes(moment: Any, reason: str, severity: Severity) -> None:
    shard = moment.shard(moment.finding(reason, severity.value, lasts=9999.0))
    is_cause = reason in {"MemoryHigh", "PoolExhausted"} or (reason in {"EngineSilent", "EngineGone"} and severity is Severity.CRITICAL)
    assert reason_of(moment.case(shard)) == (reason if is_cause else None)


@pytest.mark.parametrize("reason", ["MemoryHigh", "PoolExhausted"])
@pytest.mark.parametrize(("lasts", "expected"), [(59.0, False), (60.0, True)])
def test_an_engine_that_trades_badly_must_do_so_for_a_minute(moment: Any, reason: str, lasts: float, expected: bool) -> None:
    case = moment.case(moment.shard(moment.finding(reason, "warning", lasts=lasts)))
    assert (reason_of(case) == reason) is expected


@pytest.mark.parametrize("consequence", ["PoolExhausted", "JournalBehind", "ResponseSlow"])
def test_what_follows_from_a_database_that_is_gone_is_no_cause(moment: Any, consequence: str) -> None:
    findings = (moment.finding(DATABASE), moment.finding(consequence, "warning", lasts=9999.0))
    assert reason_of(moment.case(moment.shard(*findings))) is None


@pytest.mark.parametrize(
    ("up", "up_for", "expected"), [(False, 900.0, False), (None, 900.0, False), (True, 59.0, False), (True, 60.0, True)]
)
def test_an_exhausted_pool_is_a_cause_a_minute_after_the_database_came_back(
    moment: Any, up: bool | None, up_for: float, expected: bool
) -> None:
    database = Dependency(name="database", up=up, since=moment.now - up_for)
    report = moment.report(moment.finding("PoolExhausted", "warning", lasts=900.0), dependencies=(database,))
    assert (reason_of(moment.case(moment.shard(report=report))) == "PoolExhausted") is expected


@pytest.mark.parametrize("changes", [{"terminating": True}, {"failed": True}])
def test_a_pod_that_is_replaced_anyway_has_no_cause(moment: Any, changes: dict[str, bool]) -> None:
    assert reason_of(moment.case(moment.shard(pod=moment.dead_pod(**changes)))) is None


def test_the_worst_cause_comes_first(moment: Any) -> None:
    findings = tuple(moment.finding(reason) for reason in ("PoolExhausted", "MemoryHigh", "EngineSilent", "EngineGone"))
    assert reason_of(moment.case(moment.shard(*findings, pod=moment.dead_pod(OUT_OF_MEMORY)))) == "OOMKilled"
    assert reason_of(moment.case(moment.shard(*findings, pod=moment.dead_pod()))) == "CrashLooping"
    assert reason_of(moment.case(moment.shard(*findings))) == "EngineGone"
    assert reason_of(moment.case(moment.shard(*findings[:3]))) == "EngineSilent"
    assert reason_of(moment.case(moment.shard(*findings[:2]))) == "MemoryHigh"


def test_nothing_else_is_ever_a_cause() -> None:
    assert {reason.value for reason in PLIGHTS} == {
        *("CrashLooping", "OOMKilled", "EngineGone", "EngineSilent", "MemoryHigh", "PoolExhausted")
    }
    unknown = {Reason.NOT_STARTED, Reason.OBSERVER_UNREACHABLE, Reason.REPORT_STALE, Reason.REPORT_INVALID}
    assert not unknown & set(PLIGHTS)
