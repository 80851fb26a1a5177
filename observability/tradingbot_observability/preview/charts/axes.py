"""Scales, ticks and grid lines."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tradingbot_observability.preview import svg
from tradingbot_observability.preview.panel import Box
from tradingbot_observability.preview.queries import Window
from tradingbot_observability.preview.units import format_value

_TIME_STEPS: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)
_TICK_SIZE: Final = 11.0


class Shape(enum.Enum):
    """What is as far apart as what."""

    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    COUNTS = "counts"
    """0, 1 and 2 as 4, 8 and 16."""


class Scale(Struct, frozen=True):
    """Values on an axis that grows upwards."""

    low: float
    high: float
    top: float
    bottom: float
    shape: Shape = Shape.LINEAR

    def at(self, value: float) -> float:
        """Return the pixel of a value, within the plot."""
        low, value, high = (self._bent(each) for each in (self.low, value, self.high))
        return self.bottom - min(max((value - low) / (high - low), -0.02), 1.02) * (self.bottom - self.top)

    def _bent(self, value: float) -> float:
        match self.shape:
            case Shape.LOGARITHMIC:
                return math.log10(max(value, self.low))
            case Shape.COUNTS:
                return value if value <= 1 else 1 + math.log2(value)
            case _:
                return value

    def ticks(self, unit: str) -> list[float]:
        """Return round values."""
        if self.shape is Shape.COUNTS:
            return [0.0, *(2.0**power for power in range(math.floor(math.log2(self.high)) + 1))]
        if self.shape is Shape.LOGARITHMIC:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            every = max(1, math.ceil(len(powers) / 6))
            return [10.0**power for power in powers][::every]
        step = _round_step((self.high - self.low) / 4, binary=unit == "bytes")
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def linear(values: Sequence[float], top: float, bottom: float, *, low: float | None, high: float | None, soft_high: float | None) -> Scale:
    """Return a scale on which all values are seen; bounds that are given hold."""
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    least, most = min(finite), max(finite)
    least = least if low is None else min(low, least)
    most = max(most, soft_high if soft_high is not None else most)
    if most - least < 1e-12:
        most = least + (abs(least) or 1.0)
    margin = (most - least) * 0.06
    return Scale(least if low is not None else least - margin, most + margin if high is None else high, top, bottom)


def logarithmic(values: Sequence[float], top: float, bottom: float) -> Scale:
    """Return a scale of whole powers of ten."""
    positive = [value for value in values if value > 0 and math.isfinite(value)] or [1e-3, 1.0]
    least, most = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)) + 1e-9)
    return Scale(10.0**least, 10.0 ** max(most, least + 1), top, bottom, Shape.LOGARITHMIC)


def counts(values: Sequence[float], top: float, bottom: float) -> Scale:
    """Return a scale from 0 on which a few are seen beside many."""
    return Scale(0.0, max([2.0, *values]) * 1.2, top, bottom, Shape.COUNTS)


def time_at(window: Window, plot: Box, at: float) -> float:
    """Return the pixel of a time."""
    return plot.x + (at - window.start) / (window.end - window.start) * plot.width


def draw_values(scale: Scale, plot: Box, unit: str) -> str:
    """Return grid lines and numbers of the values."""
    parts = []
    ticks = scale.ticks(unit)
    for value in ticks:
        y = scale.at(value)
        parts.append(svg.rule(plot.x, y, plot.x + plot.width, y, svg.GRID))
        parts.append(svg.text(plot.x - 8, y + 4, format_value(value, unit), size=_TICK_SIZE, fill=svg.FAINT, anchor="end"))
    return "".join(parts)


def draw_times(window: Window, plot: Box) -> str:
    """Return grid lines and numbers of the time, in UTC."""
    room = max(plot.width / 75, 2)
    step = next((step for step in _TIME_STEPS if (window.end - window.start) / step <= room), _TIME_STEPS[-1])
    pattern = "%H:%M:%S" if step < 60 else "%H:%M"
    parts = []
    moment = math.ceil(window.start / step) * step
    while moment <= window.end:
        x = time_at(window, plot, moment)
        words = dt.datetime.fromtimestamp(moment, dt.UTC).strftime(pattern)
        parts.append(svg.rule(x, plot.y, x, plot.y + plot.height, svg.GRID))
        if plot.x + 12 < x < plot.x + plot.width - 12:
            parts.append(svg.text(x, plot.y + plot.height + 16, words, size=_TICK_SIZE, fill=svg.FAINT, anchor="middle"))
        moment += step
    return "".join(parts)


def values_width(scale: Scale, unit: str) -> float:
    """Return how much room the numbers of the values need."""
    return max((svg.text_width(format_value(value, unit), _TICK_SIZE) for value in scale.ticks(unit)), default=20.0) + 14


def _round_step(rough: float, *, binary: bool) -> float:
    if binary and rough > 1:
        return float(2.0 ** math.ceil(math.log2(rough)))
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
