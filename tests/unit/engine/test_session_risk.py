"""Limits of time and of losses on the path of a bar, and what they do to orders and positions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.spec import OnBreach, Risk
from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.journal import Restored
from tradingbot_engine.orders.order import Order, OrderStatus, Side
from tradingbot_engine.telemetry.counts import Component

FALLING = [10.0, 10.0, 9.0, 5.0, 5.0, 5.0, 5.0]


def reasons(bench: Any, status: str) -> list[str]:
    return [order["reason"] for order in bench.orders() if order["status"] == status]


def buy_on(*days: int, notional: float = 100.0) -> dict[int, list[tuple[str, str, float]]]:
    return {day: [("buy", "A", notional)] for day in days}


def test_a_purchase_is_held_back_while_as_many_orders_wait_as_may(workshop: Any) -> None:
    script = workshop.script({1: [("buy", "A", 10.0), ("buy", "A", 20.0), ("buy", "A", 30.0)], 2: [("buy", "A", 10.0)]})
    bench = workshop.session(workshop.prices({"A": [10.0] * 4}), script, risk=Risk(max_open_orders=2))
    bench.run()
    assert reasons(bench, "rejected") == ["risk.maxOpenOrders: 2 orders wait for their fill, the limit is 2"]
    assert bench.session.totals.fills == 3
    assert bench.counts.rejections == {"risk.maxOpenOrders": 1}
    assert bench.counts.errors[Component.ORDERS] == 0


def test_no_more_is_bought_in_a_minute_of_the_market_than_may_be_but_sales_go_on(workshop: Any) -> None:
    orders = {1: [("buy", "A", 100.0)], 2: [("sell", "A", 1.0), ("buy", "A", 10.0), ("buy", "A", 20.0), ("sell", "A", 2.0)]}
    risk = Risk(max_orders_per_minute=2)
    bench = workshop.session(workshop.prices({"A": [10.0] * 4}), workshop.script(orders | buy_on(3)), risk=risk)
    bench.run()
    assert reasons(bench, "rejected") == ["risk.maxOrdersPerMinute: 2 orders were sent in this minute, the limit is 2"]
    assert bench.session.totals.fills == 5


def test_the_loss_of_a_day_counts_from_what_the_day_before_ended_with(workshop: Any) -> None:
    # 50 pieces at 10; day 4 loses 40 % of them (20 % of all), day 5 nothing.
    bench = workshop.session(
        workshop.prices({"A": [10.0, 10.0, 10.0, 6.0, 6.0, 6.0]}),
        workshop.script(buy_on(1, notional=500.0) | buy_on(4, 5)),
        risk=Risk(max_daily_loss_percent=20.0),
    )
    bench.run()
    assert reasons(bench, "rejected") == ["risk.maxDailyLossPercent: loss of the day is 20.00 %, the limit 20 %"]
    assert bench.session.totals.fills == 2, "the next day it buys again"


def test_a_limit_that_is_set_while_it_trades_counts_from_then_on(workshop: Any) -> None:
    bench = workshop.session(
        workshop.prices({"A": [10.0, 10.0, 10.0, 6.0, 3.0, 3.0]}), workshop.script(buy_on(1, notional=500.0) | buy_on(4, 5))
    )
    bench.run(4)
    assert bench.session.open_orders == 1, "there was no limit"
    bench.session.set_risk(Risk(max_daily_loss_percent=10.0))
    bench.run()
    assert bench.counts.rejections == {"risk.maxDailyLossPercent": 1}


def test_halt_holds_back_sales_too_and_keeps_what_is_held(workshop: Any) -> None:
    orders = buy_on(1, notional=500.0) | {3: [("sell", "A", 1.0)], 5: [("sell", "A", 10.0)]}
    risk = Risk(max_drawdown_percent=20.0, on_breach=OnBreach.HALT)
    bench = workshop.session(workshop.prices({"A": FALLING}), workshop.script(orders), risk=risk)
    bench.run()
    [reason] = reasons(bench, "rejected")
    assert reason.startswith("risk.maxDrawdownPercent: drawdown is 24.60 %, the limit 20 %")
    assert reason.endswith("no order is sent")
    assert bench.session.open_positions == 1
    assert "no order is sent" in str(bench.session.breach)


def test_reduce_sends_sales_and_no_purchases(workshop: Any) -> None:
    orders = buy_on(1, notional=500.0) | {5: [("sell", "A", 10.0), ("buy", "A", 10.0)]}
    risk = Risk(max_drawdown_percent=20.0, on_breach=OnBreach.REDUCE)
    bench = workshop.session(workshop.prices({"A": FALLING}), workshop.script(orders), risk=risk)
    bench.run()
    assert bench.counts.rejections == {"risk.maxDrawdownPercent": 1}
    assert bench.session.totals.fills == 2


def test_flatten_sells_all_at_the_next_opening_takes_back_purchases_and_buys_nothing_more(workshop: Any) -> None:
    prices = workshop.prices({"A": FALLING, "B": [10.0, 10.0, 10.0, 10.0, None, 10.0, 10.0]})
    orders = {1: [("buy", "A", 400.0), ("buy", "B", 100.0)], 4: [("buy", "B", 50.0)], 6: [("buy", "B", 50.0)]}

    def script(desk: Any, bar: Any) -> None:
        for side, symbol, amount in orders.get(bar.time_ms // workshop.day_ms, ()):
            if bar.symbol == "B":  # so that all of a day is placed at its end
                getattr(desk, side)(symbol, amount)

    # Day 4: 40 of A lose 160 in all, 16 % of 1000.
    bench = workshop.session(prices, script, risk=Risk(max_drawdown_percent=16.0, on_breach=OnBreach.FLATTEN))
    bench.run()
    written = bench.orders()
    why = "risk.maxDrawdownPercent: drawdown is 20.00 %, the limit 16 %; everything is sold, and nothing is bought"
    sales = [order for order in written if order["side"] == "sell"]
    assert [(order["symbol"], order["status"], order["reason"], order["step"]) for order in sales] == [
        ("A", "filled", why, 3),
        ("B", "filled", why, 3),
    ], "each once, although B has no bar on the day after"
    assert [order["status"] for order in written if order["side"] == "buy"] == ["filled", "filled", "rejected", "rejected"]
    assert bench.session.open_positions == 0
    assert str(bench.session.breach) == why


def test_flatten_takes_back_what_waits_to_be_bought(workshop: Any) -> None:
    prices = workshop.prices({"A": FALLING, "B": [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0], "C": [1.0, None, None, None, None, None, 1.0]})
    orders = {1: [("buy", "A", 500.0), ("buy", "C", 50.0)]}

    def script(desk: Any, bar: Any) -> None:
        for side, symbol, amount in orders.get(bar.time_ms // workshop.day_ms, ()):
            if bar.symbol == "C":
                getattr(desk, side)(symbol, amount)

    bench = workshop.session(prices, script, risk=Risk(max_drawdown_percent=16.0, on_breach=OnBreach.FLATTEN))
    bench.run()
    [canceled] = [order for order in bench.orders() if order["status"] == "canceled"]
    assert canceled["symbol"] == "C"
    assert canceled["reason"].startswith("risk.maxDrawdownPercent")


def test_after_a_day_of_loss_it_trades_again_with_what_flatten_has_left(workshop: Any) -> None:
    bench = workshop.session(
        workshop.prices({"A": [10.0, 10.0, 10.0, 8.0, 8.0, 8.0, 8.0]}),
        workshop.script(buy_on(1, notional=500.0) | buy_on(4, 5, 6)),
        risk=Risk(max_daily_loss_percent=10.0, on_breach=OnBreach.FLATTEN),
    )
    bench.run()
    written = bench.orders()
    assert [(order["side"], order["status"], order["step"]) for order in written] == [
        ("buy", "filled", 0),
        ("buy", "rejected", 3),
        ("sell", "filled", 3),
        ("buy", "filled", 4),
        ("buy", "filled", 5),
    ]
    assert bench.session.breach is None


@pytest.mark.parametrize("on_breach", list(OnBreach))
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_restart_changes_nothing_of_days_minutes_and_breaches(workshop: Any, on_breach: OnBreach, cut: int) -> None:
    prices = workshop.prices({"A": [10.0, 10.0, 11.0, 7.0, 7.5, 7.0, 9.0, 8.0, 4.0, 4.0]})
    risk = Risk(max_drawdown_percent=30.0, max_daily_loss_percent=15.0, max_orders_per_minute=2, on_breach=on_breach)
    script = workshop.script({day: [("buy", "A", 150.0), ("buy", "A", 50.0), ("sell", "A", 2.0)] for day in range(1, 11)})

    whole = workshop.session(prices, script, risk=risk)
    whole.run()

    first = workshop.session(prices, script, risk=risk)
    first.run(cut)
    group = first.session.take_group()
    checkpoint = decode_checkpoint(encode_checkpoint(group.checkpoint))
    waiting = [_order(row) for row in group.orders if row["status"] == "new"]
    second = workshop.session(prices, script, risk=risk, restored=Restored(checkpoint, waiting))
    second.run()

    written = {row["sequence"]: row for row in (*group.orders, *second.session.take_group().orders)}
    assert list(written.values()) == whole.session.take_group().orders
    assert second.session.last_equity == whole.session.last_equity


def _order(row: Any) -> Order:
    fields = {name: row[name] for name in Order.__struct_fields__ if name in row}
    fields |= {"side": Side(row["side"]), "status": OrderStatus(row["status"])}
    fields.pop("type", None)
    return Order(**fields)


def test_a_checkpoint_of_an_earlier_release_has_no_day_and_no_minute(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))
    bench.run(1)
    fields = msgspec.json.decode(encode_checkpoint(bench.session.take_group().checkpoint))
    del fields["risk"]
    checkpoint = decode_checkpoint(msgspec.json.encode(fields).decode())
    limited = workshop.session(
        workshop.prices({"A": [10.0, 10.0]}),
        workshop.script({}),
        restored=Restored(checkpoint, []),
        risk=Risk(max_daily_loss_percent=5.0),
    )
    limited.run()
    assert limited.session.take_group().checkpoint.risk.day_equity == 1000.0
