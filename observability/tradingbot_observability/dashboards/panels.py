"""One function for each kind of panel, with what all panels of the kind have in common.

Every panel has a title, words for a person who was woken by it, a unit, and the data source that the person has chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from msgspec import Struct

from tradingbot_observability.dashboards.states import Mapped
from tradingbot_observability.dashboards.thresholds import PLAIN, Step

Panel = Builder[dashboard.Panel]

DATASOURCE: Final = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
BAR: Final = "1m"
"""Least time of a bar: shorter ones would overlap, because growth is looked for in at least four scrapes."""
Links = Mapping[str, tuple[str, str]]
"""By column: the words of a link and its address."""
_NO_LINKS: Final[Links] = {}
_NO_COLORS: Final[Mapping[str, str]] = {}
_REFERENCES: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Query(Struct, frozen=True):
    """One expression, and how its series look."""

    expression: str
    legend: str = ""
    color: str = ""
    """Empty: the next one of the palette."""
    dashed: bool = False
    """A line of a limit, not of a measurement."""


class Column(Struct, frozen=True):
    """A column of a table that has a row for each bot: what a query says of it."""

    title: str
    expression: str
    unit: str = "none"
    steps: tuple[Step, ...] = ()
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    """With both bounds the cell is a bar."""


def plot(
    title: str,
    text: str,
    unit: str,
    *queries: Query,
    steps: tuple[Step, ...] = (),
    colors: Mapping[str, str] = _NO_COLORS,
    stacked: bool = False,
    bars: bool = False,
    stepped: bool = False,
    logarithmic: bool = False,
    counts: bool = False,
    low: float | None = 0.0,
    high: float | None = None,
    soft_high: float | None = None,
) -> timeseries.Panel:
    """Lines over time. `steps` are drawn as dashed lines, `colors` are by name; `low` None lets the axis begin at the lowest value.

    On an axis for `counts` 0, 1 and 2 are as far apart as 4, 8 and 16: a few of many are seen beside all of them.
    """
    panel = timeseries.Panel().title(title).description(text).datasource(DATASOURCE).unit(unit)
    panel.legend(common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM))
    panel.tooltip(common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING))
    panel.line_width(1.5).fill_opacity(60 if stacked or bars else 8).show_points(kinds.VisibilityMode.NEVER)
    panel.draw_style(kinds.GraphDrawStyle.BARS if bars else kinds.GraphDrawStyle.LINE)
    panel.line_interpolation(kinds.LineInterpolation.STEP_AFTER if stepped else kinds.LineInterpolation.LINEAR)
    if stacked or bars:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL))
    _scale(panel, logarithmic=logarithmic, counts=counts, low=low)
    if high is not None:
        panel.max(high)
    if soft_high is not None:
        panel.axis_soft_max(soft_high)
    if steps:
        panel.thresholds(_thresholds(steps)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(kinds.GraphTresholdsStyleMode.DASHED)
        )
    if bars:
        panel.interval(BAR)
    for reference, query in zip(_REFERENCES, queries, strict=False):
        panel.with_target(_target(query, reference))
        if query.color or query.dashed:
            panel.override_by_query(reference, _look(query))
    for name, color in colors.items():
        panel.override_by_name(name, [_fixed(color)])
    return panel


def _scale(panel: timeseries.Panel, *, logarithmic: bool, counts: bool, low: float | None) -> None:
    if logarithmic:
        panel.scale_distribution(common.ScaleDistributionConfig().type(kinds.ScaleDistribution.LOG).log(10))
    elif counts:
        scale = common.ScaleDistributionConfig().type(kinds.ScaleDistribution.SYMLOG).log(2).linear_threshold(1)
        panel.scale_distribution(scale).min(0)
    elif low is not None:
        panel.min(low)


def number(
    title: str,
    text: str,
    unit: str,
    query: Query,
    *,
    steps: tuple[Step, ...] = PLAIN,
    words: Mapped | None = None,
    decimals: int | None = None,
    filled: bool = True,
) -> stat.Panel:
    """The last value, large; `filled` colours the whole tile, so that red is seen from across the room."""
    panel = stat.Panel().title(title).description(text).datasource(DATASOURCE).unit(unit)
    panel.color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID if filled else kinds.BigValueColorMode.VALUE)
    panel.graph_mode(kinds.BigValueGraphMode.NONE if filled else kinds.BigValueGraphMode.AREA)
    panel.text_mode(kinds.BigValueTextMode.VALUE).justify_mode(kinds.BigValueJustifyMode.CENTER)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(_thresholds(steps)).color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    if words:
        panel.mappings([_value_map(words)])
    if decimals is not None:
        panel.decimals(decimals)
    target = _target(query, "A")
    # What is gone must not go on being shown in green; only a course shows that it has ended.
    return panel.with_target(target.instant() if filled else target)


def ranking(
    title: str,
    text: str,
    unit: str,
    query: Query,
    *,
    steps: tuple[Step, ...],
    low: float = 0.0,
    high: float | None = None,
    decimals: int | None = None,
    now: bool = True,
) -> bargauge.Panel:
    """A bar for each series; those that are there now, or all of the time that is shown with their last values."""
    panel = bargauge.Panel().title(title).description(text).datasource(DATASOURCE).unit(unit).min(low)
    panel.orientation(kinds.VizOrientation.HORIZONTAL).display_mode(kinds.BarGaugeDisplayMode.BASIC).show_unfilled(True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(_thresholds(steps)).color_scheme(FieldColor().mode(dashboard.FieldColorModeId.THRESHOLDS))
    if high is not None:
        panel.max(high)
    if decimals is not None:
        panel.decimals(decimals)
    target = _target(query, "A")
    return panel.with_target(target.instant() if now else target)


def timeline(title: str, text: str, query: Query, words: Mapped, *, nothing: str = "") -> statetimeline.Panel:
    """A row for each series, coloured by what its value means; `nothing` is shown when there are no rows."""
    panel = statetimeline.Panel().title(title).description(text).datasource(DATASOURCE).unit("none")
    panel.mappings([_value_map(words)]).merge_values(True).row_height(0.8).line_width(0).fill_opacity(80)
    panel.show_value(kinds.VisibilityMode.AUTO).align_value(kinds.TimelineValueAlignment.LEFT)
    panel.legend(common.VizLegendOptions().show_legend(False).display_mode(kinds.LegendDisplayMode.LIST))
    if nothing:
        panel.no_value(nothing)
    return panel.with_target(_target(query, "A"))


def spread(title: str, text: str, unit: str, expression: str) -> heatmap.Panel:
    """A histogram over time: the darker, the more fell into the bucket."""
    panel = heatmap.Panel().title(title).description(text).datasource(DATASOURCE).calculate(False).show_legend()
    panel.y_axis(heatmap.YAxisConfig().unit(unit)).unit(unit).cell_gap(0)
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(32))
    return panel.with_target(_target(Query(expression, "{{le}}"), "A").format(PromQueryFormat.HEATMAP))


def comparison(
    title: str, text: str, rows: Mapping[str, str], columns: Sequence[Column], *, links: Links = _NO_LINKS, sort: str, largest_first: bool
) -> table.Panel:
    """A row for each set of the labels `rows`, given with their titles; a column without a title only brings a label."""
    panel = table.Panel().title(title).description(text).datasource(DATASOURCE).unit("none").show_header(True)
    panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(largest_first)])
    names = dict(rows)
    for reference, column in zip(_REFERENCES, columns, strict=False):
        panel.with_target(_target(Query(column.expression), reference).instant().format(PromQueryFormat.TABLE))
        if column.title:
            names[f"Value #{reference}"] = column.title
            panel.override_by_name(column.title, _cell(column))
    hidden = {"Time": True} | {f"Value #{ref}": True for ref, column in zip(_REFERENCES, columns, strict=False) if not column.title}
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    return _organized(panel, names, hidden, links)


def list_table(title: str, text: str, query: Query, columns: Mapping[str, str], *, links: Links, nothing: str) -> table.Panel:
    """A row for each series, with the labels that are named; the value is not shown."""
    panel = table.Panel().title(title).description(text).datasource(DATASOURCE).unit("none").show_header(True).no_value(nothing)
    panel.with_target(_target(query, "A").instant().format(PromQueryFormat.TABLE))
    return _organized(panel, columns, {"Time": True, "Value": True}, links)


def _organized(panel: table.Panel, names: Mapping[str, str], hidden: Mapping[str, bool], links: Links) -> table.Panel:
    order = {name: position for position, name in enumerate(names)}
    organize = {"excludeByName": hidden, "indexByName": order, "renameByName": names}
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=organize))
    for column, (name, address) in links.items():
        panel.override_by_name(column, [dashboard.DynamicConfigValue("links", [{"title": name, "url": address}])])
    return panel


def _target(query: Query, reference: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(reference).datasource(DATASOURCE)


def _thresholds(steps: Sequence[Step]) -> ThresholdsConfig:
    listed = [dashboard.Threshold(value=value, color=color) for value, color in steps]
    return ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(listed)


def _value_map(words: Mapped) -> dashboard.ValueMap:
    results = enumerate(words.items())
    return dashboard.ValueMap({value: dashboard.ValueMappingResult(text, color, index=index) for index, (value, (text, color)) in results})


def _look(query: Query) -> list[dashboard.DynamicConfigValue]:
    found = [_fixed(query.color)] if query.color else []
    if query.dashed:
        dashed = {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}, "custom.fillOpacity": 0, "custom.stacking": {"mode": "none"}}
        found += [dashboard.DynamicConfigValue(name, value) for name, value in dashed.items()]
    return found


def _fixed(color: str) -> dashboard.DynamicConfigValue:
    return dashboard.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})


def _cell(column: Column) -> list[dashboard.DynamicConfigValue]:
    found: list[tuple[str, Any]] = [("unit", column.unit)]
    if column.decimals is not None:
        found.append(("decimals", column.decimals))
    if column.steps:
        found.append(("thresholds", _thresholds(column.steps).build()))
        kind = {"type": "color-text"} if column.high is None else {"type": "gauge", "mode": "basic"}
        found.append(("custom.cellOptions", kind))
    if column.high is not None:
        found += [("min", column.low or 0.0), ("max", column.high)]
    return [dashboard.DynamicConfigValue(name, value) for name, value in found]
