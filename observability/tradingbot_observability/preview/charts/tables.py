"""Tables: a row for each set of labels, as Grafana's transformations merge and organize leave them."""

from __future__ import annotations

from typing import Any, Final

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.charts.shown import Chart
from tradingbot_observability.preview.panel import Box, color_at, steps_of
from tradingbot_observability.preview.units import format_value

_ROW: Final = 30.0
_SIZE: Final = 12.5
_LINK: Final = "#6e9fff"
Row = dict[str, Any]


def table_rows(chart: Chart) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows, in their order."""
    alone = len(chart.panel.targets) == 1
    merged: dict[tuple[str, ...], Row] = {}
    shared = _shared_labels(chart)
    for shown in chart.shown:
        labels = shown.series.labels
        row = merged.setdefault(tuple(labels.get(name, "") for name in shared), {})
        row |= dict(labels) | {"Value" if alone else f"Value #{shown.reference}": shown.series.last}
    organize = next(each["options"] for each in chart.panel.spec["transformations"] if each["id"] == "organize")
    hidden, names = organize.get("excludeByName", {}), organize["renameByName"]
    order = organize["indexByName"]
    shown_names = [name for name in sorted(order, key=lambda name: order[name]) if not hidden.get(name)]
    rows = [{names[name]: row.get(name) for name in shown_names} for row in merged.values()]
    for sort in chart.panel.options.get("sortBy", []):
        column = sort["displayName"]
        rows.sort(key=lambda row: (row[column] is not None, row[column] or 0.0), reverse=bool(sort.get("desc")))
    return [names[name] for name in shown_names], rows


def draw_table(chart: Chart) -> str:
    """Return so many rows as there is room for."""
    box = chart.box
    columns, rows = table_rows(chart)
    places = _places(chart, columns, rows)
    parts = [svg.text(places[column].x, box.y + 18, column, size=_SIZE, fill=_LINK, weight=600) for column in columns]
    fitting = int((box.height - _ROW) // _ROW)
    for line, row in enumerate(rows[:fitting]):
        y = box.y + _ROW * (line + 1)
        parts.append(svg.rule(box.x, y - 4, box.x + box.width, y - 4, svg.GRID))
        parts += [_cell(chart, column, row[column], Box(places[column].x, y, places[column].width, _ROW - 8)) for column in columns]
    if len(rows) > fitting:
        parts.append(svg.text(box.x + box.width, box.y + 18, f"{len(rows) - fitting} more below", size=11, fill=svg.FAINT, anchor="end"))
    return "".join(parts)


def _places(chart: Chart, columns: list[str], rows: list[Row]) -> dict[str, Box]:
    """Return where each column is: what is left of the width when all texts have their room is shared out evenly."""
    needed = {
        column: max([svg.text_width(column, _SIZE, bold=True), *(_needed(chart, column, row[column]) for row in rows)]) + 16
        for column in columns
    }
    spare = (chart.box.width - sum(needed.values())) / len(columns)
    places, x = {}, chart.box.x + 6
    for column in columns:
        places[column] = Box(x, 0, needed[column] + spare - 16, 0)
        x += needed[column] + spare
    return places


def _needed(chart: Chart, column: str, value: Any) -> float:
    if isinstance(value, str):
        return svg.text_width(value, _SIZE)
    return 110.0 if chart.panel.named(column).get("custom.cellOptions", {}).get("type") == "gauge" else 50.0


def _shared_labels(chart: Chart) -> list[str]:
    """Return the labels that every query has, by which rows are the same."""
    if len(chart.panel.targets) == 1:
        return sorted({name for shown in chart.shown for name in shown.series.labels})
    sets = [set(shown.series.labels) for shown in chart.shown]
    return sorted(set.intersection(*sets))


def _cell(chart: Chart, column: str, value: Any, box: Box) -> str:
    look = chart.panel.named(column)
    if value is None:
        return ""
    if isinstance(value, str):
        fill = _LINK if "links" in look else svg.TEXT
        return svg.text(box.x, box.y + 16, svg.shortened(value, _SIZE, box.width), size=_SIZE, fill=fill)
    words = format_value(value, look.get("unit", "none"), look.get("decimals"))
    steps = steps_of(look["thresholds"]) if "thresholds" in look else ()
    color = svg.color(color_at(steps, value)) if steps else svg.TEXT
    if look.get("custom.cellOptions", {}).get("type") == "gauge":
        room = box.width - 52
        share = min(max((value - look["min"]) / (look["max"] - look["min"]), 0.0), 1.0)
        bar = svg.rectangle(box.x, box.y + 4, room, box.height - 6, svg.GRID, radius=2)
        bar += svg.rectangle(box.x, box.y + 4, room * share, box.height - 6, color, radius=2)
        return bar + svg.text(box.x + box.width, box.y + 16, words, size=_SIZE, fill=color, anchor="end", weight=600)
    return svg.text(box.x, box.y + 16, words, size=_SIZE, fill=color, weight=600 if steps else 400)
