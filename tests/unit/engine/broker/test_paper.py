"""The paper broker's arithmetic: figures by hand, and laws that hold whatever is traded."""

from __future__ import annotations

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tradingbot_engine.broker.paper import PaperBroker
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.orders.order import Order, OrderStatus, Side


def build_order(side: Side, quantity: float, price: float, symbol: str = "A", sequence: int = 1) -> Order:
    return Order(sequence, f"id-{sequence}", symbol, side, quantity, price, 0, 0, 0, OrderStatus.NEW)


def build_bar(opening: float, symbol: str = "A") -> Bar:
    return Bar(symbol, 0, opening, opening, opening, opening, 1.0)


def test_a_purchase_and_a_sale_by_hand() -> None:
    broker = PaperBroker(cash=1000.0, fee_rate=0.01, slippage_rate=0.1)
    assert broker.submit(build_order(Side.BUY, 5.0, 100.0)) == ""
    [bought] = broker.match([build_bar(100.0)])
    assert (bought.price, bought.fee, bought.realised) == (pytest.approx(110.0), pytest.approx(5.5), None)
    assert broker.cash == pytest.approx(1000 - 550 - 5.5)
    assert broker.positions["A"].cost == pytest.approx(555.5)

    broker.last_price["A"] = 200.0
    assert broker.equity() == pytest.approx(444.5 + 1000)

    assert broker.submit(build_order(Side.SELL, 2.0, 200.0, sequence=2)) == ""
    [sold] = broker.match([build_bar(200.0)])
    assert (sold.price, sold.fee) == (pytest.approx(180.0), pytest.approx(3.6))
    assert sold.realised == pytest.approx(360 - 3.6 - 555.5 * 2 / 5)
    assert broker.positions["A"].quantity == 3.0

    closed = broker.close(build_order(Side.SELL, 3.0, 200.0, sequence=3))
    assert closed.price == 200.0  # no slippage: there is no order that meets a market
    assert broker.positions == {}


def test_an_order_waits_for_a_bar_of_its_symbol() -> None:
    broker = PaperBroker(cash=1000.0, fee_rate=0.0, slippage_rate=0.0)
    broker.submit(build_order(Side.BUY, 1.0, 100.0))
    assert broker.match([build_bar(100.0, "B")]) == []
    assert len(broker.open_orders) == 1
    assert len(broker.match([build_bar(100.0)])) == 1
    assert broker.open_orders == []


@pytest.mark.parametrize("quantity", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_quantity_is_refused(quantity: float) -> None:
    assert "not above 0" in PaperBroker(cash=1.0, fee_rate=0.0, slippage_rate=0.0).submit(build_order(Side.BUY, quantity, 1.0))


def test_open_purchases_have_their_money_set_aside() -> None:
    broker = PaperBroker(cash=1000.0, fee_rate=0.0, slippage_rate=0.0)
    assert broker.submit(build_order(Side.BUY, 6.0, 100.0)) == ""
    assert broker.submit(build_order(Side.BUY, 5.0, 100.0, sequence=2)) == "insufficient balance: about 500.00 needed, 400.00 free"


def test_what_is_on_sale_cannot_be_sold_again() -> None:
    broker = PaperBroker(cash=1000.0, fee_rate=0.0, slippage_rate=0.0)
    broker.submit(build_order(Side.BUY, 5.0, 100.0))
    broker.match([build_bar(100.0)])
    assert broker.submit(build_order(Side.SELL, 4.0, 100.0, sequence=2)) == ""
    assert broker.submit(build_order(Side.SELL, 4.0, 100.0, sequence=3)) == "insufficient position: 4 to sell, 1 free"


def test_a_price_that_jumps_beyond_the_balance_rejects_the_purchase() -> None:
    broker = PaperBroker(cash=1000.0, fee_rate=0.0, slippage_rate=0.0)
    assert broker.submit(build_order(Side.BUY, 10.0, 100.0)) == ""
    [execution] = broker.match([build_bar(101.0)])
    assert execution.reason.startswith("insufficient balance at the opening price")
    assert (broker.cash, broker.positions) == (1000.0, {})


class PaperLaws(RuleBasedStateMachine):
    """Any orders, any prices: money goes nowhere but into fees and slippage, and nothing is ever owed."""

    @initialize(fee=st.sampled_from([0.0, 0.001, 0.1]), slippage=st.sampled_from([0.0, 0.0005, 0.1]), cash=st.floats(1.0, 1e6))
    def begin(self, fee: float, slippage: float, cash: float) -> None:
        self.broker = PaperBroker(cash=cash, fee_rate=fee, slippage_rate=slippage)
        self.broker.last_price.update({"A": 10.0, "B": 500.0})
        self.fee_rate = fee
        self.sequence = 0

    @rule(symbol=st.sampled_from("AB"), buys=st.booleans(), share=st.floats(0.01, 1.2))
    def order(self, symbol: str, buys: bool, share: float) -> None:
        price = self.broker.last_price[symbol]
        held = self.broker.positions.get(symbol)
        quantity = self.broker.cash * share / price if buys else (held.quantity if held else 1.0) * share
        self.sequence += 1
        self.broker.submit(build_order(Side.BUY if buys else Side.SELL, quantity, price, symbol, self.sequence))

    @rule(symbol=st.sampled_from("AB"), opening=st.floats(0.01, 10_000.0))
    def bar(self, symbol: str, opening: float) -> None:
        broker = self.broker
        broker.last_price[symbol] = opening
        before = broker.equity()
        waiting = len(broker.open_orders)
        executions = broker.match([build_bar(opening, symbol)])
        assert len(broker.open_orders) == waiting - len(executions)
        filled = [execution for execution in executions if not execution.reason]
        lost = sum(execution.fee + abs(execution.price - opening) * execution.order.quantity for execution in filled)
        assert broker.equity() == pytest.approx(before - lost, rel=1e-9, abs=1e-6)
        for execution in filled:
            assert execution.fee == pytest.approx(execution.order.quantity * execution.price * self.fee_rate)
            worse = execution.price - opening if execution.order.side is Side.BUY else opening - execution.price
            assert worse >= 0

    @invariant()
    def nothing_is_owed(self) -> None:
        if hasattr(self, "broker"):
            assert self.broker.cash >= 0
            for symbol, position in self.broker.positions.items():
                assert position.symbol == symbol
                assert position.quantity > 0
                assert position.cost >= -1e-9


PaperLaws.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPaperLaws = PaperLaws.TestCase
