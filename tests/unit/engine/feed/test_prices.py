"""The columns of prices, and the steps that are cut from them."""

from __future__ import annotations

from typing import Any

import pytest


def test_bars_of_any_part_are_those_of_the_whole(workshop: Any) -> None:
    prices = workshop.prices({"A": [1.0, 2.0, None, 4.0, 5.0], "B": [None, 2.5, 3.5, None, 5.5]})
    whole = [tuple(step) for step in prices.bars(0, 5)]
    assert [[bar.symbol for bar in step] for step in whole] == [["A"], ["A", "B"], ["B"], ["A"], ["A", "B"]]
    for first in range(5):
        for last in range(first, 6):
            assert [tuple(step) for step in prices.bars(first, last)] == whole[first:last]


def test_bar_counts(workshop: Any) -> None:
    prices = workshop.prices({"A": [1.0, 2.0, None], "B": [None, 2.5, 3.5]})
    assert prices.bar_counts(0, 3) == [2, 2]
    assert prices.bar_counts(0, 1) == [1, 0]
    assert prices.bar_counts(1, 1) == [0, 0]


@pytest.mark.parametrize(("time", "step"), [(-1, 0), (0, 0), (1, 1), (1.5, 1), (2, 2), (3, 3), (99, 3)])
def test_first_step_after(workshop: Any, time: float, step: int) -> None:
    prices = workshop.prices({"A": [1.0, 2.0, 3.0]})
    assert prices.first_step_after(int(time * workshop.day_ms)) == step


def test_spacings(workshop: Any) -> None:
    prices = workshop.prices({"A": [1.0, None, 3.0, 4.0], "B": [1.0, 1.0, 1.0, 1.0]})
    assert prices.spacings_ms("A") == [2 * workshop.day_ms, workshop.day_ms]
