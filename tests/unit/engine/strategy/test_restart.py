"""A bot that is stopped and started at any place trades as one that never was, for every built-in strategy that judges prices."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.spec import Broker, Market, Paper, Strategy
from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database.rows import Restored, order_of
from tradingbot_engine.feed.dataset import load_prices
from tradingbot_engine.feed.prices import Prices
from tradingbot_engine.recovery import recover
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.registry import parse_strategy
from tradingbot_engine.telemetry.counts import Counts

SYMBOLS = ["AAPL", "GOOG", "IBM", "MSFT"]
STEPS = 1500
"""GOOG comes in after about a thousand."""


@pytest.fixture(scope="module")
def prices() -> Prices:
    return load_prices(Market(symbols=SYMBOLS))


def start(workshop: Any, prices: Prices, strategy: Strategy, restored: Restored | None = None) -> TradingSession:
    document = workshop.document(market=Market(symbols=SYMBOLS), strategy=strategy, broker=Broker(paper=Paper()))
    session, notes = recover(document, prices, parse_strategy(strategy), restored, Counts())
    assert notes == []
    return session


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy("ema-cross"),
        Strategy("rsi-reversion", {"oversold": 40, "overbought": 60}),
        Strategy("donchian-breakout"),
        Strategy("donchian-breakout", {"atrStop": 1.5}),
    ],
    ids=["ema-cross", "rsi-reversion", "donchian-breakout", "donchian-breakout with a stop"],
)
def test_restarts_change_nothing(workshop: Any, prices: Prices, strategy: Strategy) -> None:
    whole = start(workshop, prices, strategy)
    whole.advance(STEPS)
    expected = whole.take_group()
    assert expected.checkpoint.totals.fills >= 100
    orders: dict[int, Any] = {}
    filled: list[Any] = []
    restored: Restored | None = None
    session = start(workshop, prices, strategy)
    taken = 0
    while taken < STEPS:
        session = start(workshop, prices, strategy, restored)
        taken += session.advance(min(1 + taken // 7, STEPS - taken))
        group = session.take_group()
        orders |= {row["sequence"]: row for row in group.orders}
        filled += group.fills
        waiting = [order_of(row) for row in orders.values() if row["status"] == "new"]
        restored = Restored(decode_checkpoint(encode_checkpoint(group.checkpoint)), waiting)
    assert group.checkpoint == expected.checkpoint
    assert list(orders.values()) == expected.orders
    assert filled == expected.fills
