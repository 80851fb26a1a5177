"""Which step comes next, and what it changes."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_operator.bot_status import Adjustment, Effort
from tradingbot_operator.remediation import PLIGHTS, Cause, Step
from tradingbot_operator.remediation.causes import find_cause
from tradingbot_operator.remediation.ladder import LADDERS, adjust, describe_step, next_step
from tradingbot_operator.world import ResizeFacts

MODELS = {"finbert": {"source": "/models/finbert"}, "social": {"source": "/models/social"}}
OUT_OF_MEMORY = -1


def case_of(moment: Any, reason: str, *steps: str, bot: dict[str, Any] | None = None, restarts: int = 0, **shard: Any) -> Any:
    if reason == "CrashLooping":
        patient = moment.shard(pod=moment.dead_pod(), **shard)
    elif reason == "OOMKilled":
        patient = moment.shard(pod=moment.dead_pod(OUT_OF_MEMORY), **shard)
    else:
        patient = moment.shard(moment.finding(reason, "critical" if reason.startswith("Engine") else "warning"), **shard)
    effort = Effort(shard="calm-0", steps=list(steps), restarts=restarts)
    return moment.case(patient, effort=effort, bot=moment.bot(**(bot or {})))


def step_of(case: Any) -> str | None:
    cause = find_cause(case)
    assert cause is not None
    step = next_step(case, cause)
    return step.value if step else None


@pytest.mark.parametrize(
    ("reason", "tried", "bot", "expected"),
    [
        ("MemoryHigh", [], {}, "ShrinkCaches"),
        ("MemoryHigh", ["ShrinkCaches"], {"remediation": {"memoryCeiling": "1Gi"}}, "GrowMemory"),
        ("MemoryHigh", ["ShrinkCaches"], {"remediation": {"memoryCeiling": "512Mi"}}, "RestartPod"),
        ("MemoryHigh", ["ShrinkCaches"], {"prediction": MODELS}, "LowerMemoryMode"),
        ("MemoryHigh", ["ShrinkCaches"], {"prediction": MODELS, "engine": {"memoryMode": "Minimal"}}, "RestartPod"),
        ("MemoryHigh", ["ShrinkCaches"], {}, "RestartPod"),
        ("MemoryHigh", ["ShrinkCaches", "RestartPod"], {}, None),
        ("PoolExhausted", [], {}, "RestartPod"),
        ("PoolExhausted", ["RestartPod"], {}, None),
        ("OOMKilled", [], {"remediation": {"memoryCeiling": "1Gi"}}, "GrowMemory"),
        ("OOMKilled", ["GrowMemory"], {"remediation": {"memoryCeiling": "1Gi"}}, "GrowMemory"),
        ("OOMKilled", [], {}, "ShrinkCaches"),
        ("OOMKilled", ["ShrinkCaches"], {"prediction": MODELS}, "LowerMemoryMode"),
        ("OOMKilled", ["ShrinkCaches"], {}, "RestartPod"),
        ("CrashLooping", [], {}, "RestartPod"),
        ("CrashLooping", ["RestartPod"], {}, "RestartPod"),
        ("EngineSilent", [], {}, "RestartPod"),
        ("EngineGone", [], {}, "RestartPod"),
    ],
)
def test_the_next_step_is_the_gentlest_that_makes_sense(
    moment: Any, reason: str, tried: list[str], bot: dict[str, Any], expected: str | None
) -> None:
    assert step_of(case_of(moment, reason, *tried, bot=bot)) == expected


@pytest.mark.parametrize("reason", ["CrashLooping", "OOMKilled", "EngineSilent", "EngineGone"])
@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (5, ["RestartPod"] * 4 + ["RecreateElsewhere", "Quarantine", "Quarantine"]),
        (2, ["RestartPod", "RecreateElsewhere", "Quarantine"]),
        (1, ["RestartPod", "Quarantine"]),
    ],
)
def test_an_engine_that_no_restart_helps_is_made_anew_elsewhere_and_then_given_up(
    moment: Any, reason: str, allowed: int, expected: list[str]
) -> None:
    bot = {"remediation": {"quarantineAfter": allowed}}
    steps = [step_of(case_of(moment, reason, "ShrinkCaches", bot=bot, restarts=count)) for count in range(len(expected))]
    assert steps == expected


def test_an_engine_that_trades_is_never_given_up(moment: Any) -> None:
    for reason in ("MemoryHigh", "PoolExhausted"):
        case = case_of(moment, reason, "ShrinkCaches", "RestartPod", restarts=99)
        assert step_of(case) is None


def test_an_engine_that_was_killed_for_its_memory_once_and_runs_again_is_not_restarted(moment: Any, change: Any) -> None:
    case = case_of(moment, "OOMKilled", "ShrinkCaches")
    runs = change(case.pod.engine, waiting_reason="", running_since=moment.now)
    assert step_of(change(case, pod=change(case.pod, engine=runs))) is None


@pytest.mark.parametrize(("percent", "expected"), [(100, 50), (50, 25), (30, 25), (25, None)])
def test_caches_are_halved_down_to_their_floor(moment: Any, percent: int, expected: int | None) -> None:
    case = case_of(moment, "MemoryHigh", adjustment=Adjustment(cache_percent=percent))
    step = step_of(case)
    assert (step == "ShrinkCaches") is (expected is not None)
    if expected is not None:
        assert adjust(case.adjustment, Step.SHRINK_CACHES, case) == Adjustment(cache_percent=expected, since=moment.ago(0))
        assert f"from {percent} % to {expected} %" in describe_step(Step.SHRINK_CACHES, case)


@pytest.mark.parametrize(
    ("limit", "ceiling", "expected"),
    [
        ("128Mi", "2Gi", "228Mi"),  # + 100 MiB is more than a fifth
        ("500Mi", "2Gi", "600Mi"),  # both are the same
        ("1Gi", "2Gi", "1229Mi"),  # a fifth is more, rounded up to a whole MiB
        ("512Mi", "600Mi", "600Mi"),  # up to the ceiling
    ],
)
def test_memory_grows_by_a_fifth_and_a_hundred_mebibytes_at_least(moment: Any, limit: str, ceiling: str, expected: str) -> None:
    spec = {
        "cache": {"memoryLimit": "10Mi"},
        "engine": {"resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": limit}}},
        "remediation": {"memoryCeiling": ceiling},
    }
    case = case_of(moment, "OOMKilled", bot=spec)
    assert step_of(case) == "GrowMemory"
    assert adjust(case.adjustment, Step.GROW_MEMORY, case).memory_limit == expected
    # The next one starts from what was granted.
    granted = case_of(moment, "OOMKilled", bot=spec, adjustment=Adjustment(memory_limit=ceiling))
    assert step_of(granted) != "GrowMemory"


def test_memory_does_not_grow_while_the_node_has_no_room_for_what_was_granted(moment: Any, change: Any) -> None:
    case = case_of(moment, "OOMKilled", bot={"remediation": {"memoryCeiling": "1Gi"}})
    waits = change(case.pod, resize=ResizeFacts(pending_reason="Deferred"))
    assert step_of(change(case, pod=waits)) == "ShrinkCaches"


@pytest.mark.parametrize(
    ("models", "mode", "expected"),
    [
        (MODELS, "Full", "FinBERTOnly"),
        (MODELS, "FinBERTOnly", "Minimal"),
        (MODELS, "Minimal", None),
        (MODELS, "", "FinBERTOnly"),  # Auto, and the engine has not said which
        ({"finbert": MODELS["finbert"]}, "Full", "Minimal"),  # without a second model nothing lies between
        ({}, "", None),
    ],
)
def test_the_memory_mode_is_lowered_by_one(moment: Any, models: dict[str, Any], mode: str, expected: str | None) -> None:
    report = moment.report(moment.finding("MemoryHigh", "warning"), memory_mode=mode)
    case = case_of(moment, "MemoryHigh", "ShrinkCaches", bot={"prediction": models}, report=report)
    assert step_of(case) == ("RestartPod" if expected is None else "LowerMemoryMode")
    if expected is not None:
        assert adjust(case.adjustment, Step.LOWER_MEMORY_MODE, case).memory_mode == expected
        assert describe_step(Step.LOWER_MEMORY_MODE, case).endswith(f"to {expected}")


def test_an_engine_that_is_made_anew_elsewhere_keeps_away_from_its_node_and_keeps_the_rest(moment: Any) -> None:
    before = Adjustment(cache_percent=50, since=moment.ago(1000))
    case = case_of(moment, "CrashLooping", adjustment=before)
    adjusted = adjust(before, Step.RECREATE_ELSEWHERE, case)
    assert adjusted == Adjustment(cache_percent=50, avoid_node="worker", since=moment.ago(0))
    for step in (Step.RESTART_POD, Step.QUARANTINE):
        assert adjust(before, step, case) is before
        assert describe_step(step, case)
    assert "worker" in describe_step(Step.RECREATE_ELSEWHERE, case)


def test_every_cause_has_a_ladder() -> None:
    assert set(LADDERS) == set(PLIGHTS)
    assert all(Cause(reason, "").reason in LADDERS for reason in PLIGHTS)
