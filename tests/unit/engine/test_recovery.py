"""What a restart carries over, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Broker, Paper
from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.orders.order import Order, OrderStatus, OrderType, Side
from tradingbot_engine.recovery import recover
from tradingbot_engine.strategy.interface import Parameters, Strategy
from tradingbot_engine.strategy.registry import Recipe
from tradingbot_engine.telemetry.counts import Counts

CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]


def stopped(workshop: Any, steps: int, orders: Any, closes: Any = None, **changes: Any) -> Restored:
    """A bot that stopped after so many steps."""
    bench = workshop.session(workshop.prices(closes or {"A": CLOSES}), workshop.script(orders), **changes)
    bench.run(steps)
    group = bench.session.take_group()
    checkpoint = decode_checkpoint(encode_checkpoint(group.checkpoint))
    waiting = [
        Order(**{**row, "side": Side(row["side"]), "status": OrderStatus.NEW, "type": OrderType.MARKET})
        for row in group.orders
        if row["status"] == "new"
    ]
    return Restored(checkpoint, waiting)


def test_a_first_start_begins_with_the_spec_s_money(workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script({}))
    assert (bench.session.step, bench.session.last_equity, bench.notes) == (0, 1000.0, [])


@pytest.mark.parametrize("steps", range(1, len(CLOSES)))
def test_it_goes_on_exactly_where_it_stopped(workshop: Any, steps: int) -> None:
    orders = {1: [("buy", "A", 100.0)], 3: [("sell", "A", 4.0)], 5: [("buy", "A", 50.0)]}
    whole = workshop.session(workshop.prices({"A": CLOSES}), workshop.script(orders))
    whole.run()
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script(orders), restored=stopped(workshop, steps, orders))
    assert bench.notes == []
    assert bench.heard == ["start", f"load {steps}"]
    bench.run()
    assert bench.session.take_group().checkpoint == whole.session.take_group().checkpoint


def test_started_again_at_the_end_of_its_feed_it_forgets_nothing(workshop: Any) -> None:
    restored = stopped(workshop, len(CLOSES), {1: [("buy", "A", 100.0)]})
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script({}), restored=restored)
    assert bench.session.at_end()
    assert bench.heard == []
    assert bench.session.take_group().checkpoint == restored.checkpoint


def test_another_strategy_keeps_the_portfolio_and_begins_anew(workshop: Any) -> None:
    restored = stopped(workshop, 3, {1: [("buy", "A", 100.0)]})
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script({}), restored=restored, fingerprint="another", warmup_bars=0)
    assert bench.session.open_positions == 1
    assert bench.session.step == 3
    assert bench.heard == ["start"]
    assert "strategy: it has changed" in bench.notes[0]


def test_warm_up_counts_from_where_the_new_strategy_begins(workshop: Any) -> None:
    restored = stopped(workshop, 3, {})
    bench = workshop.session(
        workshop.prices({"A": CLOSES}),
        lambda desk, bar: desk.buy(bar.symbol, 10.0),
        restored=restored,
        fingerprint="another",
        warmup_bars=2,
    )
    bench.run()
    assert [order["step"] for order in bench.orders()] == [5]


def test_another_feed_goes_on_after_the_last_time_that_was_seen(workshop: Any) -> None:
    restored = stopped(workshop, 3, {1: [("buy", "A", 100.0)]})
    bench = workshop.session(workshop.prices({"A": [1.0, *CLOSES]}, digest="other"), workshop.script({}), restored=restored)
    assert bench.session.step == 3
    assert bench.heard == ["start"]
    assert "feed has changed" in bench.notes[0]
    bench = workshop.session(workshop.prices({"A": [1.0, 2.0]}, digest="other"), workshop.script({}), restored=restored)
    assert bench.session.at_end()


def test_a_held_symbol_that_is_no_longer_traded_is_refused(workshop: Any) -> None:
    restored = stopped(workshop, 3, {1: [("buy", "A", 100.0)]}, {"A": CLOSES, "B": CLOSES})
    with pytest.raises(SpecError, match=r"market\.symbols: the bot holds 10 A, which isn't in the list any more"):
        workshop.session(workshop.prices({"B": CLOSES}), workshop.script({}), restored=restored)


def test_open_orders_of_a_symbol_that_is_no_longer_traded_are_canceled(workshop: Any) -> None:
    restored = stopped(workshop, 1, {1: [("buy", "A", 100.0)]}, {"A": CLOSES, "B": CLOSES})
    assert len(restored.open_orders) == 1
    bench = workshop.session(workshop.prices({"B": CLOSES}), workshop.script({}), restored=restored)
    [order] = bench.orders()
    assert (order["status"], order["reason"]) == ("canceled", "the symbol is no longer traded")


def test_another_currency_is_refused(workshop: Any) -> None:
    restored = stopped(workshop, 3, {})
    broker = Broker(paper=Paper(balances={"USDT": 5.0}))
    with pytest.raises(SpecError, match=r"market\.symbols: they are priced in USDT, but the bot's account is in USD"):
        workshop.session(workshop.prices({"A/USDT": CLOSES}), workshop.script({}), restored=restored, broker=broker)


def test_other_balances_are_noted_and_not_used(workshop: Any) -> None:
    broker = Broker(paper=Paper(balances={"USD": 5.0}, fee_basis_points=0.0, slippage_basis_points=0.0))
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script({}), restored=stopped(workshop, 3, {}), broker=broker)
    assert bench.session.last_equity == 1000.0
    assert "broker.paper.balances" in bench.notes[0]


def test_state_that_the_strategy_cannot_read_lets_it_begin_anew(workshop: Any) -> None:
    restored = stopped(workshop, 3, {})
    broken = structs.replace(restored.checkpoint, strategy_state=type(restored.checkpoint.strategy_state)(b'{"other": 1}'))
    bench = workshop.session(workshop.prices({"A": CLOSES}), workshop.script({}), restored=Restored(broken, []))
    assert "could not be used (KeyError: 'calls')" in bench.notes[0]
    assert bench.heard == ["start", "start"]
    assert bench.session.runner.failures == 0


class Broken(Strategy):
    def on_start(self, desk: Any) -> None:
        raise OSError(f"no model file for {type(desk).__name__}")


def test_a_strategy_that_does_not_start_is_refused(workshop: Any) -> None:
    recipe = Recipe(build=lambda: Broken(Parameters()), fingerprint="x")
    with pytest.raises(SpecError, match=r"strategy\.name: ema-cross doesn't start: OSError: no model file"):
        recover(workshop.document(), workshop.prices({"A": CLOSES}), recipe, None, Counts())
