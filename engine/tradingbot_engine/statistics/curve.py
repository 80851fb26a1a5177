"""The equity curve: what it returned, and how far and how long it was below its highest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tradingbot_engine.statistics.finite import finite

YEAR_SECONDS: Final = 365.25 * 86_400
"""A Julian year."""
_FULL_YEAR_SECONDS: Final = 365 * 86_400
_ROUNDING: Final = 1e-9


class CurvePoint(NamedTuple):
    """Equity at one time."""

    time: float
    equity: float


class Drawdown(NamedTuple):
    """The time from a highest equity until it is reached again."""

    depth: float
    """Loss from the highest equity to the lowest before it is reached again, 0 to 1."""
    peak_at: float
    """When the highest equity was last seen."""
    trough_at: float
    recovered_at: float | None
    """When it was reached again; None: not until the end of the curve."""
    until: float
    """`recovered_at`, or the end of the curve."""

    @property
    def seconds(self) -> float:
        """From the peak until it was reached again, or until the end of the curve."""
        return max(0.0, self.until - self.peak_at)


def measure_returns(curve: Sequence[CurvePoint]) -> list[float]:
    """Return the simple return of each point on the one before, as fractions; one on an equity of 0 or less is left out."""
    return [after.equity / before.equity - 1.0 for before, after in pairwise(curve) if before.equity > 0.0]


def total_return(curve: Sequence[CurvePoint]) -> float | None:
    """Return last equity / first equity - 1, as a fraction; None for fewer than two points or a first equity that isn't above 0."""
    if len(curve) < 2 or curve[0].equity <= 0.0:
        return None
    return finite(curve[-1].equity / curve[0].equity - 1.0)


def compound_annual_growth(curve: Sequence[CurvePoint]) -> float | None:
    """Return the compound annual growth rate, (last / first) ^ (1 / years) - 1, as a fraction.

    None for less than a year: a return of a shorter time must not be annualised (Global Investment Performance Standards, 2020), since that
    would show as earned what nobody has earned. Years have 365.25 days.
    """
    total = total_return(curve)
    if total is None:
        return None
    seconds = curve[-1].time - curve[0].time
    if seconds < _FULL_YEAR_SECONDS:
        return None
    if total <= -1.0:
        return -1.0
    try:
        return finite((1.0 + total) ** (YEAR_SECONDS / seconds) - 1.0)
    except OverflowError:
        return None


def find_drawdowns(curve: Sequence[CurvePoint]) -> list[Drawdown]:
    """Return every stretch below a highest equity, in order. Depth is (peak - trough) / peak (Magdon-Ismail and Atiya, 2004)."""
    found: list[Drawdown] = []
    if not curve:
        return found
    peak = trough = curve[0]
    for point in curve:
        if point.equity >= peak.equity:
            if trough.equity < peak.equity:
                found.append(_drawdown(peak, trough, recovered_at=point.time, until=point.time))
            peak = trough = point
        elif point.equity < trough.equity:
            trough = point
    if trough.equity < peak.equity:
        found.append(_drawdown(peak, trough, recovered_at=None, until=curve[-1].time))
    return found


def deepest_drawdown(curve: Sequence[CurvePoint]) -> Drawdown | None:
    """Return the deepest drawdown, the first of equals; None when the equity never fell."""
    return max(find_drawdowns(curve), key=lambda drawdown: drawdown.depth, default=None)


def longest_drawdown(curve: Sequence[CurvePoint]) -> Drawdown | None:
    """Return the drawdown that lasted longest, the first of equals; None when the equity never fell."""
    return max(find_drawdowns(curve), key=lambda drawdown: drawdown.seconds, default=None)


def drawdown_at_each(curve: Sequence[CurvePoint]) -> list[float]:
    """Return for each point the loss from the highest equity until then, 0 to 1."""
    depths: list[float] = []
    highest = 0.0
    for point in curve:
        highest = max(highest, point.equity)
        depths.append(min(1.0, 1.0 - point.equity / highest) if highest > 0.0 else 0.0)
    return depths


def returns_per_year(curve: Sequence[CurvePoint]) -> float | None:
    """Return how many points a year of the curve has.

    It is counted on the curve instead of taken from a calendar: daily bars of a market that rests at weekends have about 252 a year, of one
    that doesn't 365, and both are right. None for fewer than two points, or where the time of the market has gone back.
    """
    if len(curve) < 2:
        return None
    seconds = curve[-1].time - curve[0].time
    if seconds <= 0.0 or any(after.time < before.time for before, after in pairwise(curve)):
        return None
    return finite((len(curve) - 1) * YEAR_SECONDS / seconds)


def sample_evenly(curve: Sequence[CurvePoint], *, most: int) -> list[CurvePoint]:
    """Return the equity at equal distances of time, each the last that was known then: what ratios of risk need of a curve that isn't even.

    The distance is the median of the curve's own, or what makes at most `most` points.
    """
    if len(curve) < 3 or curve[-1].time <= curve[0].time:
        return list(curve)
    distances = sorted(after.time - before.time for before, after in pairwise(curve) if after.time > before.time)
    first, last = curve[0].time, curve[-1].time
    distance = max(distances[len(distances) // 2], (last - first) / (most - 1))
    points = [curve[0]]
    place = 0
    for number in range(1, int((last - first) / distance * (1.0 + _ROUNDING)) + 1):
        time = first + number * distance
        while place + 1 < len(curve) and curve[place + 1].time <= time + distance * _ROUNDING:
            place += 1
        points.append(CurvePoint(time, curve[place].equity))
    return points


def lap_offsets(times_by_lap: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Return what to add to the market's times of each lap so that one lap follows the other, as the bot has lived through them.

    `times_by_lap` are laps with times, in the order in which they happened.
    """
    offsets: dict[int, float] = {}
    last_lap: int | None = None
    last = 0.0
    for lap, time in times_by_lap:
        if lap != last_lap:
            offsets[lap] = 0.0 if last_lap is None else last - time
            last_lap = lap
        last = time + offsets[lap]
    return offsets


def _drawdown(peak: CurvePoint, trough: CurvePoint, *, recovered_at: float | None, until: float) -> Drawdown:
    depth = 1.0 - trough.equity / peak.equity if peak.equity > 0.0 else 1.0
    return Drawdown(min(1.0, depth), peak.time, trough.time, recovered_at, until)
