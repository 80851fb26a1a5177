"""A backtest's result on a terminal: figures beside those of holding, the curve, and what a person should know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_cli.backtest.result import Backtest, Curves
from tradingbot_cli.books.curve_plot import draw_curve
from tradingbot_cli.books.statistics_table import build_curve_rows, build_trade_rows, ratio, share
from tradingbot_cli.figures import count, market_date, money, per_second
from tradingbot_cli.output import Cell, Column, Table, Tone, render_table

_NAME: Final = 22
_FIGURE: Final = 28


def build_lines(found: Backtest, curves: Curves, columns: int) -> list[str]:
    """Return all there is to say of one bot."""
    statistics = found.statistics
    head = f"{found.bot}: {found.strategy} on {', '.join(found.symbols)}, {found.timeframe} bars"
    span = f"{market_date(statistics.first_at)} to {market_date(statistics.last_at)}, {count(found.bars, 'bar')}"
    pace = per_second(found.bars / found.seconds if found.seconds else None)
    lines = [head, f"{span}, played in {found.seconds:.1f} s ({pace})", ""]
    lines += [*draw_curve(curves.bot, columns), ""]
    lines += _figures(found)
    lines += [f"note: {note}" for note in (*_notes(found), *found.notes)]
    return lines


def build_comparison(results: Sequence[Backtest]) -> list[str]:
    """Return a line for each of several bots."""
    titles = ("BOT", "STRATEGY", "RETURN", "HOLD", "CAGR", "MAX DRAWDOWN", "SHARPE", "SORTINO", "TRIPS", "WON", "PROFIT FACTOR")
    return render_table(Table(tuple(map(Column, titles)), [_row(found) for found in results]))


def _row(found: Backtest) -> list[Cell]:
    own = found.statistics
    better = (own.total_return or 0.0) >= (found.hold.total_return or 0.0)
    return [
        Cell(found.bot, Tone.STRONG),
        Cell(found.strategy),
        Cell(share(own.total_return, sign=True), Tone.GOOD if better else Tone.BAD),
        Cell(share(found.hold.total_return, sign=True)),
        Cell(share(own.annual_growth, sign=True)),
        Cell(share(own.max_drawdown)),
        Cell(ratio(own.sharpe)),
        Cell(ratio(own.sortino)),
        Cell(f"{own.trades:,}"),
        Cell(share(own.win_rate, digits=0)),
        Cell(ratio(own.profit_factor)),
    ]


def _figures(found: Backtest) -> list[str]:
    own, held = found.statistics, found.hold
    lines = [f"{'':{_NAME}}{found.bot:<{_FIGURE}}buy and hold"]
    equity = [money(statistics.final_equity, found.currency) for statistics in (own, held)]
    lines.append(f"{'equity at the end':{_NAME}}{equity[0]:<{_FIGURE}}{equity[1]}")
    for (name, figure), (_, other) in zip(build_curve_rows(own), build_curve_rows(held), strict=True):
        lines.append(f"{name:{_NAME}}{figure:<{_FIGURE}}{other}")
    lines += [f"{name:{_NAME}}{figure}" for name, figure in build_trade_rows(own, found.currency)]
    rejected = f", {found.rejected_orders:,} rejected" if found.rejected_orders else ""
    lines.append(f"{'orders':{_NAME}}{found.orders:,}{rejected}, {count(found.fills, 'fill')}")
    return lines


def _notes(found: Backtest) -> list[str]:
    notes = []
    if found.open_positions:
        notes.append(f"still held at the end, and in no round trip: {', '.join(sorted(found.open_positions))}")
    if not found.fills:
        notes.append("the bot has not traded; what holds it back is in its orders, or in its strategy's conditions")
    if found.statistics.annual_growth is None:
        notes.append("less than a year of prices: nothing is told by the year of what was earned")
    return notes
