"""The length of a bar: "15m", "1d". A feed must have the length that the spec says, or every period of a strategy means another time."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

_UNIT_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_TOLERANCE: Final = 0.1
"""A day is an hour longer or shorter twice a year."""


def parse_timeframe_ms(text: str) -> int:
    """Return the milliseconds of a timeframe that the contract's pattern has let through."""
    return int(text[:-1]) * _UNIT_MS[text[-1]]


def describe_ms(duration_ms: float) -> str:
    """Return a duration as a timeframe in the largest unit that it is a whole number of."""
    for unit in ("w", "d", "h", "m"):
        if duration_ms >= _UNIT_MS[unit] and duration_ms % _UNIT_MS[unit] == 0:
            return f"{duration_ms / _UNIT_MS[unit]:g}{unit}"
    return f"{duration_ms / 1000:g}s"


def spacing_mismatch_ms(spacings_ms: Sequence[int], timeframe_ms: int) -> float | None:
    """Return the usual spacing of bars if it isn't the timeframe, else None.

    The median, since markets close at night, at weekends and on holidays.
    """
    if not spacings_ms:
        return None
    median = statistics.median(spacings_ms)
    return None if abs(median - timeframe_ms) <= _TOLERANCE * timeframe_ms else median
