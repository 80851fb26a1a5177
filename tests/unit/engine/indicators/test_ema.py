"""The exponential moving average, against a calculation that shares nothing with it."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.indicators.ema import EMA

PRICES = st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=1, max_size=120)


def ema_by_definition(prices: list[float], period: int) -> float | None:
    """All weights at once: the seed decays by (1 - k) a bar, each later price has weight k (1 - k) ^ age."""
    if len(prices) < period:
        return None
    k = 2 / (period + 1)
    later = prices[period:]
    seed = math.fsum(prices[:period]) / period
    return math.fsum([seed * (1 - k) ** len(later), *(price * k * (1 - k) ** age for age, price in enumerate(reversed(later)))])


@given(PRICES, st.integers(1, 40))
def test_it_is_the_average_of_the_definition_at_every_price(prices: list[float], period: int) -> None:
    ema = EMA(period)
    for count, price in enumerate(prices, 1):
        value = ema.update(price)
        expected = ema_by_definition(prices[:count], period)
        assert value == ema.value
        if expected is None:
            assert value is None
        else:
            assert value == pytest.approx(expected, rel=1e-9)


def test_the_first_value_is_the_plain_mean() -> None:
    ema = EMA(3)
    assert [ema.update(price) for price in (1.0, 2.0, 6.0, 5.0)] == [None, None, 3.0, 4.0]


@given(PRICES, st.integers(1, 40), st.integers(0, 120))
def test_saved_and_loaded_it_goes_on_bit_for_bit(prices: list[float], period: int, cut: int) -> None:
    whole, first, second = EMA(period), EMA(period), EMA(period)
    for price in prices:
        whole.update(price)
    for price in prices[:cut]:
        first.update(price)
    second.load(json.loads(json.dumps(first.save())))
    for price in prices[cut:]:
        second.update(price)
    assert second.save() == whole.save()
