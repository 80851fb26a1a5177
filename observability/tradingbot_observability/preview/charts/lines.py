"""Time series: lines, areas that are stacked, and bars, with a legend below and limits as dashed lines."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from msgspec import Struct

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts import axes
from tradingbot_observability.preview.charts.shown import Chart, Shown
from tradingbot_observability.preview.panel import Box

_LEGEND_LINE: Final = 18.0
_LEGEND_SIZE: Final = 11.5
_LEGEND_LINES: Final = 3


class _Line(Struct, frozen=True):
    name: str
    color: str
    points: tuple[tuple[float, float], ...]
    floor: tuple[float, ...]
    """On what it stands, for each point; 0 unless it is stacked."""
    dashed: bool
    fill: float


def draw_lines(chart: Chart) -> str:
    """Return the chart."""
    panel, box = chart.panel, chart.box
    lines = _stacked([_line(chart, number, shown) for number, shown in enumerate(chart.shown)]) if _is_stacked(chart) else None
    lines = lines or [_line(chart, number, shown) for number, shown in enumerate(chart.shown)]
    legend, legend_height = _legend(lines, box)
    marks = [value for value, color in panel.steps if value is not None and color != "transparent"]
    style = panel.custom.get("thresholdsStyle", {}).get("mode", "off")
    marks = marks if style != "off" else []
    values = [value for line in lines for _, value in line.points]
    bottom = box.y + box.height - legend_height - 22
    plot = Box(box.x, box.y + 6, box.width, bottom - box.y - 6)
    scale = _scale(chart, values, marks, plot)
    left = axes.values_width(scale, panel.unit)
    plot = Box(box.x + left, plot.y, box.width - left - 6, plot.height)
    parts = [axes.draw_times(chart.window, plot), axes.draw_values(scale, plot, panel.unit)]
    parts += [_bars(chart, line, scale, plot) if _is_bars(chart) else _path(chart, line, scale, plot) for line in lines]
    parts += [_limit(value, color, scale, plot) for value, color in panel.steps if value in marks]
    parts += [_moment(chart, plot, at, color) for at, color, _ in chart.moments]
    return "".join(parts) + legend


def _is_bars(chart: Chart) -> bool:
    return bool(chart.panel.custom.get("drawStyle") == "bars")


def _is_stacked(chart: Chart) -> bool:
    return bool(chart.panel.custom.get("stacking", {}).get("mode") == "normal")


def _line(chart: Chart, number: int, shown: Shown) -> _Line:
    look = chart.panel.look(shown.reference) | chart.panel.named(shown.name)
    chosen = look.get("color", {}).get("fixedColor", "")
    return _Line(
        name=shown.name,
        color=svg.color(chosen) if chosen else svg.palette(number),
        points=shown.series.points,
        floor=(0.0,) * len(shown.series.points),
        dashed="custom.lineStyle" in look,
        fill=float(look.get("custom.fillOpacity", chart.panel.custom.get("fillOpacity", 0)) or 0) / 100,
    )


def _stacked(lines: list[_Line]) -> list[_Line]:
    heights: dict[float, float] = {}
    found = []
    for line in lines:
        floor = tuple(heights.get(at, 0.0) for at, _ in line.points)
        points = tuple((at, base + value) for base, (at, value) in zip(floor, line.points, strict=True))
        heights.update(points)
        found.append(_Line(line.name, line.color, points, floor, line.dashed, line.fill))
    return found


def _scale(chart: Chart, values: list[float], marks: list[float], plot: Box) -> axes.Scale:
    custom, bottom = chart.panel.custom, plot.y + plot.height
    if custom.get("scaleDistribution", {}).get("type") == "log":
        return axes.logarithmic([*values, *marks], plot.y, bottom)
    if custom.get("scaleDistribution", {}).get("type") == "symlog":
        return axes.counts(values, plot.y, bottom)
    bounds = chart.panel.defaults
    # Grafana does not make room for a limit that is far from all values; a soft bound of the panel does.
    near = [mark for mark in marks if values and mark <= 2 * max(values)]
    return axes.linear([*values, *near], plot.y, bottom, low=bounds.get("min"), high=bounds.get("max"), soft_high=custom.get("axisSoftMax"))


def _path(chart: Chart, line: _Line, scale: axes.Scale, plot: Box) -> str:
    parts = []
    stepped = chart.panel.custom.get("lineInterpolation") == "stepAfter"
    for points in _pieces(line, chart.step):
        pixels: list[tuple[float, float]] = []
        for at, value, _ in points:
            x, y = axes.time_at(chart.window, plot, at), scale.at(value)
            if stepped and pixels:
                pixels.append((x, pixels[-1][1]))
            pixels.append((x, y))
        drawn = " L ".join(f"{x:.1f} {y:.1f}" for x, y in pixels)
        if line.fill:
            floor = [(axes.time_at(chart.window, plot, at), scale.at(base)) for at, _, base in reversed(points)]
            if stepped:
                floor = [(x, y) for (x, _), y in zip(reversed(pixels), _step_floor(points, scale, len(pixels)), strict=True)]
            below = " L ".join(f"{x:.1f} {y:.1f}" for x, y in floor)
            parts.append(svg.tag("path", d=f"M {drawn} L {below} Z", fill=line.color, fill_opacity=line.fill, stroke="none"))
        dash = "8 6" if line.dashed else "none"
        if len(pixels) == 1:
            parts.append(svg.tag("circle", cx=pixels[0][0], cy=pixels[0][1], r=2.0, fill=line.color))
        parts.append(svg.tag("path", d=f"M {drawn}", fill="none", stroke=line.color, stroke_width=1.5, stroke_dasharray=dash))
    return "".join(parts)


def _step_floor(points: list[tuple[float, float, float]], scale: axes.Scale, count: int) -> list[float]:
    """Return the floor of a stepped line, from its end: each value once where it begins and once where it ends."""
    floors = [scale.at(base) for _, _, base in points]
    doubled = [floors[0]] + [y for before, after in pairwise(floors) for y in (before, after)]
    return list(reversed(doubled[:count]))


def _pieces(line: _Line, step: float) -> list[list[tuple[float, float, float]]]:
    """Return the line without its gaps."""
    pieces: list[list[tuple[float, float, float]]] = []
    for (at, value), floor in zip(line.points, line.floor, strict=True):
        if not pieces or at - pieces[-1][-1][0] > 1.5 * step:
            pieces.append([])
        pieces[-1].append((at, value, floor))
    return pieces


def _bars(chart: Chart, line: _Line, scale: axes.Scale, plot: Box) -> str:
    width = max(plot.width * chart.step / (chart.window.end - chart.window.start) * 0.8, 2.0)
    parts = []
    for (at, value), floor in zip(line.points, line.floor, strict=True):
        if value > floor:
            x, top = axes.time_at(chart.window, plot, at) - width / 2, scale.at(value)
            left = max(x, plot.x)
            parts.append(
                svg.rectangle(left, top, min(x + width, plot.x + plot.width) - left, scale.at(floor) - top, line.color, opacity=0.8)
            )
    return "".join(parts)


def _limit(value: float | None, color: str, scale: axes.Scale, plot: Box) -> str:
    if value is None or not scale.low <= value <= scale.high:
        return ""
    y = scale.at(value)
    return svg.rule(plot.x, y, plot.x + plot.width, y, svg.color(color), dash="10 6", opacity=0.8)


def _moment(chart: Chart, plot: Box, at: float, color: str) -> str:
    if not chart.window.start <= at <= chart.window.end:
        return ""
    x, bottom = axes.time_at(chart.window, plot, at), plot.y + plot.height
    flag = svg.tag(
        "path", d=f"M {x - 4:.1f} {bottom + 6:.1f} L {x + 4:.1f} {bottom + 6:.1f} L {x:.1f} {bottom:.1f} Z", fill=svg.color(color)
    )
    return svg.rule(x, plot.y, x, bottom, svg.color(color), dash="4 4", opacity=0.8) + flag


def _legend(lines: list[_Line], box: Box) -> tuple[str, float]:
    placed: list[tuple[float, int, _Line, str]] = []
    x, row = 0.0, 0
    for line in lines:
        name = svg.shortened(line.name, _LEGEND_SIZE, box.width / 2)
        width = svg.text_width(name, _LEGEND_SIZE) + 38
        if x + width > box.width and x:
            x, row = 0.0, row + 1
        placed.append((x, row, line, name))
        x += width
    rows = min(row + 1, _LEGEND_LINES)
    first = box.y + box.height - rows * _LEGEND_LINE + 12
    parts = []
    for left, number, line, name in placed:
        if number < rows:
            y = first + number * _LEGEND_LINE
            dash = "4 3" if line.dashed else "none"
            parts.append(svg.rule(box.x + left + 4, y - 4, box.x + left + 18, y - 4, line.color, width=3.0, dash=dash))
            parts.append(svg.text(box.x + left + 23, y, name, size=_LEGEND_SIZE))
    left_out = sum(number >= rows for _, number, _, _ in placed)
    if left_out:
        parts.append(svg.text(box.x + box.width, first + (rows - 1) * _LEGEND_LINE, f"+{left_out}", size=11, fill=svg.FAINT, anchor="end"))
    return "".join(parts), rows * _LEGEND_LINE


def spark(chart: Chart, color: str) -> str:
    """Return the line behind a large number."""
    box = chart.box
    (shown,) = chart.shown[:1]
    values = [value for _, value in shown.series.points]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    extent = (high - low) or 1.0
    pixels = [
        (axes.time_at(chart.window, box, at), box.y + box.height - (value - low) / extent * box.height * 0.35)
        for at, value in shown.series.points
    ]
    drawn = " L ".join(f"{x:.1f} {y:.1f}" for x, y in pixels)
    end = f"L {pixels[-1][0]:.1f} {box.y + box.height:.1f} L {pixels[0][0]:.1f} {box.y + box.height:.1f} Z"
    area = svg.tag("path", d=f"M {drawn} {end}", fill=color, fill_opacity=0.15)
    return area + svg.tag("path", d=f"M {drawn}", fill="none", stroke=color, stroke_width=1.2, stroke_opacity=0.7)
