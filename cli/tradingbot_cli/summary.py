"""What a run came to, when it is over: from the engine's own view of its performance, and what the observer measured."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from tradingbot_cli.figures import UNKNOWN, change_percent, count, market_date, money, per_second, percent, size
from tradingbot_cli.pages import Performance
from tradingbot_contract.report import EngineStatus
from tradingbot_observer.history import Summary

_NAME_COLUMNS: Final = 18


class Result(Struct, frozen=True, kw_only=True):
    """All that is known at the end. None: the program did not answer any more."""

    engine: EngineStatus | None
    performance: Performance | None
    history: Summary | None
    journal: str
    """Where it is."""


def build_rows(result: Result) -> list[tuple[str, str]]:
    """Return names and figures."""
    engine, performance = result.engine, result.performance
    rows: list[tuple[str, str]] = []
    if engine is not None:
        rows.append(("equity", f"{money(engine.initial_equity, engine.currency)} → {money(engine.equity, engine.currency)}"))
        rows.append(("return", percent(change_percent(engine), sign=True)))
    if performance is not None:
        rows += [
            ("maximum drawdown", percent(performance.max_drawdown_percent)),
            ("trades", f"{performance.trades:,}, {percent(performance.win_rate_percent, digits=0)} won"),
            ("fees", money(performance.fees, performance.currency)),
        ]
    if engine is not None:
        rejected = f", {engine.rejected_orders:,} rejected" if engine.rejected_orders else ""
        rows += [
            (
                "orders",
                f"{engine.orders:,}{rejected}, {count(engine.fills, 'fill')}, {count(engine.open_positions, 'position')} still open",
            ),
            ("bars", f"{engine.bars:,} up to {market_date(engine.last_bar_time)}; {_this_run(engine)}"),
        ]
    if result.history is not None:
        rows.append(("engine", _measured(result.history)))
    rows.append(("journal", result.journal))
    return rows


def print_summary(console: Console, result: Result) -> None:
    """Print the result."""
    for name, figure in build_rows(result):
        console.print(f"[dim]{name:<{_NAME_COLUMNS}}[/]{escape(figure)}", highlight=False, soft_wrap=True)


def _this_run(engine: EngineStatus) -> str:
    if not engine.bars_this_run or engine.last_bar_at is None:
        return "none in this run"
    seconds = engine.last_bar_at - engine.started_at
    rate = engine.bars_this_run / seconds if seconds > 0 else None
    return f"{engine.bars_this_run:,} in this run, {per_second(rate)}"


def _measured(history: Summary) -> str:
    cpu = percent(history.average.cpu_percent, digits=0)
    lowest = UNKNOWN if history.lowest.score is None else f"{history.lowest.score:.0f}"
    return f"{size(history.peak.memory_bytes)} of memory at most, {cpu} of a core on average, lowest score {lowest}"
