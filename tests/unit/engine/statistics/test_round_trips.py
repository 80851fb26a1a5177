from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.broker.paper import PaperBroker
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.orders.order import Order, OrderStatus, Side
from tradingbot_engine.statistics.round_trips import RoundTrip, Trade, held_seconds, match_round_trips


def trade(side: str, amount: float, price: float, time: float, *, fee: float = 0.0, symbol: str = "IBM") -> Trade:
    return Trade(symbol, side, amount, price, fee, time)


def test_a_purchase_and_its_sale_are_a_round_trip_with_both_fees() -> None:
    ledger = match_round_trips([trade("buy", 10, 100, 1, fee=2), trade("sell", 10, 110, 5, fee=3)])
    (trip,) = ledger.closed
    assert trip == RoundTrip("IBM", long=True, amount=10, entry=100, exit=110, fees=5, profit=95, opened_at=1, closed_at=5)
    assert trip.seconds == 4
    assert trip.profit_share == pytest.approx(0.095)
    assert not ledger.open


def test_a_position_is_carried_at_its_average_and_sold_in_parts() -> None:
    fills = [trade("buy", 10, 100, 1), trade("buy", 10, 120, 2), trade("sell", 5, 130, 3), trade("sell", 15, 100, 4)]
    (trip,) = match_round_trips(fills).closed
    assert (trip.amount, trip.entry, trip.exit) == (20, 110, 107.5)
    assert trip.profit == pytest.approx(-50)
    assert (trip.opened_at, trip.closed_at) == (1, 4)


def test_what_is_still_held_is_no_round_trip() -> None:
    ledger = match_round_trips([trade("buy", 10, 100, 1, fee=1), trade("sell", 4, 100, 2), trade("buy", 1, 7, 3, symbol="AAPL")])
    assert not ledger.closed
    ibm, aapl = ledger.open
    assert (ibm.symbol, ibm.amount, ibm.opened_at) == ("IBM", 6, 1)
    assert ibm.cost == pytest.approx(600.6)
    assert (aapl.symbol, aapl.cost) == ("AAPL", 7)


def test_a_flip_closes_one_round_trip_and_opens_the_next_and_shares_its_fee() -> None:
    fills = [trade("buy", 10, 100, 1), trade("sell", 30, 110, 2, fee=3), trade("buy", 20, 100, 3)]
    long, short = match_round_trips(fills, shorts=True).closed
    assert (long.long, long.amount, long.fees, long.profit) == (True, 10, 1, 99)
    assert (short.long, short.amount, short.fees, short.profit) == (False, 20, 2, 198)
    assert (short.opened_at, short.closed_at) == (2, 3)


def test_a_sale_of_what_was_bought_before_the_first_fill_is_counted_and_left_out() -> None:
    ledger = match_round_trips([trade("sell", 10, 100, 1), trade("buy", 10, 100, 2), trade("sell", 15, 110, 3)])
    assert ledger.unmatched == 2
    (trip,) = ledger.closed
    assert (trip.amount, trip.profit) == (10, 100)


def test_what_rounding_leaves_of_a_position_is_no_position() -> None:
    ledger = match_round_trips([trade("buy", 0.1, 1, 1), trade("buy", 0.2, 1, 2), trade("sell", 0.3, 1, 3)])
    assert len(ledger.closed) == 1
    assert not ledger.open


def test_a_round_trip_over_the_end_of_a_lap_has_no_duration() -> None:
    (trip,) = match_round_trips([trade("buy", 1, 1, 9), trade("sell", 1, 1, 2)]).closed
    assert trip.seconds is None


def test_time_with_a_position_is_counted_once_however_many_there_are() -> None:
    fills = [
        trade("buy", 1, 1, 10),
        trade("buy", 1, 1, 15, symbol="AAPL"),
        trade("sell", 1, 1, 20),
        trade("sell", 1, 1, 30, symbol="AAPL"),
        trade("buy", 1, 1, 90),
    ]
    ledger = match_round_trips(fills)
    assert held_seconds(ledger.closed, ledger.open, 0, 100) == 30


ORDERS = st.lists(
    st.tuples(st.sampled_from(["IBM", "AAPL"]), st.booleans(), st.integers(1, 50), st.integers(1, 500)), min_size=1, max_size=40
)


@given(ORDERS)
def test_profits_are_what_the_paper_broker_says_it_has_realised(wishes: list[tuple[str, bool, int, int]]) -> None:
    broker = PaperBroker(cash=1e9, fee_rate=0.001, slippage_rate=0.0005)
    fills: list[Trade] = []
    realised: list[float] = []
    for number, (symbol, buys, quantity, price) in enumerate(wishes, start=1):
        side = Side.BUY if buys else Side.SELL
        order = Order(number, f"o-{number}", symbol, side, float(quantity), float(price), 0, number, number, OrderStatus.NEW)
        if broker.submit(order):
            continue
        (execution,) = broker.match([Bar(symbol, number, price, price, price, price, 1.0)])
        if not execution.reason:
            fills.append(Trade(symbol, side.value, float(quantity), execution.price, execution.fee, number))
            realised += [] if execution.realised is None else [execution.realised]
    ledger = match_round_trips(fills)
    assert ledger.unmatched == 0
    assert {held.symbol: held.amount for held in ledger.open} == pytest.approx({p.symbol: p.quantity for p in broker.positions.values()})
    if not ledger.open:
        assert math.fsum(trip.profit for trip in ledger.closed) == pytest.approx(math.fsum(realised), abs=1e-6)


@given(ORDERS)
def test_all_money_is_in_round_trips_or_in_open_positions_also_with_shorts(wishes: Sequence[tuple[str, bool, int, int]]) -> None:
    fills = [trade("buy" if buys else "sell", n, price, at, fee=0.5, symbol=symbol) for at, (symbol, buys, n, price) in enumerate(wishes)]
    ledger = match_round_trips(fills, shorts=True)
    cash = sum((-1 if fill.side == "buy" else 1) * fill.amount * fill.price - fill.fee for fill in fills)
    held = sum(-position.cost if position.amount > 0 else position.cost for position in ledger.open)
    # A part that was closed of a position that is still open has realised something, too.
    if not ledger.open:
        assert math.fsum(trip.profit for trip in ledger.closed) == pytest.approx(cash + held, abs=1e-6)
    assert all(trip.amount > 0 for trip in ledger.closed)
