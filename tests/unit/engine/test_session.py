"""The path of a bar, with a strategy that does as it is told."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.spec import Broker, Paper, Risk
from tradingbot_engine.session import EQUITY_EVERY_STEPS
from tradingbot_engine.strategy.runner import FAILURES_UNTIL_HALT
from tradingbot_engine.telemetry.counts import Component


def test_an_order_fills_at_the_next_opening_never_at_the_close_it_was_decided_on(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 20.0, 30.0]}, gap=1.0), workshop.script({1: [("buy", "A", 100.0)]}))
    bench.run()
    assert bench.heard == ["start", "fill buy A 10 at 11", "stop"]
    [order] = (group := bench.session.take_group()).orders
    assert (order["status"], order["reference_price"], order["step"]) == ("filled", 10.0, 0)
    assert (group.fills[0]["price"], group.fills[0]["step"]) == (11.0, 1)


def test_all_fills_of_a_step_come_before_any_bar_of_it(workshop: Any) -> None:
    seen = []

    def script(desk: Any, bar: Any) -> None:
        if bar.time_ms == workshop.day_ms:
            desk.buy(bar.symbol, 100.0)
        else:
            seen.append((bar.symbol, desk.position("A"), desk.position("B"), desk.cash))

    bench = workshop.session(workshop.prices({"A": [10.0, 10.0], "B": [20.0, 20.0]}), script)
    bench.run()
    assert seen == [("A", 10.0, 5.0, 800.0), ("B", 10.0, 5.0, 800.0)]


def test_an_order_waits_while_its_symbol_has_no_bar(workshop: Any) -> None:
    prices = workshop.prices({"A": [10.0, None, None, 12.0], "B": [1.0, 1.0, 1.0, 1.0]})
    bench = workshop.session(prices, workshop.script({1: [("buy", "A", 100.0)]}))
    bench.run(3)
    assert bench.session.open_orders == 1
    assert bench.orders()[0]["status"] == "new"
    bench.run()
    assert bench.orders()[0]["status"] == "filled"


def test_what_waits_when_the_feed_ends_is_canceled(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({2: [("buy", "A", 100.0)]}))
    bench.run()
    [order] = bench.orders()
    assert (order["status"], order["reason"]) == ("canceled", "the feed has ended")
    assert bench.session.open_orders == 0


def test_equity_and_drawdown_follow_the_closes(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0, 20.0, 5.0]}), workshop.script({1: [("buy", "A", 500.0)]}))
    bench.run(3)
    assert (bench.session.last_equity, bench.session.peak_equity, bench.session.drawdown) == (1500.0, 1500.0, 0.0)
    bench.run()
    assert bench.session.last_equity == 750.0
    assert bench.session.drawdown == bench.session.max_drawdown == 0.5


@pytest.mark.parametrize(
    ("risk", "orders", "reason"),
    [
        (Risk(max_order_notional=99.0), {1: [("buy", "A", 100.0)]}, "risk.maxOrderNotional: order of 100.00 is above 99.00"),
        (
            Risk(max_position_notional=150.0),
            {1: [("buy", "A", 100.0)], 2: [("buy", "A", 100.0)]},
            "risk.maxPositionNotional: position would be 200.00",
        ),
        (
            Risk(max_position_notional=150.0),
            {1: [("buy", "A", 100.0), ("buy", "A", 100.0)]},
            "risk.maxPositionNotional: position would be 200.00",
        ),
        (
            Risk(max_drawdown_percent=10.0),
            {1: [("buy", "A", 500.0)], 4: [("buy", "A", 1.0)]},
            "risk.maxDrawdownPercent: drawdown is 40.00 %",
        ),
        (Risk(), {1: [("buy", "A", 1000.01)]}, "insufficient balance"),
        (Risk(), {1: [("sell", "A", 1.0)]}, "insufficient position"),
        (Risk(), {1: [("buy", "A", 1e-9)]}, "quantity 0.0 is not above 0"),
    ],
)
def test_what_is_not_allowed_is_recorded_as_rejected_with_the_figure(workshop: Any, risk: Risk, orders: Any, reason: str) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0, 10.0, 2.0, 2.0]}), workshop.script(orders), risk=risk)
    bench.run()
    rejected = [order for order in bench.orders() if order["status"] == "rejected"]
    assert [order["reason"][: len(reason)] for order in rejected] == [reason]
    assert bench.session.totals.rejected_orders == 1
    assert bench.counts.errors.total() == 0


def test_no_limit_keeps_a_bot_from_leaving_a_position(workshop: Any) -> None:
    orders = {1: [("buy", "A", 500.0)], 3: [("sell", "A", 50.0)]}
    risk = Risk(max_order_notional=600.0, max_position_notional=600.0, max_drawdown_percent=1.0)
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0, 1000.0, 500.0]}), workshop.script(orders), risk=risk)
    bench.run()
    assert bench.session.open_positions == 0


def test_a_purchase_that_the_opening_makes_too_dear_is_rejected(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}, gap=1.0), workshop.script({1: [("buy", "A", 1000.0)]}))
    bench.run()
    [order] = bench.orders()
    assert order["status"] == "rejected"
    assert "at the opening price" in order["reason"]


def test_an_order_for_a_symbol_without_a_price_counts_as_an_error(workshop: Any) -> None:
    prices = workshop.prices({"A": [10.0, 10.0], "B": [None, 5.0]})
    bench = workshop.session(prices, lambda desk, bar: desk.buy("B", 10.0) if bar.time_ms == workshop.day_ms else None)
    bench.run()
    assert bench.orders()[0]["reason"] == "there is no price of B yet"
    assert bench.counts.errors[Component.ORDERS] == 1


def test_during_warm_up_it_only_watches(workshop: Any) -> None:
    prices = workshop.prices({"A": [10.0] * 6, "B": [None, None, 5.0, 5.0, 5.0, 5.0]})
    bench = workshop.session(prices, lambda desk, bar: desk.buy(bar.symbol, 10.0), warmup_bars=2)
    bench.run()
    first = {symbol: min(order["step"] for order in orders) for symbol, orders in _by_symbol(bench.orders()).items()}
    assert first == {"A": 2, "B": 4}


def _by_symbol(orders: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {symbol: [order for order in orders if order["symbol"] == symbol] for symbol in {order["symbol"] for order in orders}}


def test_a_new_lap_sells_all_and_begins_anew(workshop: Any) -> None:
    broker = Broker(paper=Paper(balances={"USD": 1000.0}, fee_basis_points=100.0, slippage_basis_points=0.0))
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0, 20.0]}), workshop.script({1: [("buy", "A", 500.0)]}), broker=broker)
    bench.run()
    session = bench.session
    session.begin_lap()
    group = session.take_group()
    assert [(fill["side"], fill["price"], fill["lap"]) for fill in group.fills] == [("buy", 10.0, 0), ("sell", 20.0, 0)]
    assert group.orders[-1]["reason"] == "the feed begins anew"
    assert (session.lap, session.step, session.open_positions) == (1, 0, 0)
    assert session.last_equity == pytest.approx(1000 - 500 * 1.01 + 1000 * 0.99)
    assert bench.heard == ["start", "fill buy A 50 at 10", "stop", "start"]
    bench.run()
    assert session.take_group().fills[0]["lap"] == 1


def test_equity_is_noted_at_intervals_and_at_the_end(workshop: Any) -> None:
    steps = EQUITY_EVERY_STEPS * 2 + 3
    bench = workshop.session(workshop.prices({"A": [10.0] * steps}), workshop.script({}))
    bench.run(EQUITY_EVERY_STEPS + 1)
    bench.run()
    assert [row["step"] for row in bench.session.take_group().equity] == [EQUITY_EVERY_STEPS, 2 * EQUITY_EVERY_STEPS, steps]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_how_steps_are_grouped_makes_no_difference(workshop: Any, size: int) -> None:
    closes = [10.0 + (day * 7 % 13) for day in range(60)]
    orders = {day: [("buy", "A", 50.0)] if day % 3 else [("sell", "A", 1.0)] for day in range(1, 60)}

    def play(size: int) -> Any:
        bench = workshop.session(workshop.prices({"A": closes, "B": closes[::-1]}), workshop.script(orders))
        rows: dict[str, dict[int, Any]] = {"orders": {}, "fills": {}, "equity": {}}
        while not bench.session.at_end():
            bench.run(size)
            group = bench.session.take_group()
            for table, known in rows.items():
                known.update({row["sequence"]: row for row in getattr(group, table)})
        return rows, group.checkpoint

    assert play(size) == play(60)


class TestFailures:
    """A strategy that raises."""

    def test_the_orders_of_a_call_that_fails_are_dropped(self, workshop: Any) -> None:
        def script(desk: Any, bar: Any) -> None:
            desk.buy("A", 10.0)
            if bar.time_ms == workshop.day_ms:
                raise LookupError("half-way")

        bench = workshop.session(workshop.prices({"A": [10.0, 10.0, 10.0]}), script)
        bench.run()
        assert [order["step"] for order in bench.orders()] == [1, 2]
        assert bench.counts.errors[Component.STRATEGY] == 1
        assert bench.session.runner.failures == 0

    def test_one_bar_of_a_step_that_fails_leaves_the_others(self, workshop: Any) -> None:
        def script(desk: Any, bar: Any) -> None:
            if bar.symbol == "A":
                raise LookupError
            desk.buy(bar.symbol, 10.0)

        bench = workshop.session(workshop.prices({"A": [10.0] * 3, "B": [10.0] * 3}), script)
        bench.run()
        assert [order["symbol"] for order in bench.orders()] == ["B", "B", "B"]

    def test_after_too_many_in_a_row_it_is_halted(self, workshop: Any) -> None:
        calls = []

        def script(desk: Any, bar: Any) -> None:
            calls.append(bar)
            if len(calls) == 1:
                desk.buy("A", 500.0)
            elif len(calls) == 2:
                desk.buy("B", 100.0)  # waits for a bar of B that comes late
            else:
                raise LookupError(f"call {len(calls)}")

        days = FAILURES_UNTIL_HALT + 8
        prices = workshop.prices({"A": [10.0] * days, "B": [5.0, *[None] * (days - 2), 5.0]})
        bench = workshop.session(prices, script)
        bench.run()
        session = bench.session
        assert len(calls) == 2 + FAILURES_UNTIL_HALT
        assert "LookupError: call 12" in session.runner.halted_by
        orders = {order["symbol"]: order for order in bench.orders()}
        assert orders["A"]["status"] == "filled"
        assert (orders["B"]["status"], orders["B"]["reason"]) == ("canceled", "the strategy is halted")
        assert session.open_positions == 1  # for a person to decide
        session.begin_lap()
        bench.run()
        assert len(calls) == 2 + FAILURES_UNTIL_HALT  # a new lap is no new strategy

    @pytest.mark.parametrize(
        "call", [("buy", "X", 10.0), ("buy", "A", -1.0), ("buy", "A", float("nan")), ("sell", "A", 0.0), ("buy", None, 1.0)]
    )
    def test_an_order_that_is_none_is_the_callers_failure(self, workshop: Any, call: Any) -> None:
        method, *arguments = call
        bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), lambda desk, _bar: getattr(desk, method)(*arguments))
        bench.run()
        assert bench.orders() == []
        assert bench.counts.errors[Component.STRATEGY] == 2

    def test_state_that_cannot_be_saved_is_a_failure_not_the_end(self, workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))
        monkeypatch.setattr(bench.session.runner.strategy, "calls", object())
        bench.session.take_group()
        assert bench.counts.errors[Component.STRATEGY] == 1
