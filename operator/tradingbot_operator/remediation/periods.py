"""Is now a time in which engines that still run are left alone? Times of the day are UTC; a period may pass midnight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from tradingbot_operator.operations import ExcludedPeriod, Weekday

_WEEKDAYS: Final = tuple(Weekday)
_LAST_MINUTE: Final = "23:59"
"""As an end it stands for midnight, because 24:00 is no time of the day."""


def excluded_seconds(periods: Sequence[ExcludedPeriod], now: float) -> float | None:
    """Return how long the period goes on that it is now, the longest if there are several; None when there is none."""
    moment = datetime.fromtimestamp(now, UTC)
    return max((seconds for period in periods if (seconds := _left(period, moment)) is not None), default=None)


def _left(period: ExcludedPeriod, moment: datetime) -> float | None:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    # One that began yesterday may not be over.
    for begins_on in (midnight, midnight - timedelta(days=1)):
        if period.days and _WEEKDAYS[begins_on.weekday()] not in period.days:
            continue
        begin, end = begins_on + _time_of_day(period.start), begins_on + _end_of(period)
        if begin <= moment < end:
            return (end - moment).total_seconds()
    return None


def _end_of(period: ExcludedPeriod) -> timedelta:
    end = timedelta(days=1) if period.end == _LAST_MINUTE else _time_of_day(period.end)
    return end if end > _time_of_day(period.start) else end + timedelta(days=1)


def _time_of_day(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
