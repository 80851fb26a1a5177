"""The highest of a window."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.indicators.highest import Highest

# Few different numbers, so that many are equal.
NUMBERS = st.lists(st.one_of(st.integers(0, 3).map(float), st.floats(allow_nan=False, allow_infinity=False)), max_size=60)
PERIODS = st.integers(1, 12)


@given(NUMBERS, PERIODS)
def test_it_is_the_highest_of_the_last_numbers(numbers: list[float], period: int) -> None:
    highest = Highest(period)
    for count, number in enumerate(numbers, 1):
        assert highest.add(number) == (max(numbers[count - period : count]) if count >= period else None)


@given(NUMBERS, PERIODS, st.integers(0, 60))
def test_saved_and_loaded_it_goes_on(numbers: list[float], period: int, cut: int) -> None:
    whole, first, second = Highest(period), Highest(period), Highest(period)
    for number in numbers:
        whole.add(number)
    for number in numbers[:cut]:
        first.add(number)
    second.load(json.loads(json.dumps(first.save())))
    for number in numbers[cut:]:
        second.add(number)
    assert json.dumps(second.save()) == json.dumps(whole.save())
