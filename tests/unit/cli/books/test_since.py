from __future__ import annotations

import pytest

from tradingbot_cli.books.since import parse_since
from tradingbot_cli.errors import RefusedError

NEWEST = 1_300_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("2011-03-13", 1_299_974_400),
        ("2011-03-13T07:06", 1_299_999_960),
        ("2011-03-13T08:06+01:00", 1_299_999_960),
        ("1d", 1_299_913_600),
        ("12h", 1_299_956_800),
        ("99999y", 0),
    ],
)
def test_dates_times_and_ages_are_taken(text: str | None, seconds: int | None) -> None:
    assert parse_since(text, NEWEST) == seconds


@pytest.mark.parametrize("text", ["yesterday", "5", "d", "", "-1d", "2011-13-01", "1.5d"])
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(RefusedError, match="write a date"):
        parse_since(text, NEWEST)


def test_an_age_needs_something_to_count_back_from() -> None:
    with pytest.raises(RefusedError, match="seen no price yet"):
        parse_since("1d", None)
