"""The equity with its drawdown beneath, over one axis of time, and all figures."""

from __future__ import annotations

from typing import Final

from tradingbot_cli.books.statistics_table import build_curve_rows, build_trade_rows
from tradingbot_cli.report.charts import Line, draw_depths, draw_lines, is_by_ratio, thin_points
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.tables import render_figures, render_section
from tradingbot_engine.statistics.curve import CurvePoint, drawdown_at_each
from tradingbot_observer.page.markup import Markup, element

_EQUITY_HEIGHT: Final = 320
_DEPTH_HEIGHT: Final = 130


def render_curve(facts: ReportFacts) -> Markup:
    """Return equity and drawdown; words, where there is no curve yet."""
    curve = facts.curve
    if len(curve) < 2:
        return render_section("Equity", element("p", "No equity has been noted yet: the first point comes after 25 bars.", class_="soft"))
    span = (curve[0].time, curve[-1].time)
    elapsed = facts.laps > 1
    depths = [CurvePoint(point.time, -depth) for point, depth in zip(curve, drawdown_at_each(curve), strict=True)]
    lines = [Line("own", _pairs(facts.curve), area=not facts.hold)]
    if facts.hold:
        lines.insert(0, Line("other", _pairs(facts.hold)))
    plots = [
        draw_lines(lines, title=f"Equity of {facts.bot} over time", height=_EQUITY_HEIGHT, span=span, times=False, elapsed=elapsed),
        draw_depths(
            [(point.time, -point.equity) for point in thin_points(depths)],
            title="Drawdown over time: loss from the highest equity until then",
            height=_DEPTH_HEIGHT,
            span=span,
            elapsed=elapsed,
        ),
    ]
    keys = [_key("own", f"equity ({facts.currency})")]
    if facts.hold:
        keys.append(_key("other", "buy and hold"))
    keys.append(_key("depth", "drawdown"))
    every = [point.equity for point in (*facts.curve, *facts.hold)]
    remarks = [f"{facts.laps} laps of the prices, one after the other"] if elapsed else []
    remarks += ["logarithmic: the same rise in percent is as high everywhere"] if is_by_ratio(min(every), max(every)) else []
    return render_section("Equity", element("p", *keys, class_="legend"), *plots, note="; ".join(remarks))


def render_statistics(facts: ReportFacts) -> Markup:
    """Return all figures in two columns."""
    own = build_curve_rows(facts.statistics)
    held = facts.hold_statistics
    if held is None:
        left = render_figures(("", ""), own)
    else:
        both = zip(own, build_curve_rows(held), strict=True)
        left = render_figures(("", facts.bot, "buy and hold"), [(name, figure, other) for (name, figure), (_, other) in both])
    right = render_figures(("", ""), build_trade_rows(facts.statistics, facts.currency))
    return element("div", render_section("Risk and return", left), render_section("Trading", right), class_="pair")


def _pairs(curve: tuple[CurvePoint, ...]) -> list[tuple[float, float | None]]:
    return [(point.time, point.equity) for point in thin_points(curve)]


def _key(css: str, text: str) -> Markup:
    return element("span", element("i", class_=css), text)
