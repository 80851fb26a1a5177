"""An equity curve on a terminal: the equity above, and beneath it how far it is below its highest, hanging from the top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tradingbot_cli.figures import market_date
from tradingbot_cli.plot import condense, draw
from tradingbot_engine.statistics.curve import CurvePoint, drawdown_at_each

EQUITY_ROWS: Final = 10
DRAWDOWN_ROWS: Final = 4
_LABEL_COLUMNS: Final = 14
_HALF: Final = "▀"
_FULL: Final = "█"
_FEWEST_COLUMNS: Final = 20
MOST_COLUMNS: Final = 120


def draw_curve(curve: Sequence[CurvePoint], columns: int) -> list[str]:
    """Return the lines of the plot, at most `columns` wide; none for an empty curve."""
    if not curve:
        return []
    known = [point.equity for point in curve]
    top, bottom = f"{max(known):,.0f}", f"{min(known):,.0f}"
    margin = max(_LABEL_COLUMNS, len(top) + 2, len(bottom) + 2)
    width = max(_FEWEST_COLUMNS, min(MOST_COLUMNS, columns - margin))
    equity = spread(known, width)
    depths = deepest_of_each(drawdown_at_each(curve), width)
    deepest = max(depths)
    lines = _label(draw(equity, width=width, height=EQUITY_ROWS), top, bottom, margin)
    if deepest > 0.0:
        lines += _label(draw_depths(depths, DRAWDOWN_ROWS), "drawdown 0 %", f"-{deepest * 100:.1f} %", margin)
    first, last = market_date(curve[0].time), market_date(curve[-1].time)
    return [*lines, f"{'':{margin}}{first}{last:>{max(1, width - len(first))}}"]


def draw_depths(depths: Sequence[float], height: int) -> list[str]:
    """Return `height` rows in which each value hangs from the top; the deepest reaches the bottom."""
    deepest = max(depths, default=0.0)
    halves = [round(depth / deepest * height * 2) if deepest else 0 for depth in depths]
    return [
        "".join(_FULL if half >= 2 * row + 2 else _HALF if half == 2 * row + 1 else " " for half in halves).rstrip()
        for row in range(height)
    ]


def spread(values: Sequence[float], width: int) -> list[float]:
    """Return exactly `width` values: means of as many parts, or each value as often as it takes."""
    condensed = condense(values, width)
    return [condensed[column * len(condensed) // width] for column in range(width)]


def deepest_of_each(depths: Sequence[float], width: int) -> list[float]:
    """Return exactly `width` values: the deepest of as many parts."""
    if len(depths) <= width:
        return spread(depths, width)
    bounds = [part * len(depths) // width for part in range(width + 1)]
    return [max(depths[start:end]) for start, end in pairwise(bounds)]


def _label(rows: Sequence[str], top: str, bottom: str, margin: int) -> list[str]:
    labels = [top, *[""] * (len(rows) - 2), bottom]
    return [f"{label:>{margin - 2}}  {row}".rstrip() for label, row in zip(labels, rows, strict=True)]
