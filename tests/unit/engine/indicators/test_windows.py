"""Averages and bands of a window, against their definition in exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.indicators.bollinger import Bollinger
from tradingbot_engine.indicators.sma import SMA
from tradingbot_engine.indicators.wma import WMA

PRICES = st.lists(st.floats(min_value=1e-6, max_value=1e6), min_size=1, max_size=60)
PERIODS = st.integers(1, 12)


def deviation(window: list[float]) -> float:
    """Of the population."""
    exact = [Fraction(price) for price in window]
    mean = sum(exact) / len(exact)
    return math.sqrt(sum((price - mean) ** 2 for price in exact) / len(exact))


@given(PRICES, PERIODS)
def test_averages_at_every_price(prices: list[float], period: int) -> None:
    simple, weighted = SMA(period), WMA(period)
    for count, price in enumerate(prices, 1):
        found = simple.update(price), weighted.update(price)
        if count < period:
            assert found == (None, None)
            continue
        window = [Fraction(price) for price in prices[count - period : count]]
        mean = sum(window) / period
        weighed = sum(weight * price for weight, price in enumerate(window, 1)) / Fraction(period * (period + 1), 2)
        assert found == pytest.approx((float(mean), float(weighed)), rel=1e-13)


@given(PRICES, PERIODS)
def test_bands_at_every_price(prices: list[float], period: int) -> None:
    bands = Bollinger(period, 3.0)
    for count, price in enumerate(prices, 1):
        band = bands.update(price)
        if count < period:
            assert band is None
            continue
        assert band is not None
        window = prices[count - period : count]
        reach = 3.0 * deviation(window)
        # Relative to the prices: below their last digits there is nothing to be had.
        assert band == pytest.approx(
            (band.middle + reach, math.fsum(window) / period, band.middle - reach), rel=1e-12, abs=1e-12 * max(window)
        )


def test_bands_are_exact_where_prices_are_high_and_hardly_move() -> None:
    bands = Bollinger(5, 1.0)
    prices = [1e8 + step * 1e-6 for step in (0, 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5)]
    for count, price in enumerate(prices, 1):
        band = bands.update(price)
        if band is not None:
            # A price of 1e8 is rounded by 1.5e-8; the difference of two sums of squares would be off by more than the reach itself.
            assert band.upper - band.middle == pytest.approx(deviation(prices[count - 5 : count]), abs=2e-8)
