"""Figures as people read them. What is not known is a question mark; what makes no sense, such as a time in the year 90000, isn't known."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

from tradingbot_contract.quantity import format_bytes_rounded

UNKNOWN: Final = "?"
_MOST_CHARACTERS: Final = 600
_LAST_SECOND: Final = dt.datetime(9999, 12, 31, tzinfo=dt.UTC).timestamp()
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def text(said: str, most: int = _MOST_CHARACTERS, *, nothing: str = UNKNOWN) -> str:
    """Return what somebody said, cut where nobody would read on; `nothing` stands for what is empty."""
    if not said:
        return nothing
    return said if len(said) <= most else f"{said[:most]}…"


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with so many digits after the point."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """Return a percentage."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:,.{digits}f} %"


def memory(count: float | None) -> str:
    """Return bytes as Kubernetes writes them."""
    return UNKNOWN if count is None or not math.isfinite(count) else format_bytes_rounded(count)


def seconds(value: float | None) -> str:
    """Return a short time, such as the one that an answer takes."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:,.2f} s"


def span(value: float | None) -> str:
    """Return how long something has lasted, in the two largest units that say something."""
    if value is None or not 0 <= value < _LAST_SECOND:
        return UNKNOWN
    whole = int(value)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def moment(at: float | None, now: float) -> str:
    """Return a time of the last day by its hour, an earlier one by its date, both in UTC."""
    if at is None or not 0 <= at < _LAST_SECOND:
        return UNKNOWN
    form = "%H:%M:%S UTC" if abs(now - at) < _DAY else "%Y-%m-%d %H:%M UTC"
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime(form)
