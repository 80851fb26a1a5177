"""The preview without a Prometheus: what it asks, how it writes numbers, and that every kind of panel is drawn from series."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET

import pytest

from tradingbot_observability.dashboards import render_dashboards
from tradingbot_observability.preview.charts import axes
from tradingbot_observability.preview.charts.lines import draw_lines
from tradingbot_observability.preview.charts.shown import Chart, Shown
from tradingbot_observability.preview.charts.tables import table_rows
from tradingbot_observability.preview.page import Filled, render_page
from tradingbot_observability.preview.panel import Box, PanelModel, color_at
from tradingbot_observability.preview.queries import Series, Window, legend
from tradingbot_observability.preview.units import format_value

WINDOW = Window(1_000_000.0, 1_003_600.0, 15.0)
BOX = Box(0.0, 0.0, 600.0, 300.0)
STEP = 60.0


def model(dashboard: str, title: str) -> PanelModel:
    found = json.loads(render_dashboards()[dashboard])
    return next(PanelModel(each) for each in found["panels"] if each["title"] == title)


def course(*values: float, **labels: str) -> Series:
    return Series(labels, tuple((WINDOW.start + number * STEP, value) for number, value in enumerate(values)))


def chart(panel: PanelModel, *shown: tuple[str, Series]) -> Chart:
    return Chart(panel, tuple(Shown(ref, legend("", series.labels), series) for ref, series in shown), WINDOW, STEP, BOX)


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "words"),
    [
        (0.0, "s", None, "0 s"),
        (0.0000042, "s", None, "4.2 µs"),
        (0.25, "s", None, "250 ms"),
        (90.0, "s", None, "1.5 mins"),
        (3600.0, "s", None, "1 hour"),
        (61.0, "s", 0, "1 min"),
        (0.123, "percentunit", 1, "12.3%"),
        (512 * 2.0**20, "bytes", None, "512 MiB"),
        (100_250.5, "short", 2, "100.25 K"),
        (12.0, "none", None, "12"),
        (1234.0, "none", None, "1,234"),
        (5.0, "cps", None, "5 c/s"),
        (-0.5, "percentunit", None, "-50%"),
    ],
)
def test_numbers_are_written_as_people_read_them(value: float, unit: str, decimals: int | None, words: str) -> None:
    assert format_value(value, unit, decimals) == words


def test_every_unit_of_the_dashboards_can_be_written() -> None:
    for text in render_dashboards().values():
        for panel in json.loads(text)["panels"]:
            if panel["type"] != "row":
                assert format_value(1.5, panel["fieldConfig"]["defaults"]["unit"])


def test_a_query_gets_what_grafana_would_put_in() -> None:
    query = 'rate(x{namespace="$namespace", bot="$bot"}[$__rate_interval]) + increase(x[$__range])'
    filled = WINDOW.fill(query, {"namespace": "trading", "bot": "b"}, 15.0)
    assert filled == 'rate(x{namespace="trading", bot="b"}[60s]) + increase(x[3600s])'
    assert "[75s]" in WINDOW.fill(query, {}, 60.0), "an interval and a scrape, where that is longer than four scrapes"


@pytest.mark.parametrize(
    ("points", "least", "step"),
    [(240, 0.0, 15.0), (36, 0.0, 100.0), (240, 60.0, 60.0)],
)
def test_points_are_as_far_apart_as_there_is_room_and_data(points: int, least: float, step: float) -> None:
    assert WINDOW.step(points, least) == step


def test_a_series_has_the_name_that_its_query_gives_it() -> None:
    assert legend("{{pod}} limit", {"pod": "a-0"}) == "a-0 limit"
    assert legend("{{ reason }}", {}) == ""
    assert legend("", {"b": "2", "a": "1"}) == '{a="1", b="2"}'


def test_a_colour_is_that_of_the_last_step_that_was_passed() -> None:
    steps = ((None, "green"), (0.75, "yellow"), (0.9, "red"))
    assert [color_at(steps, value) for value in (0.0, 0.75, 0.89, 2.0)] == ["green", "yellow", "yellow", "red"]


def test_ticks_are_round_and_within_the_axis() -> None:
    scale = axes.linear([3.0, 47.0], 0.0, 100.0, low=0.0, high=None, soft_high=None)
    assert scale.ticks("none") == [0.0, 20.0, 40.0]
    assert scale.at(0.0) == 100.0
    powers = axes.logarithmic([3e-5, 0.2], 0.0, 100.0)
    assert powers.ticks("s") == [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]
    assert math.isclose(powers.at(1e-5), 100.0)
    assert math.isclose(powers.at(1.0), 0.0, abs_tol=1e-9)
    counted = axes.counts([7.0], 0.0, 100.0)
    assert math.isclose(counted.at(0.0) - counted.at(1.0), counted.at(2.0) - counted.at(4.0))


def test_a_gap_is_left_open() -> None:
    panel = model("bot", "Drawdown")
    whole = draw_lines(chart(panel, ("A", course(0.1, 0.2, 0.3, 0.2))))
    points = course(0.1, 0.2, 0.3, 0.2).points
    broken = draw_lines(chart(panel, ("A", Series({}, (points[0], points[1], (points[3][0] + 300.0, 0.2))))))
    assert whole.count('fill="none"') == 1
    assert broken.count('fill="none"') == 2


def test_a_table_has_a_row_for_each_bot_the_worst_first_with_what_each_query_says() -> None:
    panel = model("fleet", "Bots, the worst first")
    columns, rows = table_rows(
        chart(
            panel,
            ("A", Series({"namespace": "n", "bot": "well"}, ((1.0, 100.0),))),
            ("A", Series({"namespace": "n", "bot": "sick"}, ((1.0, 40.0),))),
            ("B", Series({"namespace": "n", "bot": "sick", "phase": "Unhealthy"}, ((1.0, 1.0),))),
            ("C", Series({"namespace": "n", "bot": "well"}, ((1.0, 0.0),))),
        )
    )
    assert columns[:5] == ["Namespace", "Bot", "Phase", "Score", "Findings"]
    assert [(row["Bot"], row["Phase"], row["Score"], row["Findings"]) for row in rows] == [
        ("sick", "Unhealthy", 40.0, None),
        ("well", None, 100.0, 0.0),
    ]


@pytest.mark.parametrize("name", ["fleet", "bot", "operator"])
def test_a_page_draws_every_panel_and_says_where_there_is_no_data(name: str) -> None:
    dashboard = json.loads(render_dashboards()[name])
    models = [PanelModel(each) for each in dashboard["panels"] if each["type"] != "row"]
    labels = {"le": "0.5", "namespace": "n", "bot": "b", "phase": "Running", "alertname": "TradingBotX", "objective": "errors"}
    filled = [
        Filled(
            panel,
            tuple(Shown(each.reference, legend(each.legend, labels), course(1.0, 1.0, 2.0, **labels)) for each in panel.targets),
            STEP,
        )
        for panel in models
    ]
    page = render_page(dashboard, filled, WINDOW, {"namespace": ".+"}, ((WINDOW.start + 90.0, "red", "Restart"),))
    drawing = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])  # noqa: S314 - our own page
    words = {element.text for element in drawing.iter() if element.text}
    assert "No data" not in words
    assert {panel.description for panel in models} <= words
    assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), "it needs nothing from anywhere"
    empty = render_page(dashboard, [Filled(panel, (), STEP) for panel in models], WINDOW, {}, ())
    assert empty.count(">No data<") + empty.count("in this time<") + empty.count(">No alert<") + empty.count("judges no news<") == len(
        models
    )
