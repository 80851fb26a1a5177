"""The report as a page, the most asked for first: the figures, the curve, the trades, then the bot's health, and what it was told."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from typing import Final

from tradingbot_cli.books.statistics_table import NOT_DEFINED, duration, ratio, share
from tradingbot_cli.figures import count, market_date, money
from tradingbot_cli.report.curve_section import render_curve, render_statistics
from tradingbot_cli.report.facts import ReportFacts
from tradingbot_cli.report.health_section import render_health, render_remediations, render_tuning
from tradingbot_cli.report.tables import render_tile
from tradingbot_cli.report.trades_section import render_orders, render_trades
from tradingbot_observer.page.markup import Markup, element, join

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_GENERATOR: Final = "tradingbot report"


def render_report(facts: ReportFacts) -> str:
    """Return the whole file."""
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta name="generator" content="{_GENERATOR}">'),
        element("title", f"{facts.bot}: report"),
        element("style", Markup(files(__package__).joinpath("style.css").read_text(encoding="utf-8"))),
    )
    parts = (
        _tiles(facts),
        render_curve(facts),
        render_statistics(facts),
        render_trades(facts),
        render_health(facts),
        render_remediations(facts),
        render_tuning(facts),
        render_orders(facts),
        _spec(facts),
    )
    body = element("body", _header(facts), element("main", *parts), _footer(facts))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _header(facts: ReportFacts) -> Markup:
    phase = element("span", facts.phase, class_=f"phase {'good' if facts.phase_good else 'bad'}") if facts.phase else ""
    message = element("p", facts.message, class_=None if facts.phase_good else "doubtful") if facts.message else ""
    notes = [element("p", f"Note: {note}") for note in facts.notes]
    return element("header", element("h1", facts.bot), phase, element("p", facts.subtitle), message, *notes)


def _tiles(facts: ReportFacts) -> Markup:
    found = facts.statistics
    held = facts.hold_statistics
    beside = f"holding: {share(held.total_return, sign=True)}" if held is not None else _span(facts)
    tiles = [
        render_tile(f"Equity ({facts.currency})", money(facts.equity), f"from {money(found.initial_equity)}"),
        render_tile("Return", share(found.total_return, sign=True), beside, _sign(found.total_return)),
        render_tile("Return a year", share(found.annual_growth, sign=True), _year_note(facts), _sign(found.annual_growth)),
        render_tile("Deepest drawdown", share(found.max_drawdown), f"lasted {duration(found.max_drawdown_seconds)}"),
        render_tile("Sharpe ratio", ratio(found.sharpe), f"Sortino {ratio(found.sortino)}, Calmar {ratio(found.calmar)}"),
        render_tile("Win rate", share(found.win_rate, digits=0), _trips_note(facts)),
    ]
    if facts.health is not None:
        found_wrong = facts.health.findings
        score = NOT_DEFINED if facts.health.score is None else f"{facts.health.score:.0f} of 100"
        tiles.append(render_tile("Health", score, f"{count(len(found_wrong), 'finding')} now", "bad" if found_wrong else "good"))
    return element("section", *tiles, class_="tiles")


def _trips_note(facts: ReportFacts) -> str:
    found = facts.statistics
    return f"{count(found.trades, 'round trip')}, profit factor {ratio(found.profit_factor)}"


def _year_note(facts: ReportFacts) -> str:
    return "less than a year" if facts.statistics.annual_growth is None else "compound (CAGR)"


def _span(facts: ReportFacts) -> str:
    found = facts.statistics
    if facts.laps > 1:
        return f"{facts.laps} laps of the prices"
    return "" if found.first_at is None else f"since {market_date(found.first_at)}"


def _spec(facts: ReportFacts) -> Markup:
    return element("section", element("details", element("summary", "What it was told"), element("pre", facts.spec)), class_="long")


def _footer(facts: ReportFacts) -> Markup:
    made = dt.datetime.fromtimestamp(facts.made_at, dt.UTC)
    words = (
        f"{facts.source}. Written {made:%Y-%m-%d %H:%M} UTC. Times of trading are the market's, all others are by the clock, all in UTC; "
        f"money is in {facts.currency}. "
        "A round trip is from the fill that opens a position to the one that closes it, at average cost, after fees. Sharpe and Sortino "
        "are annualised, with a rate without risk of 0; a return of less than a year is not annualised. A dash: not defined."
    )
    return join(element("footer", words))


def _sign(value: float | None) -> str | None:
    return None if value is None or value == 0 else "good" if value > 0 else "bad"
