"""The length of a bar."""

from __future__ import annotations

import pytest

from tradingbot_engine.feed.timeframe import describe_ms, parse_timeframe_ms, spacing_mismatch_ms

HOUR, DAY = 3_600_000, 86_400_000


@pytest.mark.parametrize(("text", "ms"), [("1m", 60_000), ("15m", 900_000), ("4h", 4 * HOUR), ("1d", DAY), ("2w", 14 * DAY)])
def test_a_timeframe_and_back(text: str, ms: int) -> None:
    assert parse_timeframe_ms(text) == ms
    assert describe_ms(ms) == text


def test_odd_lengths_are_described_too() -> None:
    assert describe_ms(1500) == "1.5s"
    assert describe_ms(90 * 60_000) == "90m"


@pytest.mark.parametrize(
    ("spacings", "timeframe", "found"),
    [
        ([DAY, DAY, DAY, 3 * DAY, DAY], DAY, None),  # a weekend
        ([DAY, DAY + HOUR, DAY - HOUR], DAY, None),  # clocks change
        ([HOUR, HOUR, 17 * HOUR], HOUR, None),  # a night
        ([HOUR, HOUR], DAY, HOUR),
        ([7 * DAY, 7 * DAY], DAY, 7 * DAY),
        ([], DAY, None),
    ],
)
def test_the_usual_spacing_must_be_the_timeframe(spacings: list[int], timeframe: int, found: int | None) -> None:
    assert spacing_mismatch_ms(spacings, timeframe) == found
