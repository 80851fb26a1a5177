"""How the engine did as a program: what the observer finds and has measured, and what the operator did about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from tradingbot_cli.report.charts import HALF_WIDTH, Line, draw_lines
from tradingbot_cli.report.facts import Event, ReportFacts
from tradingbot_cli.report.tables import Cell, render_section, render_table
from tradingbot_contract.report import Finding
from tradingbot_observer.page.markup import Markup, element
from tradingbot_observer.page.samples import Points

_HEIGHT: Final = 150
_FEWEST_POINTS: Final = 2
_MEBIBYTE: Final = 2**20
_SEVERITY_CSS: Final = {"critical": "bad", "warning": "doubtful", "info": "soft"}
_RESULT_CSS: Final = {"Helped": "good", "DidNotHelp": "bad"}


def render_health(facts: ReportFacts) -> Markup:
    """Return findings and the history of the measures; nothing, where nobody has observed."""
    health = facts.health
    if health is None:
        return Markup("")
    plots = [] if health.history is None else _plots(health.history)
    if health.findings:
        said = render_table(("Since", "Finding", "Severity", "What was measured"), [_finding(finding) for finding in health.findings])
    else:
        said = element("p", "The observer finds nothing wrong.", class_="good")
    section = render_section("Health", said)
    return element("div", section, *plots, class_="pair") if plots else section


def render_remediations(facts: ReportFacts) -> Markup:
    """Return what the operator did."""
    if facts.remediations is None:
        return Markup("")
    if not facts.remediations:
        return render_section("Remediation", element("p", "The operator has had nothing to do.", class_="soft"))
    return render_section("Remediation", _events(facts.remediations, ("When", "Step", "Reason", "What was known", "Result")), css="long")


def render_tuning(facts: ReportFacts) -> Markup:
    """Return how changes of the spec arrived, and what else happened to the bot."""
    if not facts.tuning:
        return Markup("")
    return render_section("Changes and events", _events(facts.tuning, ("When", "What", "Reason", "Message", "")), css="long")


def _events(events: Sequence[Event], head: Sequence[str]) -> Markup:
    with_result = any(event.result for event in events)
    rows = [
        [
            Cell("?" if event.at is None else _time(event.at)),
            Cell(event.what),
            Cell(event.reason),
            Cell(event.text),
            *([Cell(event.result, _RESULT_CSS.get(event.result))] if with_result else []),
        ]
        for event in events
    ]
    return render_table(head if with_result else head[:-1], rows)


def _finding(finding: Finding) -> list[Cell]:
    severity = finding.severity.value
    return [Cell(_time(finding.since)), Cell(finding.reason.value), Cell(severity, _SEVERITY_CSS[severity]), Cell(finding.message)]


def _plots(history: Points) -> list[Markup]:
    if len(history.at) < _FEWEST_POINTS:
        return []
    span = (history.at[0], history.at[-1])

    def plot(title: str, measure: str, *, scale: float = 1.0, suffix: str = "", high: float | None = None) -> Markup:
        values = history.series.get(measure, [])
        if not any(value is not None for value in values):
            return Markup("")
        points = [(at, None if value is None else value * scale) for at, value in zip(history.at, values, strict=True)]
        line = Line("own", points, area=True)
        drawn = draw_lines(
            [line], title=f"{title} over time", height=_HEIGHT, span=span, low=0.0, high=high, suffix=suffix, width=HALF_WIDTH
        )
        return render_section(title, drawn)

    return [
        part
        for part in (
            plot("Health score", "score", high=100.0),
            plot("Memory", "memory_bytes", scale=1 / _MEBIBYTE, suffix=" MiB"),
            plot("CPU", "cpu_percent", suffix=" %"),
            plot("Response time (95th percentile)", "response_p95_seconds", scale=1000.0, suffix=" ms"),
        )
        if part
    ]


def _time(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S}"
