"""One page of HTML for a dashboard: its panels on the grid of 24 columns, each with what it is told and its words as a tooltip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from msgspec import Struct

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts.heatmaps import draw_heatmap
from tradingbot_observability.preview.charts.lines import draw_lines
from tradingbot_observability.preview.charts.shown import Chart, Moment, Shown
from tradingbot_observability.preview.charts.tables import draw_table
from tradingbot_observability.preview.charts.tiles import draw_number, draw_ranking
from tradingbot_observability.preview.charts.timelines import draw_timeline
from tradingbot_observability.preview.panel import Box, PanelModel
from tradingbot_observability.preview.queries import Window

WIDTH: Final = 1680.0
_COLUMNS: Final = 24
_ROW: Final = 38.0
_GAP: Final = 8.0
_HEAD: Final = 64.0
_TITLE: Final = 32.0
_CHARTS: Final[Mapping[str, Callable[[Chart], str]]] = {
    "timeseries": draw_lines,
    "stat": draw_number,
    "bargauge": draw_ranking,
    "state-timeline": draw_timeline,
    "heatmap": draw_heatmap,
    "table": draw_table,
}


class Filled(Struct, frozen=True):
    """A panel and what Prometheus said of it."""

    panel: PanelModel
    shown: tuple[Shown, ...]
    step: float


def pixels(place: Box) -> Box:
    """Return where a place of the grid is on the page."""
    column = (WIDTH - _GAP) / _COLUMNS
    return Box(_GAP + place.x * column, _HEAD + place.y * _ROW, place.width * column - _GAP, place.height * _ROW - _GAP)


def page_height(panels: list[PanelModel]) -> float:
    return max(pixels(panel.place).y + pixels(panel.place).height for panel in panels) + 2 * _GAP


def render_page(
    dashboard: Mapping[str, Any], filled: list[Filled], window: Window, variables: Mapping[str, str], moments: tuple[Moment, ...]
) -> str:
    """Return the page, which needs nothing from anywhere."""
    rows = [PanelModel(each) for each in dashboard["panels"] if each["type"] == "row"]
    height = page_height([each.panel for each in filled])
    parts = [_head(dashboard, window, variables), *(_section(row) for row in rows), *(_panel(each, window, moments) for each in filled)]
    drawing = svg.tag("svg", "".join(parts), xmlns="http://www.w3.org/2000/svg", width=WIDTH, height=height, font_family=svg.FONT)
    title = escape(dashboard["title"])
    style = f"body {{ margin: 0; background: {svg.BACKGROUND}; }}"
    head = f'<meta charset="utf-8"><title>{title}</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{drawing}</body></html>\n'


def _head(dashboard: Mapping[str, Any], window: Window, variables: Mapping[str, str]) -> str:
    labels = {each["name"]: each.get("label") or each["name"] for each in dashboard["templating"]["list"]}
    parts = [svg.text(_GAP + 8, 38, dashboard["title"], size=20, weight=600)]
    x = _GAP + svg.text_width(dashboard["title"], 20) + 60
    for name, value in variables.items():
        words = "All" if value == ".+" else value
        label, width = labels[name], svg.text_width(labels[name], 12) + svg.text_width(words, 12) + 44
        parts.append(svg.tag("rect", x=x, y=20.0, width=width, height=28.0, fill=svg.CARD, stroke=svg.BORDER, rx=3))
        parts.append(svg.text(x + 10, 38, label, size=12, fill="#6e9fff") + svg.text(x + svg.text_width(label, 12) + 26, 38, words))
        x += width + 10
    times = [dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S") for at in (window.start, window.end)]
    parts.append(svg.text(WIDTH - 16, 38, f"{times[0]} to {times[1]} UTC", size=12, fill=svg.FAINT, anchor="end"))
    return "".join(parts)


def _section(row: PanelModel) -> str:
    box = pixels(row.place)
    return svg.text(box.x + 2, box.y + 20, f"⌄  {row.title}", size=15, weight=600)


def _panel(filled: Filled, window: Window, moments: tuple[Moment, ...]) -> str:
    panel, box = filled.panel, pixels(filled.panel.place)
    inner = Box(box.x + 10, box.y + _TITLE, box.width - 20, box.height - _TITLE - 10)
    parts = [svg.tag("rect", x=box.x, y=box.y, width=box.width, height=box.height, fill=svg.CARD, stroke=svg.BORDER, rx=3)]
    parts.append(svg.tag("title", escape(panel.description)))
    parts.append(svg.text(box.x + 10, box.y + 21, svg.shortened(panel.title, 13.5, box.width - 20), size=13.5, weight=600))
    with_points = tuple(shown for shown in filled.shown if shown.series.points)
    drawn = ""
    if with_points:
        drawn = _CHARTS[panel.kind](Chart(panel, with_points, window, filled.step, inner, moments))
    if not drawn:
        words = panel.defaults.get("noValue", "No data")
        drawn = svg.text(box.x + box.width / 2, box.y + box.height / 2 + 8, words, size=14, fill=svg.FAINT, anchor="middle")
    return svg.tag("g", "".join(parts) + drawn)
