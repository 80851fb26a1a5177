"""Statistics as rows of names and figures, on a terminal as in a report; a figure that is not defined is a dash."""

from __future__ import annotations

from typing import Final

from tradingbot_cli.figures import money
from tradingbot_engine.statistics.summary import Statistics

NOT_DEFINED: Final = "-"
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0
_DAY: Final = 86_400.0
_YEAR: Final = 365.25 * _DAY


def build_statistics_rows(found: Statistics, currency: str) -> list[tuple[str, str]]:
    """Return all figures of a bot, the most asked for first."""
    return [*build_curve_rows(found), *build_trade_rows(found, currency)]


def build_curve_rows(found: Statistics) -> list[tuple[str, str]]:
    """Return the figures that any curve has, also that of holding."""
    return [
        ("return", share(found.total_return, sign=True)),
        ("return a year (CAGR)", share(found.annual_growth, sign=True)),
        ("maximum drawdown", f"{share(found.max_drawdown)}{_after(found.max_drawdown_seconds)}"),
        ("longest drawdown", duration(found.longest_drawdown_seconds)),
        ("Sharpe ratio", ratio(found.sharpe)),
        ("Sortino ratio", ratio(found.sortino)),
        ("Calmar ratio", ratio(found.calmar)),
    ]


def build_trade_rows(found: Statistics, currency: str) -> list[tuple[str, str]]:
    """Return the figures that only who trades has."""
    return [
        ("round trips", f"{found.trades:,}"),
        ("win rate", share(found.win_rate, digits=1)),
        ("profit factor", ratio(found.profit_factor)),
        ("average win", _money(found.average_win, currency)),
        ("average loss", _money(found.average_loss, currency)),
        ("expectancy", _money(found.expectancy, currency)),
        ("time in a position", duration(found.average_seconds)),
        ("exposure", share(found.exposure, digits=1)),
        ("fees", _money(found.fees, currency)),
        ("turnover a year", NOT_DEFINED if found.turnover_per_year is None else f"{found.turnover_per_year:,.2f} times"),
    ]


def share(value: float | None, *, sign: bool = False, digits: int = 2) -> str:
    """Return a fraction in percent: ``12.50 %``."""
    return NOT_DEFINED if value is None else f"{value * 100:{'+' if sign else ''},.{digits}f} %"


def ratio(value: float | None) -> str:
    """Return a number without unit: ``1.23``."""
    return NOT_DEFINED if value is None else f"{value:,.2f}"


def duration(seconds: float | None) -> str:
    """Return a time in the largest unit that makes a readable number of it: ``3.2 years``, ``41 days``, ``5.5 hours``."""
    if seconds is None:
        return NOT_DEFINED
    for length, unit in ((_YEAR, "years"), (_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * length or (unit == "minutes" and seconds > 0):
            number = seconds / length
            return f"{number:,.0f} {unit}" if unit == "days" or number >= 100 else f"{number:.1f} {unit}"
    return "none"


def _after(seconds: float | None) -> str:
    return f", over {duration(seconds)}" if seconds else ""


def _money(amount: float | None, currency: str) -> str:
    return NOT_DEFINED if amount is None else money(amount, currency)
