"""The history as points to draw: as few as were asked for, and no spike lost on the way.

Samples that fall together become one point, which has the worst value of each measure by itself: the lowest score and hit ratio, the
highest of everything else. A measure that none of them has is None there, and its line breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Sample

MOST_POINTS: Final = 1440

Worst = Callable[[list[float]], float]
_WORST: Final[dict[str, Worst]] = {
    "score": min,
    "memory_bytes": max,
    "cpu_percent": max,
    "response_p95_seconds": max,
    "error_percent": max,
    "cache_hit_percent": min,
}


class Points(Struct, frozen=True):
    """Points by column, the oldest first. `at` is the time of the last sample of each, `series` has a column for each measure."""

    hours: float
    now: float
    interval_seconds: float
    samples: int
    """How many samples they are made of."""
    at: list[float]
    series: dict[str, list[float | None]]


def thin(samples: Sequence[Sample], points: int, *, hours: float, now: float, interval_seconds: float) -> Points:
    """Return at most so many points."""
    groups = list(_groups(samples, points))
    return Points(
        hours=hours,
        now=now,
        interval_seconds=interval_seconds,
        samples=len(samples),
        at=[round(group[-1].at, 3) for group in groups],
        series={name: [_condense(group, name, worst) for group in groups] for name, worst in _WORST.items()},
    )


def _groups(samples: Sequence[Sample], points: int) -> Iterable[Sequence[Sample]]:
    size = max(1, -(-len(samples) // points))
    # Counted from the newest, so that only the oldest point is made of fewer.
    first = len(samples) % size
    if first:
        yield samples[:first]
    for start in range(first, len(samples), size):
        yield samples[start : start + size]


def _condense(group: Sequence[Sample], name: str, worst: Worst) -> float | None:
    known = [value for sample in group if (value := getattr(sample, name)) is not None]
    return round(worst(known), 6) if known else None
