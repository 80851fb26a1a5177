"""Where the marks of an axis are: at round numbers, and at the beginnings of years, months, days and hours. Pure."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final, NamedTuple

_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_CLOCK_STEPS: Final = (
    *(1, 2, 5, 10, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY),
)
_SMALLEST: Final = 1e-9
"""Values that differ by a smaller share are one."""


class Mark(NamedTuple):
    """A place on an axis, and what stands there."""

    value: float
    label: str


class Scale(NamedTuple):
    """From values to places."""

    low: float
    high: float
    start: float
    end: float
    by_ratio: bool = False
    """Whether equal ratios, instead of equal differences, are equally long; `low` is above 0 then."""

    def place(self, value: float) -> float:
        """Return where a value is; the middle, if all values are one."""
        if self.high <= self.low:
            return (self.start + self.end) / 2
        if self.by_ratio:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def round_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that leaves at most `most` steps in a span above 0."""
    raw = span / most
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _ROUND if step * power >= raw * (1.0 - 1e-9))


def number_marks(low: float, high: float, most: int = 5) -> list[Mark]:
    """Return marks at round numbers between two values, with as many digits as tell them apart."""
    if high - low <= _SMALLEST * max(abs(low), abs(high), 1.0):
        return [Mark(low, f"{low:,.0f}")]
    step = round_step(high - low, most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if step * 10 ** max(0, -math.floor(math.log10(step))) % 1 else 0)
    first = math.ceil(low / step - 1e-9)
    return [Mark(number * step, f"{number * step:,.{digits}f}") for number in range(first, math.floor(high / step + 1e-9) + 1)]


def ratio_marks(low: float, high: float, most: int = 7) -> list[Mark]:
    """Return marks at 1, 2 and 5 times powers of ten between two values above 0, or at fewer of them."""
    for digits in ((1, 2, 5), (1, 3), (1,)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        values = [digit * 10.0**power for power in powers for digit in digits]
        marks = [Mark(value, f"{value:,.0f}" if value >= 10 else f"{value:g}") for value in values if low <= value <= high]
        if len(marks) <= most:
            break
    return marks


def time_marks(first: float, last: float, most: int = 8) -> list[Mark]:
    """Return marks at the beginnings of years, months, days or hours (UTC) between two times."""
    if not last > first:
        return [Mark(first, _date(first, "%Y-%m-%d"))]
    begin, end = dt.datetime.fromtimestamp(first, dt.UTC), dt.datetime.fromtimestamp(last, dt.UTC)
    months = (end.year - begin.year) * 12 + end.month - begin.month
    for step in (1, 2, 3, 6, 12, 24, 60, 120, 240):
        if 2 <= months / step <= most:
            return _month_marks(begin, last, step)
    for seconds in _CLOCK_STEPS:
        if (last - first) / seconds <= most:
            pattern = "%H:%M:%S" if seconds < _MINUTE else "%d %b" if seconds >= _DAY else "%d %b %H:%M" if last - first > _DAY else "%H:%M"
            start = math.ceil(first / seconds) * seconds
            return [Mark(time, _date(time, pattern)) for time in range(start, math.floor(last) + 1, seconds)]
    return [Mark(first, _date(first, "%Y")), Mark(last, _date(last, "%Y"))]


def _month_marks(begin: dt.datetime, last: float, step: int) -> list[Mark]:
    marks: list[Mark] = []
    number = -(-(begin.year * 12 + begin.month - 1) // step) * step
    while True:
        time = dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=dt.UTC)
        if time.timestamp() > last:
            return marks
        if time >= begin.replace(hour=0, minute=0, second=0, microsecond=0):
            marks.append(Mark(max(time.timestamp(), begin.timestamp()), f"{time:%Y}" if step >= 12 else f"{time:%b %Y}"))
        number += step


def _date(time: float, pattern: str) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).strftime(pattern)
