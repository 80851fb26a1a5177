from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from tradingbot_cli.course import Moment
from tradingbot_cli.screen import PlainScreen, build_line, build_panel
from tradingbot_contract.report import EngineState, EngineStatus

ENGINE = EngineStatus(
    state=EngineState.RUNNING,
    generation=1,
    started_at=0.0,
    heartbeat_at=0.0,
    strategy="ema-cross",
    bars=1234,
    bars_this_run=1234,
    last_bar_time=951_782_400.0,
    progress=0.125,
    equity=110_000.0,
    initial_equity=100_000.0,
    currency="USD",
    drawdown=0.05,
    open_positions=2,
    orders=23,
    fills=22,
    rejected_orders=1,
)


def moment(at: float = 0.0, **changes: Any) -> Moment:
    known: dict[str, Any] = {
        "engine": ENGINE,
        "answers": True,
        "report": None,
        "bars_per_second": 480.0,
        "equity": (100_000.0, 105_000.0, 110_000.0),
        "span": (0.0, 0.125),
    }
    return Moment(at=at, **(known | changes))


def printed(thing: object, width: int = 90) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(thing)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_line() -> None:
    assert build_line(moment()) == (
        "Running  12 %  score ?  1,234 bars, 480/s  2000-02-29  23 orders  22 fills  2 positions  equity 110,000.00 USD (+10.00 %)"
    )
    assert build_line(moment(engine=None)) == "Starting"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_panel_has_every_figure_at_any_width(width: int) -> None:
    text = printed(build_panel(moment(), "first-bot", width), width)
    assert all(len(line) <= width for line in text.splitlines())
    for figure in ("Running", "1,234", "23", "22 fills", "110,000.00 USD"):
        assert figure in text
    assert "█" in text


def test_a_panel_before_the_first_answer() -> None:
    assert "Starting" in printed(build_panel(moment(engine=None, equity=(), span=None), "first-bot", 80))


def test_a_name_with_brackets_is_no_markup() -> None:
    assert "[bold]" in printed(build_panel(moment(), "[bold]", 80))


def test_plain_lines_are_a_second_apart_unless_the_phase_changes() -> None:
    console = Console(file=io.StringIO(), width=200)
    with PlainScreen(console) as screen:
        for tenth in range(25):
            screen.show(moment(at=1000 + tenth / 10))
        screen.show(moment(at=1002.5, answers=False))
    file = console.file
    assert isinstance(file, io.StringIO)
    assert [line.split()[0] for line in file.getvalue().splitlines()] == ["Running", "Running", "Running", "Silent"]
