"""Excluded periods: times of the day in UTC, on days, and past midnight."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tradingbot_operator.operations import ExcludedPeriod, Weekday
from tradingbot_operator.remediation.periods import excluded_seconds

WORKDAYS = [Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI]


def at(text: str) -> float:
    """Return a time of the week in which 2 June 2025 is the Monday: "Tue 14:30"."""
    day, time = text.split()
    number = [weekday.value for weekday in Weekday].index(day)
    return datetime.fromisoformat(f"2025-06-0{2 + number}T{time}:00").replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("start", "end", "days", "moment", "expected"),
    [
        ("14:30", "21:00", [], "Tue 14:29", None),
        ("14:30", "21:00", [], "Tue 14:30", 6.5 * 3600),
        ("14:30", "21:00", [], "Tue 20:59", 60.0),
        ("14:30", "21:00", [], "Tue 21:00", None),
        ("14:30", "21:00", WORKDAYS, "Fri 15:00", 6 * 3600),
        ("14:30", "21:00", WORKDAYS, "Sat 15:00", None),
        ("22:00", "02:00", [], "Tue 23:00", 3 * 3600),
        ("22:00", "02:00", [], "Tue 01:00", 3600.0),
        ("22:00", "02:00", [], "Tue 02:00", None),
        ("22:00", "02:00", [Weekday.FRI], "Sat 01:00", 3600.0),
        ("22:00", "02:00", [Weekday.FRI], "Fri 01:00", None),
        ("22:00", "02:00", [Weekday.SUN], "Mon 01:00", 3600.0),
        ("00:00", "23:59", [], "Wed 23:59", 60.0),
        ("00:00", "23:59", [], "Wed 00:00", 24 * 3600),
        ("22:00", "00:00", [], "Wed 23:30", 1800.0),
    ],
)
def test_a_period_is_now_or_not(start: str, end: str, days: list[Weekday], moment: str, expected: float | None) -> None:
    assert excluded_seconds([ExcludedPeriod(start=start, end=end, days=days)], at(moment)) == expected


def test_of_several_periods_the_longest_counts() -> None:
    periods = [ExcludedPeriod(start="08:00", end="12:00"), ExcludedPeriod(start="09:00", end="17:00")]
    assert excluded_seconds(periods, at("Mon 10:00")) == 7 * 3600
    assert excluded_seconds([], at("Mon 10:00")) is None
