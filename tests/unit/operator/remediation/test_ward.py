"""Engines over time: what each row of the table of outcomes looks like, second by second."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tradingbot_operator.operations import Remediation
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import FleetFacts

Make = Callable[..., Any]
KILLED, FAILED, OUT_OF_MEMORY = 137, 1, -1


def kill_when_trading_for(seconds: float, times: int) -> Callable[[Any], int | None]:
    """Return the fate of an engine that somebody kills, so often, each time that it has traded for a while."""
    left = [times]

    def fate(engine: Any) -> int | None:
        if left[0] and engine.age >= 2.0 + seconds:
            left[0] -= 1
            return KILLED
        return None

    return fate


def test_an_engine_that_is_killed_once_is_the_kubelets(make_engine: Make, make_ward: Make) -> None:
    ward = make_ward([make_engine(fate=kill_when_trading_for(5.0, 1))])
    ward.pass_seconds(120)
    assert ward.decisions == []
    assert ward.engines[0].is_up


@pytest.mark.parametrize("trades_for", [1.0, 5.0, 15.0, 60.0])
def test_ten_kills_in_a_row_are_each_answered_at_once(make_engine: Make, make_ward: Make, trades_for: float) -> None:
    engine = make_engine(fate=kill_when_trading_for(trades_for, 10))
    ward = make_ward([engine])
    down, longest = 0, 0
    for _ in range(int(12 * (trades_for + 8))):
        ward.pass_seconds(1)
        down = 0 if engine.is_up else down + 1
        longest = max(longest, down)
    assert longest <= 4, "trading again within 4 s, of which 2 are the engine's own"
    assert ward.steps == ["RestartPod"] * 5, "the kubelet answers the first death in each pod, the operator the second"
    assert engine.is_up
    assert {decision.result for decision in ward.record.history} == {"Helped"}


def test_a_poison_engine_ends_in_quarantine_after_bounded_steps(make_engine: Make, make_ward: Make) -> None:
    engine = make_engine(fate=lambda engine: FAILED if engine.age >= 1.0 and not engine.quarantine else None)
    ward = make_ward([engine])
    ward.pass_seconds(1500)
    assert ward.steps == ["RestartPod"] * 4 + ["RecreateElsewhere", "Quarantine"]
    times = [parse_time(decision.time) for decision in ward.decisions]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    for count, pause in enumerate(pauses, start=1):
        assert (count * count + count) * 10.0 <= pause < (count * count + count) * 10.0 + 20.0 * 2**count
    assert engine.quarantine is not None
    assert engine.quarantine.reason == "CrashLooping"
    assert "5 restarts in a row did not help" in engine.quarantine.message
    # It came up fenced, and then nothing more is done, however long it lasts.
    assert ward.record.history[-1].result == "Helped"
    settled = ward.record
    ward.pass_seconds(3000)
    assert ward.record == settled


def test_a_quarantine_whose_engine_dies_on_is_left_alone(make_engine: Make, make_ward: Make) -> None:
    ward = make_ward([make_engine(fate=lambda engine: FAILED if engine.age >= 1.0 else None)])
    ward.pass_seconds(6000)
    assert ward.steps[-1] == "Quarantine"
    assert len(ward.steps) == 6
    assert Reason.QUARANTINED in ward.held


def test_an_engine_that_trades_for_a_while_and_ends_by_itself_each_time_ends_in_quarantine_too(make_engine: Make, make_ward: Make) -> None:
    ward = make_ward([make_engine(fate=lambda engine: FAILED if engine.age >= 40.0 and not engine.quarantine else None)])
    ward.pass_seconds(4000)
    assert ward.steps == ["RestartPod"] * 4 + ["RecreateElsewhere", "Quarantine"]


def test_a_person_ends_a_quarantine_and_everything_counts_anew(make_engine: Make, make_ward: Make, moment: Any) -> None:
    engine = make_engine(fate=lambda engine: FAILED if engine.age >= 1.0 and not engine.quarantine else None)
    ward = make_ward([engine])
    ward.pass_seconds(1500)
    for changes in ({"generation": 2}, {"generation": 2, "annotations": {"tradingbot.dev/restart": "again"}}):
        assert engine.quarantine is not None
        before = len(ward.steps)
        ward.bot = moment.bot(**changes)
        ward.pass_seconds(1)
        assert engine.quarantine is None
        assert ward.record.efforts == []
        ward.pass_seconds(2500)
        assert ward.steps[before:] == ["RestartPod"] * 4 + ["RecreateElsewhere", "Quarantine"]


def test_memory_grows_until_it_fits(make_engine: Make, make_ward: Make, moment: Any) -> None:
    needed = 700 * 2**20
    engine = make_engine(fate=lambda engine: OUT_OF_MEMORY if engine.age >= 5.0 and engine.limit_bytes < needed else None)
    ward = make_ward([engine], bot=moment.bot(remediation={"memoryCeiling": "2Gi"}))
    ward.pass_seconds(600)
    assert set(ward.steps) == {"GrowMemory"}
    assert needed <= engine.limit_bytes < 1.2 * needed
    assert engine.is_up
    assert ward.record.history[-1].result == "Helped"
    assert engine.pods == 1


def test_memory_never_grows_beyond_the_ceiling_and_then_the_engine_counts_as_dying(make_engine: Make, make_ward: Make, moment: Any) -> None:
    engine = make_engine(fate=lambda engine: OUT_OF_MEMORY if engine.age >= 2.0 and not engine.quarantine else None)
    ward = make_ward([engine], bot=moment.bot(remediation={"memoryCeiling": "700Mi", "backoffSeconds": 1, "maxActions": 60}))
    ward.pass_seconds(2000)
    assert engine.limit_bytes == 700 * 2**20
    assert ward.steps[:3] == ["GrowMemory", "GrowMemory", "ShrinkCaches"]
    assert ward.steps[-2:] == ["RecreateElsewhere", "Quarantine"]
    assert {decision.reason for decision in ward.decisions} == {"OOMKilled", "CrashLooping"}


def test_memory_that_stays_high_is_answered_step_by_step(make_engine: Make, make_ward: Make, moment: Any) -> None:
    def findings(engine: Any) -> tuple[Any, ...]:
        high = engine.age > 60.0 and engine.pods == 1
        return (moment.finding("MemoryHigh", "warning", lasts=engine.age, at=engine.now),) if high else ()

    bot = moment.bot(remediation={"memoryCeiling": "1Gi"}, prediction={"finbert": {"source": "/models/finbert"}})
    ward = make_ward([make_engine(findings=findings)], bot=bot)
    ward.pass_seconds(1500)
    assert ward.steps == ["ShrinkCaches", "GrowMemory", "LowerMemoryMode", "RestartPod"]
    assert [decision.result for decision in ward.record.history] == ["DidNotHelp"] * 3 + ["Helped"]
    # An hour later all but the memory is as the spec says.
    ward.pass_seconds(11_000)
    adjustment = ward.engines[0].before.adjustment
    assert (adjustment.cache_percent, adjustment.memory_mode, adjustment.memory_limit) == (100, "", "615Mi")


def test_memory_that_nothing_brings_down_is_said_and_never_quarantined(make_engine: Make, make_ward: Make, moment: Any) -> None:
    ward = make_ward([make_engine(findings=lambda engine: (moment.finding("MemoryHigh", "warning", lasts=90.0, at=engine.now),))])
    ward.pass_seconds(4000)
    assert ward.steps == ["ShrinkCaches", "RestartPod"]
    assert ward.engines[0].quarantine is None
    assert ward.engines[0].is_up


def test_a_sick_fleet_is_left_to_the_kubelet(make_engine: Make, make_ward: Make) -> None:
    ward = make_ward([make_engine(fate=kill_when_trading_for(5.0, 10))], fleet=FleetFacts(judged=5, sick=3))
    ward.pass_seconds(600)
    assert ward.decisions == []
    assert Reason.FLEET_SICK in ward.held
    assert ward.engines[0].processes > 3


def test_a_dry_run_only_says_what_it_would_do_and_not_too_often(make_engine: Make, make_ward: Make, moment: Any) -> None:
    engine = make_engine(fate=lambda engine: FAILED if engine.age >= 1.0 else None)
    ward = make_ward([engine], bot=moment.bot(remediation={"mode": "DryRun"}))
    ward.pass_seconds(900)
    assert {(decision.action, decision.step, decision.result) for decision in ward.decisions} == {("DryRun", "RestartPod", "")}
    assert len(ward.decisions) <= 6
    assert engine.pods == 1
    assert engine.quarantine is None


def test_the_shards_of_a_bot_are_seen_to_one_after_the_other(make_engine: Make, make_ward: Make) -> None:
    engines = [
        make_engine(name=f"calm-{number}", fate=lambda engine: FAILED if engine.pods == 1 and engine.age >= 3.0 else None)
        for number in range(3)
    ]
    ward = make_ward(engines)
    ward.pass_seconds(120)
    assert [(decision.shard, decision.action) for decision in ward.decisions] == [(f"calm-{number}", "RestartPod") for number in range(3)]
    assert all(engine.is_up for engine in engines)


def test_a_spent_budget_holds_until_it_refills(make_engine: Make, make_ward: Make, moment: Any) -> None:
    rules = Remediation(max_actions=2, per_seconds=600)
    bot = moment.bot(remediation={"maxActions": rules.max_actions, "perSeconds": rules.per_seconds})
    ward = make_ward([make_engine(fate=kill_when_trading_for(1.0, 1000))], bot=bot)
    ward.pass_seconds(3600)
    times = [parse_time(decision.time) for decision in ward.decisions]
    assert all(sum(start <= time < start + rules.per_seconds for time in times) <= 2 * rules.max_actions for start in times)
    assert Reason.BUDGET_SPENT in ward.held
    assert len(times) <= rules.max_actions + 3600 * rules.max_actions / rules.per_seconds


def test_an_engine_that_was_well_for_an_hour_has_a_clean_slate(make_engine: Make, make_ward: Make) -> None:
    ward = make_ward([make_engine(fate=kill_when_trading_for(5.0, 2))])
    ward.pass_seconds(200)
    assert [effort.shard for effort in ward.record.efforts] == ["calm-0"]
    ward.pass_seconds(3700)
    assert ward.record.efforts == []
    settled = ward.record
    ward.pass_seconds(500)
    assert ward.record == settled
