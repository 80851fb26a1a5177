"""An idle fleet writes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_operator.bot_status import (
    Condition,
    ConditionStatus,
    FoundFinding,
    HealthSummary,
    Phase,
    Shard,
    Trading,
    TradingBotStatus,
)
from tradingbot_operator.publication import is_worth_writing
from tradingbot_operator.timestamp import format_time

WRITTEN_AT = 1_800_000_000.0

BEFORE = TradingBotStatus(
    observed_generation=1,
    phase=Phase.RUNNING,
    message="trades 2 symbols",
    memory="64Mi/512Mi",
    conditions=[
        Condition(type="Ready", status=ConditionStatus.TRUE, reason="EngineReady"),
        Condition(type="Healthy", status=ConditionStatus.TRUE, reason="Healthy", message="fine"),
    ],
    shards=[Shard(name="a-0")],
    health=HealthSummary(score=95.0),
    trading=Trading(at=format_time(WRITTEN_AT), equity=100_000.0, currency="USD", bars=10, fills=2),
)


def changed(**changes: Any) -> TradingBotStatus:
    return msgspec.structs.replace(BEFORE, **changes)


def trading(**changes: Any) -> Trading:
    assert BEFORE.trading is not None
    return msgspec.structs.replace(BEFORE.trading, **changes)


def finding(severity: str, message: str = "12 s") -> HealthSummary:
    return HealthSummary(score=95.0, findings=[FoundFinding(reason="EngineSilent", severity=severity, message=message)])


def after(seconds: float, status: TradingBotStatus, before: TradingBotStatus = BEFORE) -> bool:
    return is_worth_writing(before, status, at=WRITTEN_AT + seconds)


@pytest.mark.parametrize(
    "status",
    [
        changed(phase=Phase.UNHEALTHY),
        changed(observed_generation=2),
        changed(message="something else"),
        changed(restarts=1),
        changed(conditions=[]),
        changed(shards=[Shard(name="a-0", node="another")]),
        changed(health=finding("critical")),
        changed(health=HealthSummary(score=None)),
        changed(trading=None),
        changed(trading=trading(unknown_orders=1)),
        changed(trading=trading(fills=0)),
    ],
)
def test_what_people_act_on_is_written_at_once(status: TradingBotStatus) -> None:
    assert after(0.0, status)


@pytest.mark.parametrize(
    "status",
    [
        BEFORE,
        changed(message="trades 3 symbols"),
        changed(memory="65Mi/512Mi"),
        changed(health=HealthSummary(score=91.0)),
        changed(
            trading=trading(bars=99_999, fills=77, open_positions=2, open_orders=1, equity=100_499.0, at=format_time(WRITTEN_AT + 9999))
        ),
    ],
)
def test_figures_that_hardly_move_are_never_written_alone(status: TradingBotStatus) -> None:
    assert not after(86_400.0, status)


@pytest.mark.parametrize(
    "status",
    [
        changed(trading=trading(equity=100_500.0)),
        changed(trading=trading(equity=99_000.0)),
        changed(health=HealthSummary(score=90.0)),
        changed(memory="71Mi/512Mi"),
    ],
)
def test_figures_that_moved_notably_are_written_after_a_while(status: TradingBotStatus) -> None:
    assert not after(299.0, status)
    assert after(300.0, status)


def test_warnings_come_and_go_without_a_write_each() -> None:
    warned = changed(
        health=finding("warning"),
        conditions=[BEFORE.conditions[0], msgspec.structs.replace(BEFORE.conditions[1], message="CPU is high")],
    )
    assert not after(59.0, warned)
    assert after(60.0, warned)
    assert not after(59.0, BEFORE, before=warned)


def test_a_figure_in_a_message_is_no_news() -> None:
    silent = changed(health=finding("critical", "silent for 12 s"))
    assert not after(10.0, changed(health=finding("critical", "silent for 22.5 s")), before=silent)
    assert after(10.0, changed(health=finding("critical", "gone for 12 s")), before=silent)
