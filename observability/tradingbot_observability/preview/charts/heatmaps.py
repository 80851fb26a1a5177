"""Heatmaps of a histogram's buckets: the brighter, the more fell into the bucket in that time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts import axes
from tradingbot_observability.preview.charts.shown import Chart
from tradingbot_observability.preview.panel import Box
from tradingbot_observability.preview.units import format_value

_COLORS: Final = ((0.0, (60, 36, 20)), (0.35, (168, 74, 20)), (0.7, (253, 141, 60)), (1.0, (255, 236, 210)))


def draw_heatmap(chart: Chart) -> str:
    """Return the chart; buckets in which nothing ever fell are left out at both ends."""
    buckets = sorted((_bound(shown.series.labels["le"]), dict(shown.series.points)) for shown in chart.shown)
    cells: list[tuple[float, dict[float, float]]] = []
    below: dict[float, float] = {}
    for bound, rates in buckets:
        cells.append((bound, {at: max(rate - below.get(at, 0.0), 0.0) for at, rate in rates.items()}))
        below = rates
    used = [number for number, (_, rates) in enumerate(cells) if any(rate > 0 for rate in rates.values())]
    if not used:
        return ""
    rows = cells[max(used[0] - 1, 0) : used[-1] + 2]
    most = max(rate for _, rates in rows for rate in rates.values())
    return _draw(chart, rows, most)


def _draw(chart: Chart, rows: list[tuple[float, dict[float, float]]], most: float) -> str:
    box = chart.box
    names = [_name(bound, chart.panel.unit) for bound, _ in rows]
    left = max(svg.text_width(name, 11) for name in names) + 14
    plot = Box(box.x + left, box.y + 6, box.width - left - 6, box.height - 28)
    height = plot.height / len(rows)
    parts = [axes.draw_times(chart.window, plot)]
    every = max(1, math.ceil(len(rows) * 14 / plot.height))
    for number, ((_, rates), name) in enumerate(zip(rows, names, strict=True)):
        y = plot.y + plot.height - (number + 1) * height
        if number % every == 0:
            parts.append(svg.text(plot.x - 8, y + 4, name, size=11, fill=svg.FAINT, anchor="end"))
        for at, rate in rates.items():
            if rate > 0:
                x = axes.time_at(chart.window, plot, at - chart.step)
                width = axes.time_at(chart.window, plot, at) - x
                start = max(x, plot.x)
                parts.append(svg.rectangle(start, y, x + width - start + 0.3, height + 0.3, _color(math.sqrt(rate / most))))
    return "".join(parts)


def _bound(text: str) -> float:
    return math.inf if text == "+Inf" else float(text)


def _name(bound: float, unit: str) -> str:
    return "more" if math.isinf(bound) else format_value(bound, unit)


def _color(share: float) -> str:
    for (low, before), (high, after) in pairwise(_COLORS):
        if share <= high:
            part = (share - low) / (high - low)
            mixed = (round(one + (other - one) * part) for one, other in zip(before, after, strict=True))
            return "#" + "".join(f"{value:02x}" for value in mixed)
    return "#ffecd2"
