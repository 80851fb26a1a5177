"""A session that is told between two steps what it may do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradingbot_contract.document import Activity
from tradingbot_contract.spec import Broker, Paper
from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.orders.order import Order, OrderStatus, OrderType, Side

FEES = Broker(paper=Paper(balances={"USD": 1000.0}, fee_basis_points=100.0, slippage_basis_points=50.0))
PRICES = {"A": [10.0, 10.0, 10.0, 20.0, 20.0], "B": [5.0, 5.0, 5.0, 5.0, 5.0]}
HELD = {1: [("buy", "A", 100.0), ("buy", "B", 50.0)]}


def paused(**changes: Any) -> Mandate:
    return Mandate(Activity.PAUSE, **changes)


def settling(*symbols: str) -> Mandate:
    return Mandate(releasing=frozenset(symbols), settling=frozenset(symbols))


def test_paused_it_takes_purchases_back_refuses_new_ones_and_sells(workshop: Any) -> None:
    orders = {**HELD, 3: [("buy", "B", 50.0)], 4: [("buy", "A", 10.0), ("sell", "A", 4.0)]}
    bench = workshop.session(workshop.prices(PRICES), workshop.script(orders))
    bench.run(3)
    assert bench.session.obey(paused())
    assert bench.session.open_orders == 0
    bench.run()
    told = [(order["side"], order["symbol"], order["status"], order["reason"]) for order in bench.orders()]
    assert told[2:] == [
        ("buy", "B", "canceled", "paused: nothing is bought"),
        ("buy", "A", "rejected", "paused: nothing is bought"),
        ("sell", "A", "filled", ""),
    ]


def test_told_to_cancel_it_keeps_its_positions_also_when_the_feed_begins_anew(workshop: Any) -> None:
    orders = {**HELD, 2: [("sell", "A", 1.0)], 3: [("sell", "B", 1.0)]}
    bench = workshop.session(workshop.prices(PRICES), workshop.script(orders))
    bench.run(2)
    bench.session.obey(Mandate(Activity.CANCEL))
    bench.run()
    assert [order["status"] for order in bench.orders()] == ["filled", "filled", "canceled", "rejected"]
    bench.session.begin_lap()
    assert bench.session.open_positions == 2
    bench.session.obey(Mandate())
    bench.run()
    bench.session.begin_lap()
    assert bench.session.open_positions == 0


def test_flattened_it_sells_all_at_the_last_price_and_tells_the_strategy(workshop: Any) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script({**HELD, 4: [("sell", "A", 5.0)]}), broker=FEES)
    bench.run(4)
    bench.session.take_group()
    bench.heard.clear()
    bench.session.obey(Mandate(Activity.FLATTEN))
    group = bench.session.take_group()
    assert [(order["side"], order["status"], order["reason"]) for order in group.orders] == [
        ("sell", "canceled", "activity Flatten: no order is sent"),
        ("sell", "filled", "activity Flatten: every position is sold"),
        ("sell", "filled", "activity Flatten: every position is sold"),
    ]
    assert [(fill["symbol"], fill["price"]) for fill in group.fills] == [("A", 20.0), ("B", 5.0)]
    assert bench.heard == ["fill sell A 10 at 20", "fill sell B 10 at 5"]
    assert bench.session.last_equity == group.checkpoint.cash == group.equity[-1]["equity"]
    assert (group.mandate.activity, group.symbols) == (Activity.FLATTEN, {"A", "B"})
    assert bench.session.busy_symbols == frozenset()


def test_after_the_end_of_the_feed_it_sells_too_and_nobody_is_told(workshop: Any) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script(HELD))
    bench.run()
    assert bench.heard[-1] == "stop"
    bench.session.obey(Mandate(Activity.FLATTEN))
    assert bench.session.open_positions == 0
    assert bench.heard[-1] == "stop"


def test_what_the_strategy_wants_when_it_hears_of_the_sale_is_refused(workshop: Any) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script(HELD))
    bench.run(2)
    strategy = bench.session.runner.strategy
    strategy.on_fill = lambda fill: strategy.desk.buy(fill.symbol, 10.0)
    bench.session.obey(Mandate(Activity.FLATTEN))
    assert [order["status"] for order in bench.orders()][2:] == ["filled", "filled", "rejected", "rejected"]
    assert bench.session.busy_symbols == frozenset()


def test_a_strategy_that_fails_at_the_news_of_it_changes_nothing(workshop: Any) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script(HELD))
    bench.run(2)

    def fail(_fill: Any) -> None:
        raise LookupError

    bench.session.runner.strategy.on_fill = fail
    bench.session.obey(Mandate(Activity.FLATTEN))
    assert bench.session.open_positions == 0


def test_a_released_symbol_is_left_the_others_trade_on(workshop: Any) -> None:
    orders = {**HELD, 3: [("buy", "A", 10.0), ("buy", "B", 10.0), ("sell", "A", 1.0)]}
    bench = workshop.session(workshop.prices(PRICES), workshop.script(orders))
    bench.run(2)
    bench.session.obey(Mandate(releasing=frozenset({"A"})))
    bench.run()
    told = [(order["side"], order["symbol"], order["status"]) for order in bench.orders()]
    assert told[2:] == [("buy", "A", "rejected"), ("sell", "A", "filled"), ("buy", "B", "filled")]


def test_a_settled_symbol_is_sold_and_one_without_a_price_is_not_busy(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({**PRICES, "C": [None, None, None, None, 3.0]}), workshop.script(HELD))
    bench.run(2)
    bench.session.obey(settling("A", "C"))
    bench.session.take_group()
    assert bench.session.busy_symbols == {"B"}


def test_a_symbol_stays_busy_until_its_end_is_handed_out(workshop: Any) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script({**HELD, 3: [("buy", "A", 1e9)]}))
    bench.run(2)
    bench.session.obey(settling("A"))
    assert bench.session.busy_symbols == {"A", "B"}
    bench.session.take_group()
    assert bench.session.busy_symbols == {"B"}
    bench.run(1)  # an order that is refused at once makes nobody busy
    assert bench.session.totals.rejected_orders == 1
    assert bench.session.busy_symbols == {"B"}


@pytest.mark.parametrize("mandate", [paused(), Mandate(Activity.FLATTEN), settling("A"), Mandate(grant=1)])
def test_told_twice_it_obeys_once_and_wants_a_commit_once(workshop: Any, mandate: Mandate) -> None:
    bench = workshop.session(workshop.prices(PRICES), workshop.script(HELD))
    bench.run(2)
    bench.session.take_group()
    assert bench.session.obey(mandate)
    assert bench.session.has_changes()
    assert bench.session.take_group().mandate == mandate
    assert not bench.session.obey(mandate)
    assert not bench.session.has_changes()
    assert not bench.session.take_group().orders


MANDATES = st.builds(
    lambda activity, releasing, settle, grant: Mandate(activity, releasing, releasing if settle else frozenset(), grant),
    st.sampled_from(Activity),
    st.frozensets(st.sampled_from("AB")),
    st.booleans(),
    st.integers(0, 2),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # it holds nothing
@given(scenes=st.lists(st.tuples(st.integers(0, 5), MANDATES, st.booleans()), max_size=8), days=st.integers(5, 40))
def test_whatever_it_is_told_and_whenever_it_dies_the_books_are_right(
    scenes: list[tuple[int, Mandate, bool]], days: int, workshop: Any
) -> None:
    prices = {"A": [10.0 + day * 7 % 5 for day in range(days)], "B": [None, *[4.0 + day * 3 % 7 for day in range(1, days)]]}
    orders = {day: [("buy", "A", 20.0), ("buy", "B", 9.0), *([("sell", "A", 1.5)] if day % 3 else [])] for day in range(1, days)}
    journal = Journal()

    def begin() -> Any:
        return workshop.session(workshop.prices(prices), workshop.script(orders), restored=journal.restored(), broker=FEES).session

    session = begin()
    mandate = Mandate()
    for steps, told, dies in scenes:
        fills = session.totals.fills
        bought = journal.bought(session)
        session.advance(steps)
        bought_now = journal.bought(session)
        if mandate.activity not in {Activity.TRADE, Activity.PAUSE}:
            assert session.totals.fills == fills
        if mandate.activity is not Activity.TRADE:
            assert bought_now == bought
        for symbol in mandate.releasing:
            assert bought_now.get(symbol) == bought.get(symbol)
        mandate = told
        session.obey(mandate)
        if dies:  # without a word to the journal, and the next one is told the same
            session = begin()
            session.obey(mandate)
        journal.write(session)
        journal.check()
        if mandate.activity is Activity.FLATTEN:
            assert not session.busy_symbols
        if mandate.activity in {Activity.CANCEL, Activity.FENCE}:
            assert not session.open_orders
        if mandate.activity in {Activity.TRADE, Activity.PAUSE}:
            assert not session.busy_symbols & mandate.settling


class Journal:
    """What a database would hold."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.fills: dict[int, dict[str, Any]] = {}
        self.checkpoint = ""

    def write(self, session: Any) -> None:
        group = session.take_group()
        self.orders.update({row["sequence"]: row for row in group.orders})
        assert not self.fills.keys() & {row["sequence"] for row in group.fills}
        self.fills.update({row["sequence"]: row for row in group.fills})
        self.checkpoint = encode_checkpoint(group.checkpoint)

    def restored(self) -> Restored | None:
        if not self.checkpoint:
            return None
        waiting = [
            Order(**{**row, "side": Side(row["side"]), "status": OrderStatus.NEW, "type": OrderType.MARKET})
            for row in self.orders.values()
            if row["status"] == "new"
        ]
        return Restored(decode_checkpoint(self.checkpoint), waiting)

    def bought(self, session: Any) -> dict[str, int]:
        """How many purchases of each symbol were filled, those included that aren't written."""
        counts: dict[str, int] = {}
        for fill in [*self.fills.values(), *session._books._fills]:
            if fill["side"] == "buy":
                counts[fill["symbol"]] = counts.get(fill["symbol"], 0) + 1
        return counts

    def check(self) -> None:
        """Each order has one end, each fill one order, and the fills make the positions and the money."""
        assert sorted(self.orders) == list(range(1, len(self.orders) + 1))
        assert sorted(self.fills) == list(range(1, len(self.fills) + 1))
        filled = sorted(sequence for sequence, row in self.orders.items() if row["status"] == "filled")
        assert sorted(fill["order_sequence"] for fill in self.fills.values()) == filled
        saved = decode_checkpoint(self.checkpoint)
        cash, held = 1000.0, dict.fromkeys("AB", 0.0)
        for fill in self.fills.values():
            sign = 1 if fill["side"] == "buy" else -1
            held[fill["symbol"]] += sign * fill["quantity"]
            cash -= sign * fill["quantity"] * fill["price"] + fill["fee"]
        assert saved.cash == pytest.approx(cash)
        positions = {position.symbol: position.quantity for position in saved.positions}
        assert all(positions.get(symbol, 0.0) == pytest.approx(quantity, abs=1e-6) for symbol, quantity in held.items())
