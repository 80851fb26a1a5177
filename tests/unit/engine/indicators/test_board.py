"""The board: one instance for equal requests, one update for each bar, and a restart that nobody can see."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.indicators.board import Board, Indicators

Ask = Callable[[Board], Any]

PRICE = st.floats(min_value=1e-9, max_value=1e9)
VOLUME = st.one_of(st.just(0.0), st.floats(min_value=1e-9, max_value=1e15))


def as_bars(rows: list[tuple[list[float], float]]) -> list[Bar]:
    bars = []
    for time_ms, (prices, volume) in enumerate(rows):
        low, opening, close, high = sorted(prices)
        bars.append(Bar("A", time_ms, opening, high, low, close, volume))
    return bars


BARS = st.lists(st.tuples(st.lists(PRICE, min_size=4, max_size=4), VOLUME), max_size=40).map(as_bars)
# `ask` depends on the parameter of the test, not on the example.
several_examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def flat(time_ms: int, price: float, volume: float = 1.0) -> Bar:
    return Bar("A", time_ms, price, price, price, price, volume)


def figures(value: Any) -> list[float]:
    if value is None:
        return []
    return list(value) if isinstance(value, tuple) else [value]


def play(board: Board, ask: Ask, bars: list[Bar]) -> list[Any]:
    values = []
    for bar in bars:
        board.take(bar)
        values.append(ask(board).value)
    return values


@several_examples
@given(BARS, st.integers(0, 40))
def test_saved_and_loaded_at_any_bar_it_goes_on_bit_for_bit(ask: Ask, bars: list[Bar], cut: int) -> None:
    whole, first, second = Board(), Board(), Board()
    values = play(whole, ask, bars)
    before = play(first, ask, bars[:cut])
    second.load(json.loads(json.dumps(first.save())))
    assert before + play(second, ask, bars[cut:]) == values
    assert json.dumps(second.save()) == json.dumps(whole.save())


@several_examples
@given(BARS)
def test_a_value_is_finite_or_unknown(ask: Ask, bars: list[Bar]) -> None:
    for value in play(Board(), ask, bars):
        assert all(math.isfinite(figure) for figure in figures(value))


def test_real_prices_saved_at_every_bar(ask: Ask, real_bars: Mapping[str, list[Bar]]) -> None:
    bars = real_bars["IBM"][:60]
    whole = Board()
    values = play(whole, ask, bars)
    state = Board().save()
    for bar, value in zip(bars, values, strict=True):
        board = Board()
        board.load(json.loads(json.dumps(state)))
        assert play(board, ask, [bar]) == [value]
        state = board.save()
    assert values[-1] is not None


def test_a_period_longer_than_the_prices_stays_unknown(real_bars: Mapping[str, list[Bar]]) -> None:
    board = Board()
    bars = real_bars["AAPL"][:50]
    asked = [board.sma(51), board.ema(51), board.wma(51), board.rsi(50), board.macd(2, 40, 12), board.bollinger(51)]
    more = [board.atr(50), board.donchian(51), board.stochastic(49, 2, 2), board.adx(26), board.vwap(51)]
    for bar in bars:
        board.take(bar)
    assert [indicator.value for indicator in (*asked, *more)] == [None] * 11


@pytest.mark.parametrize("price", [0.1, 3.0, 12345.678])
def test_constant_prices(price: float) -> None:
    board = Board()
    for time_ms in range(100):
        board.take(flat(time_ms, price))
        values = {
            "sma": board.sma(7).value,
            "ema": board.ema(7).value,
            "wma": board.wma(7).value,
            "bollinger": board.bollinger(7).value,
            "donchian": board.donchian(7).value,
            "vwap": board.vwap(7).value,
            "macd": board.macd(3, 7, 4).value,
            "atr": board.atr(7).value,
            "rsi": board.rsi(7).value,
            "stochastic": board.stochastic(7).value,
            "adx": board.adx(7).value,
        }
    assert [values[kind] for kind in ("sma", "ema", "wma", "vwap")] == pytest.approx([price] * 4, rel=1e-14)
    assert values["bollinger"] == (price, price, price)
    assert values["donchian"] == (price, price, price)
    assert values["macd"] == pytest.approx((0.0, 0.0, 0.0), abs=1e-14 * price)
    assert values["atr"] == 0.0
    assert values["rsi"] is None  # no movement has no direction
    assert values["stochastic"] is None  # no range has no place in it
    assert values["adx"] == (0.0, 0.0, 0.0)


def test_a_window_without_trades_has_no_price_of_its_trades() -> None:
    board = Board()
    values = play(
        board, lambda board: board.vwap(3), [flat(1, 5.0, 1e15), *[flat(time, 7.0, 0.0) for time in range(2, 6)], flat(6, 9.0, 1e-6)]
    )
    # Of a volume that has left the window nothing is left.
    assert values == [None, None, 5.0, None, None, 9.0]


def test_a_stochastic_goes_on_once_there_is_a_range_again() -> None:
    board = Board()
    bars = [flat(time, 5.0) for time in range(1, 4)] + [Bar("A", time, 5.0, 6.0, 4.0, 5.5, 1.0) for time in range(4, 9)]
    assert play(board, lambda board: board.stochastic(2, 2, 2), bars) == [None] * 5 + [(75.0, 75.0)] * 3


def test_equal_requests_share_one_instance() -> None:
    board = Board()
    assert board.rsi(14) is board.rsi()
    assert board.bollinger(20, 2) is board.bollinger()
    assert board.rsi(14) is not board.rsi(15)
    assert board.sma(14) is not board.wma(14)


def test_a_bar_counts_once_however_often_it_is_taken_and_asked() -> None:
    indicators = Indicators()
    for time_ms in range(1, 4):
        for _ in range(3):
            board = indicators.take(flat(time_ms, float(time_ms)))
            average = board.sma(3).value
    assert average == 2.0


def test_it_begins_with_the_bar_at_which_it_is_asked_for() -> None:
    board = Board()
    for time_ms in range(1, 4):
        board.take(flat(time_ms, float(time_ms)))
    assert board.sma(1).value == 3.0
    assert board.donchian(1).value == (3.0, 3.0, 3.0)
    assert board.sma(2).value is None
    board.take(flat(4, 4.0))
    assert board.sma(2).value == 3.5


def test_an_indicator_can_be_kept() -> None:
    board = Board()
    average = board.ema(2)
    for time_ms in (1, 2):
        board.take(flat(time_ms, 4.0))
    assert average.value == 4.0


def test_symbols_have_boards_of_their_own() -> None:
    indicators = Indicators()
    indicators.take(flat(1, 4.0)).sma(1)
    assert indicators("A").sma(1).value == 4.0
    assert indicators("B").sma(1).value is None
    other = Indicators()
    other.load(json.loads(json.dumps(indicators.save())))
    assert other.save() == indicators.save()


def test_time_does_not_run_backwards() -> None:
    board = Board()
    board.take(flat(2, 4.0))
    with pytest.raises(ValueError, match="a bar of A at 1 ms came after one at 2 ms"):
        board.take(flat(1, 4.0))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda board: board.sma(0), "period is 0: it must be a whole number of bars, 1 or more"),
        (lambda board: board.ema(-1), "period is -1"),
        (lambda board: board.rsi(2.5), "period is 2.5"),
        (lambda board: board.adx(1), "period is 1: it must be a whole number of bars, 2 or more"),
        (lambda board: board.macd(26, 12), "slow_period is 12: it must be a whole number of bars, 27 or more"),
        (lambda board: board.bollinger(20, math.nan), "deviations is nan: it must be above 0"),
        (lambda board: board.stochastic(14, 0), "k_smoothing is 0"),
    ],
)
def test_a_parameter_that_can_t_be_is_refused_where_it_is_asked_for(ask: Ask, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(Board())
