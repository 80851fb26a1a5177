"""Data sets by name and by path; and the one that ships is what its README says."""

from __future__ import annotations

import datetime as dt

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Feed, Market, Replay
from tradingbot_engine.feed.dataset import DATASETS, load_prices

SYMBOLS = ["AAPL", "GOOG", "IBM", "MSFT"]


def test_what_ships_is_all_there_and_free_of_jumps_from_splits() -> None:
    prices = load_prices(Market(symbols=SYMBOLS))
    assert (prices.steps, prices.bar_counts(0, prices.steps)) == (3270, [3270, 2148, 3270, 3270])
    dates = [dt.datetime.fromtimestamp(prices.time_ms(step) / 1000, tz=dt.UTC).date() for step in (0, prices.steps - 1)]
    assert dates == [dt.date(2000, 3, 1), dt.date(2013, 3, 1)]
    last = {}
    for step in prices.bars(0, prices.steps):
        for bar in step:
            before = last.get(bar.symbol, bar.close)
            assert 0.4 < bar.close / before < 1.6  # Apple lost half in a day in September 2000; a split left in would be a step of 2
            assert bar.low <= bar.open <= bar.high
            assert bar.low <= bar.close <= bar.high
            last[bar.symbol] = bar.close


def test_a_day_of_known_prices() -> None:
    # Apple on the last day, which no split touches, and on the first, which two do: quoted at 118.56 to 130.31.
    prices = load_prices(Market(symbols=["AAPL"]))
    [[first]] = prices.bars(0, 1)
    assert (first.open, first.close, first.volume) == (118.56 / 4, 130.31 / 4, 9616100 * 4)
    [[last]] = prices.bars(3269, 3270)
    assert last.close == pytest.approx(430.47)


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(SpecError, match=r"market\.feed\.replay\.data: there is no data set 'moon': use wiki-daily"):
        load_prices(Market(symbols=SYMBOLS, feed=Feed(replay=Replay(data="moon"))))


def test_bars_of_another_length_are_refused() -> None:
    with pytest.raises(SpecError, match=r"market\.timeframe: bars of AAPL are 1d apart, not 1h"):
        load_prices(Market(symbols=["AAPL"], timeframe="1h"))


def test_the_contract_names_each_data_set() -> None:
    described = str(Replay.__annotations__["data"])
    assert all(f"`{name}`" in described for name in DATASETS)
