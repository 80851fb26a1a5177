"""The window as a fold: that of the last n items by definition, and nothing of those before."""

from __future__ import annotations

import json
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.indicators.sliding import Sliding


def join(newer: str, older: str) -> str:
    """Order matters to it."""
    return older + newer


@given(st.text(max_size=60), st.integers(1, 12))
def test_it_is_the_fold_of_the_last_items_in_their_order(items: str, period: int) -> None:
    window = Sliding(period, join)
    for count, item in enumerate(items, 1):
        assert window.add(item) == (items[count - period : count] if count >= period else None)


def test_a_large_number_leaves_no_trace() -> None:
    window = Sliding(3, operator.add)
    for number in (0.1, 1e17, 0.1, 0.1):
        window.add(number)
    assert window.add(0.1) == pytest.approx(0.3, rel=1e-15)


def test_a_million_numbers_later_the_sum_is_as_exact_as_at_first() -> None:
    window = Sliding(7, operator.add)
    numbers = [(index * 7919 % 1000003) / 7 for index in range(1_000_000)]
    for number in numbers:
        total = window.add(number)
    assert total == pytest.approx(sum(numbers[-7:]), rel=1e-15)


@given(st.lists(st.floats(-1e9, 1e9), max_size=40), st.integers(1, 9), st.integers(0, 40))
def test_saved_and_loaded_it_goes_on_bit_for_bit(items: list[float], period: int, cut: int) -> None:
    whole, first, second = (Sliding(period, operator.add) for _ in range(3))
    for item in items:
        whole.add(item)
    for item in items[:cut]:
        first.add(item)
    second.load(json.loads(json.dumps(first.save())))
    for item in items[cut:]:
        second.add(item)
    assert second.save() == whole.save()
