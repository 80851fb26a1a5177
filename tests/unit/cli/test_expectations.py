from __future__ import annotations

from typing import Any

import pytest

from tradingbot_cli.bot_view import BotView, read_view
from tradingbot_cli.errors import FailedError
from tradingbot_cli.expectations import until_restarted, until_state, until_tuned
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.world import PodFacts

CONDITIONS = {"Accepted": "True", "Ready": "True", "TuningApplied": "True", "Progressing": "False"}
GOOD_REASONS = {"Progressing": "UpToDate"}


def bot(phase: str = "Running", *, seen: int = 2, replicas: int = 1, **reasons: str) -> BotView:
    """Return a bot of generation 2; a reason makes its condition otherwise than it should be."""
    conditions: list[dict[str, Any]] = []
    for kind, good in CONDITIONS.items():
        bad = {"True": "False", "False": "True"}[good]
        reason = reasons.get(kind)
        conditions.append(
            {
                "type": kind,
                "status": bad if reason else good,
                "reason": reason or GOOD_REASONS.get(kind, kind),
                "message": f"says {kind}",
                "observedGeneration": seen,
            }
        )
    status = {"observedGeneration": seen, "phase": phase, "message": "a sentence", "conditions": conditions, "replicas": replicas}
    return read_view({"metadata": {"name": "trend", "namespace": "prod", "generation": 2}, "spec": {}, "status": status})


@pytest.mark.parametrize(
    ("view", "state", "missing"),
    [
        (bot(), LifecycleState.RUNNING, ""),
        (bot("Finished"), LifecycleState.RUNNING, ""),
        (bot(seen=1), LifecycleState.RUNNING, "has not looked at generation 2"),
        (bot("Starting", Ready="EngineStarting"), LifecycleState.RUNNING, "Starting: a sentence"),
        (bot("Paused"), LifecycleState.PAUSED, ""),
        (bot("Running"), LifecycleState.PAUSED, "Running: a sentence"),
        (bot("Paused", TuningApplied="WaitingForEngine"), LifecycleState.PAUSED, "Paused: a sentence"),
        (bot("Stopped", replicas=0), LifecycleState.STOPPED, ""),
        (bot("Stopped", replicas=1), LifecycleState.STOPPED, "Stopped: a sentence"),
    ],
)
def test_a_state_is_reached_when_the_engines_have_it(view: BotView, state: LifecycleState, missing: str) -> None:
    found = until_state(view, state)
    assert missing in found
    assert bool(found) is bool(missing)


@pytest.mark.parametrize(
    ("view", "missing"),
    [
        (bot(), ""),
        (bot(seen=1), "has not looked at generation 2"),
        (bot(TuningApplied="WaitingForEngine"), "says TuningApplied"),
        (bot(TuningApplied="WaitingForEngine", Progressing="WaitingForPositions"), "says TuningApplied; says Progressing"),
        (bot("Stopped", TuningApplied="Stopped"), ""),
    ],
)
def test_a_change_is_applied_when_every_engine_runs_it(view: BotView, missing: str) -> None:
    assert until_tuned(view) == missing or (missing and missing in until_tuned(view))


def test_what_no_waiting_brings_about_ends_the_waiting() -> None:
    with pytest.raises(FailedError, match="the engine refuses the change: says TuningApplied"):
        until_tuned(bot(TuningApplied="DocumentRefused"))
    with pytest.raises(FailedError, match=r"can't be run \(SpecInvalid\)"):
        until_state(bot("Refused", Accepted="SpecInvalid"), LifecycleState.RUNNING)
    with pytest.raises(FailedError, match="does not get on"):
        until_restarted(bot(Progressing="RolloutStalled"), [], {"trend-0": "1"})


@pytest.mark.parametrize(
    ("pods", "missing"),
    [
        ([PodFacts(name="trend-0", uid="1", ready=True)], "0 of 1 engines restarted"),
        ([PodFacts(name="trend-0", uid="2")], "0 of 1 engines restarted"),
        ([], "0 of 1 engines restarted"),
        ([PodFacts(name="trend-0", uid="2", ready=True)], ""),
    ],
)
def test_a_pod_is_restarted_when_another_one_is_ready(pods: list[PodFacts], missing: str) -> None:
    assert until_restarted(bot(), pods, {"trend-0": "1"}) == missing
