"""Draws values with block characters: eight levels to a row, so that a plot of eight rows tells 64 values apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_LEVELS: Final = len(_BLOCKS) - 1


def draw(values: Sequence[float], *, width: int, height: int, span: tuple[float, float] | None = None) -> list[str]:
    """Return `height` rows, the top one first.

    The values are drawn over `span`, the part of the width from one share of it to another (0 to 1), or else as they come, one in each
    column as far as the width goes. The lowest is one level high and the highest fills its column; if all are the same, they are in the
    middle.
    """
    first, last = (0, width) if span is None else (int(span[0] * width), round(span[1] * width))
    columns = condense(values, width) if span is None else stretch(condense(values, max(1, last - first)), max(1, last - first))
    if not columns:
        return [""] * height
    low, high = min(columns), max(columns)
    top = height * _LEVELS
    rise = high - low
    levels = [1 + round((value - low) / rise * (top - 1)) if rise else (top + 1) // 2 for value in columns]
    margin = " " * min(first, width - 1)
    return [margin + "".join(_BLOCKS[min(_LEVELS, max(0, level - row * _LEVELS))] for level in levels) for row in reversed(range(height))]


def condense(values: Sequence[float], width: int) -> list[float]:
    """Return at most `width` values: the mean of each of so many parts of equal length."""
    if len(values) <= width:
        return list(values)
    bounds = [part * len(values) // width for part in range(width + 1)]
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(bounds)]


def stretch(values: Sequence[float], width: int) -> list[float]:
    """Return `width` values, each the one that is nearest to its place; none if there are none."""
    return [values[column * len(values) // width] for column in range(width)] if values else []
