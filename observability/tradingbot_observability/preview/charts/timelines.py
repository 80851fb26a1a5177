"""State timelines: a row for each series, coloured by what its value means."""

from __future__ import annotations

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts import axes
from tradingbot_observability.preview.charts.shown import Chart, Shown
from tradingbot_observability.preview.panel import Box

_SIZE = 11.5


def draw_timeline(chart: Chart) -> str:
    """Return the chart."""
    box = chart.box
    names = max(svg.text_width(shown.name, _SIZE) for shown in chart.shown)
    left = min(names + 12, box.width * 0.4)
    plot = Box(box.x + left, box.y + 4, box.width - left - 6, box.height - 26)
    height = plot.height / len(chart.shown)
    parts = [axes.draw_times(chart.window, plot)]
    for row, shown in enumerate(chart.shown):
        middle = plot.y + (row + 0.5) * height
        name = svg.shortened(shown.name, _SIZE, left - 10)
        parts.append(svg.text(plot.x - 8, middle + 4, name, size=_SIZE, fill=svg.FAINT, anchor="end"))
        parts.append(_row(chart, shown, plot, middle, min(height * 0.8, 46.0)))
    return "".join(parts)


def _row(chart: Chart, shown: Shown, plot: Box, middle: float, height: float) -> str:
    parts = []
    for start, end, value in _spans(chart, shown):
        word = chart.panel.words.get(f"{value:g}", {"text": f"{value:g}", "color": "text"})
        x1, x2 = axes.time_at(chart.window, plot, start), axes.time_at(chart.window, plot, end)
        parts.append(svg.rectangle(x1, middle - height / 2, x2 - x1, height, svg.color(word["color"]), opacity=0.8))
        if svg.text_width(word["text"], _SIZE) + 10 < x2 - x1:
            parts.append(svg.text(x1 + 6, middle + 4, word["text"], size=_SIZE, fill="#141619"))
    return "".join(parts)


def _spans(chart: Chart, shown: Shown) -> list[tuple[float, float, float]]:
    """Return from when to when there was which value."""
    spans: list[tuple[float, float, float]] = []
    for at, value in shown.series.points:
        end = min(at + chart.step, chart.window.end)
        if spans and spans[-1][2] == value and at - spans[-1][1] <= chart.step:
            spans[-1] = (spans[-1][0], end, value)
        else:
            spans.append((at, end, value))
    return spans
