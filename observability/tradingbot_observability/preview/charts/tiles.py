"""A large number on its colour, and bars of which each is one value."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts.lines import spark
from tradingbot_observability.preview.charts.shown import Chart
from tradingbot_observability.preview.panel import color_at
from tradingbot_observability.preview.units import format_value

_DARK: Final = "#141619"


def draw_number(chart: Chart) -> str:
    """Return the last value, on a tile or before its course."""
    panel, box = chart.panel, chart.box
    value = chart.shown[0].series.last
    word = panel.words.get(f"{value:g}", {})
    words = str(word.get("text", format_value(value, panel.unit, panel.decimals)))
    color = svg.color(str(word.get("color", color_at(panel.steps, value))))
    size = min(box.height * 0.55, (box.width - 20) / svg.text_width(words, 1.0, bold=True), 54.0)
    x, y = box.x + box.width / 2, box.y + box.height / 2 + size * 0.36
    if panel.options["colorMode"] == "background_solid":
        tile = svg.rectangle(box.x, box.y, box.width, box.height, color, radius=3)
        return tile + svg.text(x, y, words, size=size, fill=_DARK, anchor="middle", weight=600)
    course = spark(chart, color) if panel.options.get("graphMode") == "area" else ""
    return course + svg.text(x, y, words, size=size, fill=color, anchor="middle", weight=600)


def draw_ranking(chart: Chart) -> str:
    """Return a bar for each series."""
    panel, box = chart.panel, chart.box
    high = panel.defaults.get("max") or max(shown.series.last for shown in chart.shown) or 1.0
    height = min(box.height / len(chart.shown), 48.0)
    number_width = 70.0
    parts = []
    for row, shown in enumerate(chart.shown):
        value, y = shown.series.last, box.y + row * height
        color = svg.color(color_at(panel.steps, value))
        width = box.width - number_width
        parts.append(svg.text(box.x, y + height * 0.38, svg.shortened(shown.name, 11.5, width), size=11.5))
        top, thick = y + height * 0.5, height * 0.36
        parts.append(svg.rectangle(box.x, top, width, thick, svg.GRID, radius=2))
        parts.append(svg.rectangle(box.x, top, width * min(max(value / high, 0.0), 1.0), thick, color, radius=2))
        words = format_value(value, panel.unit, panel.decimals)
        parts.append(svg.text(box.x + box.width, top + thick * 0.85, words, size=13, fill=color, anchor="end", weight=600))
    return "".join(parts)
