"""From the journal and the spec to a session that goes on where the bot stopped.

The portfolio always survives: cash, positions, the numbers of orders. What the strategy had in mind survives only if it is the same
strategy on the same data; otherwise it begins anew, and the status says so. What can't be carried over is refused before anything trades.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from tradingbot_contract.document import EngineDocument, SpecError
from tradingbot_engine.broker.currency import account_currency
from tradingbot_engine.broker.paper import PaperBroker
from tradingbot_engine.broker.port import Position
from tradingbot_engine.checkpoint import NO_STATE, Checkpoint, Totals
from tradingbot_engine.database.rows import Restored
from tradingbot_engine.feed.prices import Prices
from tradingbot_engine.orders.identity import build_order_id_prefix
from tradingbot_engine.session import TradingSession
from tradingbot_engine.strategy.registry import Recipe
from tradingbot_engine.telemetry.counts import Counts

_BASIS_POINT = 1e-4


class Recovered(NamedTuple):
    """A session whose strategy has started, and what people should know of how it came about."""

    session: TradingSession
    notes: list[str]


def recover(document: EngineDocument, prices: Prices, recipe: Recipe, restored: Restored | None, counts: Counts) -> Recovered:
    """Return the session that goes on from `restored`, or begins if there is nothing.

    Raises:
        SpecError: the spec can't be applied to what the bot owns, or the strategy doesn't start.
    """
    paper = document.broker.paper
    currency = account_currency(document.market.symbols, paper.balances)
    fresh = _first_checkpoint(document, prices, recipe, currency)
    checkpoint, notes = (fresh, []) if restored is None else _carry_over(restored.checkpoint, fresh, prices)
    open_orders = [] if restored is None else restored.open_orders
    broker = PaperBroker(
        cash=checkpoint.cash,
        fee_rate=paper.fee_basis_points * _BASIS_POINT,
        slippage_rate=paper.slippage_basis_points * _BASIS_POINT,
    )
    broker.last_price.update(checkpoint.last_prices)
    for held in checkpoint.positions:
        broker.positions[held.symbol] = Position(held.symbol, held.quantity, held.cost)
    session = TradingSession(
        order_id_prefix=build_order_id_prefix(document.bot),
        prices=prices,
        broker=broker,
        risk=document.risk,
        recipe=recipe,
        warmup_bars=document.market.warmup_bars,
        counts=counts,
        checkpoint=checkpoint,
        open_orders=open_orders,
    )
    session.cancel([order for order in open_orders if order.symbol not in prices.symbols], "the symbol is no longer traded")
    if session.at_end():
        session.cancel(list(broker.open_orders), "the feed has ended")
        session.runner.keep(checkpoint.strategy_state)
    else:
        failure = session.start_strategy(checkpoint.strategy_state)
        if failure and session.runner.failures:
            raise SpecError(f"strategy.name: {document.strategy.name} doesn't start: {failure}")
        if failure:
            notes.append(f"strategy: {failure}")
    return Recovered(session, notes)


def _first_checkpoint(document: EngineDocument, prices: Prices, recipe: Recipe, currency: str) -> Checkpoint:
    cash = document.broker.paper.balances[currency]
    market = document.market
    return Checkpoint(
        lap=0,
        step=0,
        time_ms=None,
        currency=currency,
        initial_equity=cash,
        peak_equity=cash,
        max_drawdown=0.0,
        cash=cash,
        positions=[],
        last_prices={},
        order_sequence=0,
        fill_sequence=0,
        equity_sequence=0,
        totals=Totals(),
        strategy_fingerprint=_digest(recipe.fingerprint, str(market.warmup_bars)),
        feed_fingerprint=_digest(prices.digest, market.timeframe, *prices.symbols),
        strategy_since_step=0,
        strategy_state=NO_STATE,
    )


def _carry_over(saved: Checkpoint, fresh: Checkpoint, prices: Prices) -> tuple[Checkpoint, list[str]]:
    """Return the checkpoint to go on from, and what has changed since it was written."""
    if saved.currency != fresh.currency:
        raise SpecError(
            f"market.symbols: they are priced in {fresh.currency}, but the bot's account is in {saved.currency}: "
            "use symbols of that currency, or another bot"
        )
    for held in saved.positions:
        if held.symbol not in prices.symbols:
            raise SpecError(
                f"market.symbols: the bot holds {held.quantity:g} {held.symbol}, which isn't in the list any more: "
                "put it back until it is sold"
            )
    notes = []
    if saved.initial_equity != fresh.initial_equity:
        notes.append("broker.paper.balances: used at the very first start only; the account goes on with what it has")
    same_feed = saved.feed_fingerprint == fresh.feed_fingerprint
    same_strategy = saved.strategy_fingerprint == fresh.strategy_fingerprint
    step = saved.step
    if not same_feed:
        notes.append("market: the feed has changed; it goes on after the last time that was seen, and the strategy begins anew")
        step = 0 if saved.time_ms is None else prices.first_step_after(saved.time_ms)
    elif not same_strategy:
        notes.append("strategy: it has changed and begins anew, with the portfolio that is there")
    keep = same_feed and same_strategy
    checkpoint = Checkpoint(
        lap=saved.lap,
        step=step,
        time_ms=saved.time_ms,
        currency=saved.currency,
        initial_equity=saved.initial_equity,
        peak_equity=saved.peak_equity,
        max_drawdown=saved.max_drawdown,
        cash=saved.cash,
        positions=saved.positions,
        last_prices={symbol: price for symbol, price in saved.last_prices.items() if symbol in prices.symbols},
        order_sequence=saved.order_sequence,
        fill_sequence=saved.fill_sequence,
        equity_sequence=saved.equity_sequence,
        totals=saved.totals,
        strategy_fingerprint=fresh.strategy_fingerprint,
        feed_fingerprint=fresh.feed_fingerprint,
        strategy_since_step=saved.strategy_since_step if keep else step,
        strategy_state=saved.strategy_state if keep else NO_STATE,
        news_seen=saved.news_seen,
        risk=saved.risk,
    )
    return checkpoint, notes


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
