"""Fills a dashboard with data: chooses its variables, asks every query, and finds the moments that are marked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tradingbot_observability.preview.charts.shown import Moment, Shown
from tradingbot_observability.preview.page import Filled, pixels, render_page
from tradingbot_observability.preview.panel import PanelModel, Target
from tradingbot_observability.preview.queries import PrometheusClient, QueryRefusedError, Series, Window, legend

EVERYTHING: Final = ".+"
_PIXELS_A_POINT: Final = 4.0


class Asked(Struct, frozen=True):
    """One query and what came of it."""

    target: Target
    query: str
    """As Prometheus got it."""
    series: tuple[Series, ...]


def read_dashboard(path: Path) -> dict[str, Any]:
    """Return a dashboard's JSON."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def panels(dashboard: Mapping[str, Any]) -> list[PanelModel]:
    """Return the panels that have queries."""
    return [PanelModel(each) for each in dashboard["panels"] if each["type"] != "row"]


def choose(client: PrometheusClient, dashboard: Mapping[str, Any], window: Window, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each variable: the one that is wanted, all where that can be chosen, else the first.

    Raises:
        QueryRefusedError: there is nothing to choose from.
    """
    chosen: dict[str, str] = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        name = variable["name"]
        if name in wanted or variable.get("includeAll"):
            chosen[name] = wanted.get(name, EVERYTHING)
            continue
        values = client.values(window.fill(variable["query"], chosen, window.scrape_seconds), window)
        if not values:
            raise QueryRefusedError(f"{variable['query']} has no values: does this Prometheus scrape the operator?")
        chosen[name] = values[0]
    return chosen


def ask(client: PrometheusClient, panel: PanelModel, window: Window, variables: Mapping[str, str]) -> tuple[float, list[Asked]]:
    """Return the time between two points, and every query of a panel with its answer."""
    step = window.step(int(pixels(panel.place).width / _PIXELS_A_POINT), panel.least_step_seconds)
    found = []
    for target in panel.targets:
        query = window.fill(target.expression, variables, step)
        series = client.at(query, window.end) if target.instant else client.over(query, window, step)
        found.append(Asked(target, query, tuple(each for each in series if each.points)))
    return step, found


def render(client: PrometheusClient, dashboard: Mapping[str, Any], window: Window, variables: Mapping[str, str]) -> str:
    """Return the page of a dashboard."""
    filled = []
    for panel in panels(dashboard):
        step, asked = ask(client, panel, window, variables)
        shown = [
            Shown(each.target.reference, legend(each.target.legend, series.labels), series) for each in asked for series in each.series
        ]
        filled.append(Filled(panel, tuple(shown), step))
    return render_page(dashboard, filled, window, variables, tuple(_moments(client, dashboard, window, variables)))


def _moments(client: PrometheusClient, dashboard: Mapping[str, Any], window: Window, variables: Mapping[str, str]) -> Iterator[Moment]:
    step = window.step(200, 0.0)
    for mark in dashboard.get("annotations", {}).get("list", []):
        for series in client.over(window.fill(mark["expr"], variables, step), window, step):
            for milliseconds in sorted({value for _, value in series.points}):
                yield milliseconds / 1000, mark["iconColor"], legend(mark["titleFormat"], series.labels)
