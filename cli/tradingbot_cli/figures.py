"""Figures as people read them. What isn't known is a question mark."""

from __future__ import annotations

import datetime as dt
from typing import Final

from tradingbot_contract.quantity import format_bytes_rounded
from tradingbot_contract.report import EngineStatus, ObserverReport

UNKNOWN: Final = "?"


def money(amount: float | None, currency: str = "") -> str:
    """Return an amount with its currency: ``101,234.50 USD``."""
    return UNKNOWN if amount is None else f"{amount:,.2f} {currency}".rstrip()


def percent(value: float | None, *, sign: bool = False, digits: int = 2) -> str:
    """Return a figure that is already in percent: ``12.50 %``."""
    if value is None:
        return UNKNOWN
    return f"{value:{'+' if sign else ''},.{digits}f} %"


def change_percent(engine: EngineStatus) -> float | None:
    """Return the change of equity since the bot's first start, in percent."""
    if engine.equity is None or not engine.initial_equity:
        return None
    return (engine.equity / engine.initial_equity - 1.0) * 100.0


def market_date(seconds: float | None) -> str:
    """Return a time of the market: the date, and the time of day where there is one."""
    if seconds is None:
        return UNKNOWN
    time = dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    return f"{time:%Y-%m-%d}" if time.time() == dt.time() else f"{time:%Y-%m-%d %H:%M}"


def per_second(value: float | None) -> str:
    """Return a rate: ``480/s``."""
    return UNKNOWN if value is None else f"{value:,.0f}/s"


def count(number: int, noun: str) -> str:
    """Return a number of things: ``1 fill``, ``2,000 fills``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(count_bytes: float | None) -> str:
    """Return bytes, rounded: ``54.1Mi``."""
    return UNKNOWN if count_bytes is None else format_bytes_rounded(count_bytes)


def score(report: ObserverReport | None) -> str:
    """Return the health score and what was found."""
    if report is None or report.score is None:
        found = report.findings if report else ()
        return ", ".join([UNKNOWN, *(finding.reason.value for finding in found)])
    return ", ".join([f"{report.score:.0f}", *(finding.reason.value for finding in report.findings)])
