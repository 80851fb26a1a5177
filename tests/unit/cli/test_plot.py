from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.plot import condense, draw, stretch

BLOCKS = " ▁▂▃▄▅▆▇█"
values = st.lists(st.floats(-1e9, 1e9), max_size=300)
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("numbers", "width", "height", "rows"),
    [
        ([], 5, 2, ["", ""]),
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, 1, ["▁▂▃▄▅▆▇█"]),
        ([0, 15], 8, 2, [" █", "▁█"]),
        ([7, 7, 7], 8, 1, ["▄▄▄"]),
        ([7, 7], 8, 2, ["  ", "██"]),
        ([0, 0, 7, 7], 2, 1, ["▁█"]),
    ],
)
def test_drawings(numbers: list[float], width: int, height: int, rows: list[str]) -> None:
    assert draw(numbers, width=width, height=height) == rows


def test_a_part_of_the_width() -> None:
    assert draw([0, 7], width=8, height=1, span=(0.5, 1.0)) == ["    ▁▁██"]
    assert draw([0, 7], width=8, height=1, span=(0.0, 0.25)) == ["▁█"]
    assert draw([7], width=8, height=1, span=(0.0, 0.0)) == ["▄"]


@given(values, st.integers(1, 80), st.integers(1, 10), st.none() | st.tuples(shares, shares).map(sorted).map(tuple))
def test_a_drawing_has_the_size_that_was_asked_for(numbers: list[float], width: int, height: int, span: tuple[float, float] | None) -> None:
    rows = draw(numbers, width=width, height=height, span=span)
    assert len(rows) == height
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) <= width
    assert set("".join(rows)) <= set(BLOCKS)
    if numbers:
        # The lowest column is drawn too: it is not taken for "no value".
        assert rows[-1].strip()


@given(values, st.integers(1, 80))
def test_condensed_values_lie_between_the_lowest_and_the_highest(numbers: list[float], width: int) -> None:
    condensed = condense(numbers, width)
    assert len(condensed) == min(len(numbers), width)
    for value in condensed:
        assert min(numbers) - 1e-3 <= value <= max(numbers) + 1e-3


@given(values, st.integers(1, 80))
def test_stretched_values_begin_and_end_with_the_first_and_the_last(numbers: list[float], width: int) -> None:
    stretched = stretch(numbers[:width], width)
    assert len(stretched) == (width if numbers else 0)
    if numbers:
        assert (stretched[0], stretched[-1]) == (numbers[0], numbers[:width][-1])
