"""A strategy's failures: counted all, logged once each."""

from __future__ import annotations

import logging

import pytest

from tradingbot_engine.checkpoint import NO_STATE
from tradingbot_engine.strategy.interface import Parameters, Strategy
from tradingbot_engine.strategy.runner import FAILURES_UNTIL_HALT, StrategyRunner
from tradingbot_engine.telemetry.counts import Component, Counts


class Clumsy(Strategy):
    def on_stop(self) -> None:
        raise LookupError("stop")


def build(halted: list[str]) -> tuple[StrategyRunner, Counts]:
    counts = Counts()
    return StrategyRunner(Clumsy(Parameters()), counts, on_halt=lambda: halted.append("halted")), counts


def fail(runner: StrategyRunner, text: str) -> None:
    try:
        float(text)
    except ValueError as error:
        runner.failed("on_bar", error)


def test_the_same_mistake_is_logged_once_and_counted_each_time(caplog: pytest.LogCaptureFixture) -> None:
    runner, counts = build([])
    for number in range(FAILURES_UNTIL_HALT - 1):
        fail(runner, f"price {number}")
    assert counts.errors[Component.STRATEGY] == FAILURES_UNTIL_HALT - 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.records[0].exc_info
    runner.stop()
    assert len(caplog.records) == 2 + 1  # another place, and the halt


def test_a_halt_is_told_once_and_names_the_error() -> None:
    halted: list[str] = []
    runner, _ = build(halted)
    for number in range(FAILURES_UNTIL_HALT + 3):
        fail(runner, f"price {number}")
    assert halted == ["halted"]
    assert runner.halted_by.startswith(f"Clumsy.on_bar failed {FAILURES_UNTIL_HALT} times in a row: ValueError: could not convert")
    assert runner.halted_by.endswith(f"'price {FAILURES_UNTIL_HALT - 1}'")
    assert runner.save() == NO_STATE
    runner.stop()  # is not asked


class MuteError(Exception):
    """An error whose own code is wrong, too."""

    def __str__(self) -> str:
        raise KeyError("text")


def test_an_error_that_cannot_say_what_it_is_is_counted_like_any_other() -> None:
    halted: list[str] = []
    runner, counts = build(halted)
    for _ in range(FAILURES_UNTIL_HALT):
        runner.failed("on_bar", MuteError())
    assert counts.errors[Component.STRATEGY] == FAILURES_UNTIL_HALT
    assert runner.halted_by == f"Clumsy.on_bar failed {FAILURES_UNTIL_HALT} times in a row: MuteError"
    assert halted == ["halted"]


def test_the_next_lap_s_strategy_stays_halted() -> None:
    first, _ = build([])
    for number in range(FAILURES_UNTIL_HALT):
        fail(first, f"price {number}")
    second, _ = build([])
    second.stay_halted(first)
    assert second.halted_by == first.halted_by
    assert second.failures
