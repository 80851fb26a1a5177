"""What the dashboards have in common: who they are, their variables, links and annotations, and the grid that panels stand on."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard
from msgspec import Struct

from tradingbot_observability.dashboards.panels import DATASOURCE, Panel
from tradingbot_operator.monitoring.settings import RUNBOOK_BASE_URL

TAG: Final = "tradingbot"
GRID_WIDTH: Final = 24


class Variable(Struct, frozen=True):
    """A choice of the person who looks, from the values of a label."""

    name: str
    label: str
    query: str
    several: bool = False
    """Whether more than one may be chosen, and all."""


class Mark(Struct, frozen=True):
    """Moments that are marked in every panel: those that are the value of a series, in seconds since the epoch."""

    name: str
    expression: str
    color: str
    title: str
    text: str


class Line(Struct, frozen=True):
    """Panels side by side, of one height and one width."""

    height: int
    panels: tuple[Panel, ...]

    @property
    def width(self) -> int:
        """Of each panel; together they fill the grid."""
        return GRID_WIDTH // len(self.panels)


class Section(Struct, frozen=True):
    """Lines under one heading."""

    title: str
    lines: tuple[Line, ...]


class Page(Struct, frozen=True):
    """One dashboard."""

    name: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def uid(self) -> str:
        return dashboard_uid(self.name)


class _MarkQuery(dashboard.AnnotationQuery):
    """The SDK's model has no field for what Prometheus needs beside the expression."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(name=mark.name, datasource=DATASOURCE, enable=True, icon_color=mark.color, expr=f"{mark.expression} * 1000")
        self.mark = mark

    def to_json(self) -> dict[str, object]:
        extra = {"useValueForTime": True, "titleFormat": self.mark.title, "textFormat": self.mark.text, "step": "15s"}
        return super().to_json() | extra


class _MarkBuilder(Builder[dashboard.AnnotationQuery]):
    def __init__(self, mark: Mark) -> None:
        self._mark = mark

    def build(self) -> dashboard.AnnotationQuery:
        return _MarkQuery(self._mark)


def line(height: int, *panels: Panel) -> Line:
    """Return panels side by side.

    Raises:
        ValueError: so many don't fill the grid.
    """
    if GRID_WIDTH % len(panels):
        raise ValueError(f"{len(panels)} panels of one width don't fill a grid of {GRID_WIDTH}")
    return Line(height, panels)


def section(title: str, *lines: Line) -> Section:
    """Return lines under a heading."""
    return Section(title, lines)


def dashboard_uid(name: str) -> str:
    """Return the identity of a dashboard, which stays through every release, because bookmarks and links hold on to it."""
    return f"tradingbot-{name}"


def bot_link() -> tuple[str, str]:
    """Return where a click on a bot leads: to its dashboard, at the same time."""
    chosen = "var-namespace=${__data.fields.Namespace}&var-bot=${__data.fields.Bot}"
    return "Open this bot", f"/d/{dashboard_uid('bot')}?{chosen}&${{datasource:queryparam}}&${{__url_time_range}}"


def build_dashboard(page: Page) -> dashboard.Dashboard:
    """Return what Grafana imports."""
    built = Dashboard(page.title).uid(page.uid).description(page.description).tags([TAG]).readonly()
    built.tooltip(dashboard.DashboardCursorSync.CROSSHAIR).time("now-1h", "now").refresh("30s").timezone("browser")
    built.with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    for variable in page.variables:
        built.with_variable(_variable(variable))
    for title, url in _links():
        built.link(_link(title, url))
    for mark in page.marks:
        built.annotation(_MarkBuilder(mark))
    number = 0
    for part in page.sections:
        number += 1
        built.with_row(Row(part.title).id(number))
        for each in part.lines:
            for panel in each.panels:
                number += 1
                built.with_panel(_Placed(panel, number, each.width, each.height))
    return built.build()


class _Placed(Builder[dashboard.Panel]):
    """A panel with its number and its size; the grid gives it its place."""

    def __init__(self, panel: Panel, number: int, width: int, height: int) -> None:
        self._panel, self._number, self._width, self._height = panel, number, width, height

    def build(self) -> dashboard.Panel:
        panel = self._panel.build()
        panel.id_val = self._number
        panel.grid_pos = dashboard.GridPos(h=self._height, w=self._width, x=0, y=0)
        return panel


def _variable(variable: Variable) -> QueryVariable:
    built = QueryVariable(variable.name).label(variable.label).query(variable.query).datasource(DATASOURCE)
    built.refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(dashboard.VariableSort.ALPHABETICAL_ASC)
    if variable.several:
        chosen = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
        built.multi(True).include_all(True).all_value(".+").current(chosen)
    return built


def _links() -> tuple[tuple[str, str], ...]:
    pages = (("Fleet", "fleet"), ("Bot", "bot"), ("Operator", "operator"))
    return (*((title, f"/d/{dashboard_uid(name)}") for title, name in pages), ("Runbooks", RUNBOOK_BASE_URL))


def _link(title: str, url: str) -> DashboardLink:
    outside = url.startswith("http")
    built = DashboardLink(title).type(dashboard.DashboardLinkType.LINK).url(url).icon("doc" if outside else "dashboard")
    return built.target_blank(outside).keep_time(not outside).include_vars(False)
