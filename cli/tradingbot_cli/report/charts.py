"""Charts as SVG: drawn once, in the page's own colours, readable in light, in dark and on paper; no script moves them.

Every chart says in words what it shows (`<title>`), for who can't see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from tradingbot_cli.report.scale import Mark, Scale, number_marks, ratio_marks, time_marks
from tradingbot_engine.statistics.curve import CurvePoint
from tradingbot_observer.page.markup import Markup, element, join

WIDTH: Final = 1000
"""Of a chart that goes over the whole page."""
HALF_WIDTH: Final = 480
_LEFT: Final = 76
_RIGHT: Final = 12
_TOP: Final = 14
_BOTTOM: Final = 24
_MOST_POINTS: Final = 1600
_BINS: Final = 24
_LEAST_SPREAD: Final = 1e-6
"""Of the values of a histogram: less than that can't be told apart in its figures, nor divided into bars."""
_HISTOGRAM_LEFT: Final = 34
_TIME_MARK_WIDTH: Final = 115
_RATIO_FROM: Final = 4.0


class Line(NamedTuple):
    """A line of a chart; where a value isn't known, it is broken."""

    css: str
    points: Sequence[tuple[float, float | None]]
    area: bool = False


def draw_lines(
    lines: Sequence[Line],
    *,
    title: str,
    height: int,
    span: tuple[float, float],
    low: float | None = None,
    high: float | None = None,
    suffix: str = "",
    times: bool = True,
    elapsed: bool = False,
    width: int = WIDTH,
) -> Markup:
    """Return lines over time, on one axis of values; `low` and `high` widen it.

    What is above 0 and of very different sizes is drawn by ratio (a logarithmic axis): the same rise in percent is as high everywhere.
    """
    values = [value for line in lines for _, value in line.points if value is not None]
    values += [bound for bound in (low, high) if bound is not None]
    if not values:
        return Markup("")
    bottom, top = min(values), max(values)
    if top == bottom:
        bottom, top = bottom - (abs(bottom) or 1.0) * 0.01, top + (abs(top) or 1.0) * 0.01
    across = Scale(span[0], span[1], _LEFT, width - _RIGHT)
    by_ratio = is_by_ratio(bottom, top)
    up = Scale(bottom, top, height - (_BOTTOM if times else _TOP), _TOP, by_ratio)
    marks = ratio_marks(bottom, top) if by_ratio else number_marks(bottom, top, max(3, height // 55))
    return _svg(
        (width, height),
        title,
        _value_axis(marks, up, width, suffix),
        _time_axis(span, across, height, elapsed=elapsed, named=times),
        *(_line(line, across, up) for line in lines),
    )


def draw_depths(points: Sequence[tuple[float, float]], *, title: str, height: int, span: tuple[float, float], elapsed: bool) -> Markup:
    """Return how far below its highest the equity was, as an area that hangs from the top; depths are fractions."""
    return draw_lines(
        [Line("depth", [(time, -depth * 100.0) for time, depth in points], area=True)],
        title=title,
        height=height,
        span=span,
        high=0.0,
        low=-0.1,
        suffix=" %",
        elapsed=elapsed,
    )


def draw_histogram(values: Sequence[float], *, title: str, height: int, suffix: str, width: int = HALF_WIDTH) -> Markup:
    """Return how many values there are of each size: those below 0 to the left, in the colour of losses."""
    if not values:
        return Markup("")
    low, high = min(*values, 0.0), max(*values, 0.0)
    if high - low < _LEAST_SPREAD:
        high = 1.0
    step = (high - low) / _BINS
    # 0 is the edge of a bar, so that none holds both wins and losses.
    below = math.ceil(-low / step - 1e-9)
    above = max(1, math.ceil(high / step - 1e-9))
    counts = [0] * (below + above)
    for value in values:
        counts[min(len(counts) - 1, max(0, math.floor(value / step + 1e-9) + below))] += 1
    across = Scale(-below * step, above * step, _HISTOGRAM_LEFT, width - _RIGHT)
    up = Scale(0.0, float(max(counts)), height - _BOTTOM, _TOP)
    bars = []
    for number, count in enumerate(counts):
        left, right = across.place((number - below) * step), across.place((number - below + 1) * step)
        if count:
            y = up.place(count)
            from_value, to_value = (number - below) * step, (number - below + 1) * step
            bars.append(
                element(
                    "rect",
                    element("title", f"{count} from {from_value:.2f}{suffix} to {to_value:.2f}{suffix}"),
                    x=_n(left + 1),
                    y=_n(y),
                    width=_n(max(1.0, right - left - 2)),
                    height=_n(up.start - y),
                    class_="loss" if number < below else "win",
                )
            )
    marks = number_marks(across.low, across.high, width // 80)
    labels = [_text(across.place(mark.value), height - 6, f"{mark.label}{suffix}", "middle") for mark in marks]
    zero = element("line", x1=_n(across.place(0)), x2=_n(across.place(0)), y1=_TOP, y2=_n(up.start), class_="zero")
    counts_axis = [mark for mark in number_marks(0.0, up.high, 4) if mark.value == int(mark.value)]
    return _svg((width, height), title, _value_axis(counts_axis, up, width, "", left=_HISTOGRAM_LEFT), *bars, zero, *labels)


def thin_points(points: Sequence[CurvePoint], most: int = _MOST_POINTS) -> list[CurvePoint]:
    """Return at most so many points: the lowest and the highest of equal stretches, with both ends."""
    if len(points) <= most:
        return list(points)
    stretches = (most - 2) // 2
    kept = {0, len(points) - 1}
    for number in range(stretches):
        stretch = range(number * len(points) // stretches, (number + 1) * len(points) // stretches)
        kept.add(min(stretch, key=lambda place: points[place].equity))
        kept.add(max(stretch, key=lambda place: points[place].equity))
    return [points[place] for place in sorted(kept)]


def is_by_ratio(low: float, high: float) -> bool:
    """Return whether values of these bounds are drawn on a logarithmic axis."""
    return low > 0.0 and high / low > _RATIO_FROM


def _svg(size: tuple[int, int], title: str, *content: Markup) -> Markup:
    return element("svg", element("title", title), *content, viewBox=f"0 0 {size[0]} {size[1]}", role="img", class_="chart")


def _value_axis(marks: Sequence[Mark], up: Scale, width: int, suffix: str, *, left: int = _LEFT) -> Markup:
    parts = []
    for mark in marks:
        y = up.place(mark.value)
        parts.append(element("line", x1=left, x2=width - _RIGHT, y1=_n(y), y2=_n(y), class_="grid"))
        parts.append(_text(left - 8, y + 4, f"{mark.label}{suffix}", "end"))
    return join(*parts)


def _time_axis(span: tuple[float, float], across: Scale, height: int, *, elapsed: bool, named: bool) -> Markup:
    parts = []
    most = max(3, round((across.end - across.start) / _TIME_MARK_WIDTH))
    marks = _elapsed_marks(span, most) if elapsed else time_marks(*span, most)
    for mark in marks:
        x = across.place(mark.value)
        parts.append(element("line", x1=_n(x), x2=_n(x), y1=_TOP, y2=height - (_BOTTOM if named else _TOP), class_="grid"))
        anchor = "end" if x > across.end - 30 else "middle"
        if named:
            parts.append(_text(x, height - 6, mark.label, anchor))
    return join(*parts)


def _elapsed_marks(span: tuple[float, float], most: int) -> list[Mark]:
    """Return marks in years or days since the beginning, for time that isn't that of a calendar."""
    unit, name = (365.25 * 86_400, "years") if span[1] - span[0] > 2 * 365.25 * 86_400 else (86_400.0, "days")
    marks = number_marks(0.0, (span[1] - span[0]) / unit, most)
    return [Mark(span[0] + mark.value * unit, f"{mark.label} {name}") for mark in marks]


def _line(line: Line, across: Scale, up: Scale) -> Markup:
    stretches: list[list[str]] = [[]]
    for time, value in line.points:
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append(f"{_n(across.place(time))},{_n(up.place(value))}")
    drawn = [stretch for stretch in stretches if stretch]
    parts = []
    if line.area and drawn:
        floor = _n(up.place(0.0) if up.low <= 0.0 <= up.high else up.start)
        for stretch in drawn:
            first, last = stretch[0].split(",")[0], stretch[-1].split(",")[0]
            parts.append(element("path", d=f"M{first},{floor}L{'L'.join(stretch)}L{last},{floor}Z", class_=f"area {line.css}"))
    parts.append(element("path", d="".join(f"M{'L'.join(stretch)}" for stretch in drawn), class_=f"line {line.css}"))
    return join(*parts)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return element("text", text, x=_n(x), y=_n(y), text_anchor=anchor)


def _n(value: float) -> str:
    """Return a coordinate with a digit after the point, which is all that can be seen."""
    return f"{value:.1f}".removesuffix(".0")
