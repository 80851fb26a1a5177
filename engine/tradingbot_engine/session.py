"""What happens to a bar: the path from a step of the feed to orders, fills and equity. No I/O, no clock: the same at any speed.

A step, in order:

1. Orders that wait are filled at the opening of the step's bars; the strategy hears of it.
2. The closes become the last prices.
3. The strategy hears of the news that was published until then, and places orders.
4. The strategy sees each bar, and places orders.
5. Each order is checked by risk, then offered to the broker. It fills at the next bar's opening, never at this one's close.
6. Equity and drawdown are taken at the closes. If a limit of losses is passed that says so, what is held is offered for sale.

Between two steps it may be told what it may do (:meth:`TradingSession.obey`), and acts at once, at the last prices, without a further bar.

What has changed is handed out by :meth:`TradingSession.take_group` for one transaction of the journal. Where groups begin and end makes
no difference to what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tradingbot_contract.spec import Risk
from tradingbot_engine.books import Books, Moment
from tradingbot_engine.broker.port import Broker
from tradingbot_engine.checkpoint import NO_STATE, Checkpoint, PositionState, Totals
from tradingbot_engine.database.rows import Group
from tradingbot_engine.desk import TradingDesk
from tradingbot_engine.feed.prices import Bar, Prices
from tradingbot_engine.news.port import NEVER_MS, NewsSource, NoNews
from tradingbot_engine.orders.gate import OrderGate
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.orders.order import Fill, Order, Side
from tradingbot_engine.risk.ledger import Breach, RiskLedger
from tradingbot_engine.strategy.registry import Recipe
from tradingbot_engine.strategy.runner import StrategyRunner
from tradingbot_engine.telemetry.counts import Component, Counts

EQUITY_EVERY_STEPS: Final = 25


class TradingSession:
    """One shard of one bot at work."""

    def __init__(
        self,
        *,
        order_id_prefix: str,
        prices: Prices,
        broker: Broker,
        risk: Risk,
        recipe: Recipe,
        warmup_bars: int,
        counts: Counts,
        checkpoint: Checkpoint,
        open_orders: Iterable[Order] = (),
    ) -> None:
        """Go on where `checkpoint` says; `broker` owns what it says already."""
        self.currency = checkpoint.currency
        self.initial_equity = checkpoint.initial_equity
        self.peak_equity = checkpoint.peak_equity
        self.max_drawdown = checkpoint.max_drawdown
        self.lap = checkpoint.lap
        self.step = checkpoint.step
        """The step to take next; while one is taken, that one."""
        self.time_ms = checkpoint.time_ms
        """Time of the market of the last step."""
        self.news: NewsSource = NoNews()
        """Where news comes from. One that goes on where `checkpoint` says may take its place before the first step."""
        self._prices = prices
        self._broker = broker
        self._recipe = recipe
        self._warmup_bars = warmup_bars
        self._counts = counts
        self._start = checkpoint
        self._strategy_since_step = checkpoint.strategy_since_step
        self._warm: set[str] = set()
        self._newly_told = False
        self._books = Books(order_id_prefix, checkpoint, counts)
        self._ledger = RiskLedger(risk, checkpoint.risk)
        self._gate = OrderGate(broker, self._ledger, self._books, counts)
        self._desk = TradingDesk(broker, prices.symbols)
        broker.open_orders.extend(open_orders)
        self.last_equity = broker.equity()
        self.runner = self._new_runner()

    # --- What is known of it ---------------------------------------------------------------------------------------------------

    @property
    def totals(self) -> Totals:
        return self._books.totals

    @property
    def drawdown(self) -> float:
        """Loss from the highest equity, 0 to 1."""
        return max(0.0, 1.0 - self.last_equity / self.peak_equity) if self.peak_equity > 0 else 0.0

    @property
    def breach(self) -> Breach | None:
        """The limit of losses that is passed, None if none is."""
        return self._ledger.breach(self.last_equity, self.peak_equity)

    @property
    def open_positions(self) -> int:
        return len(self._broker.positions)

    @property
    def open_orders(self) -> int:
        return len(self._broker.open_orders)

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it trades, or would if its mandate let it."""
        return self._prices.symbols

    @property
    def mandate(self) -> Mandate:
        """What it may do now."""
        return self._gate.mandate

    @property
    def busy_symbols(self) -> frozenset[str]:
        """Symbols with a position or an open order, or with an order whose end isn't in a group yet."""
        waiting = frozenset(order.symbol for order in self._broker.open_orders)
        return waiting.union(self._broker.positions, self._books.unwritten_symbols)

    @property
    def progress(self) -> float:
        """Share of the lap that is done, 0 to 1."""
        return self.step / self._prices.steps

    def at_end(self) -> bool:
        """Whether the feed has no more steps in this lap."""
        return self.step >= self._prices.steps

    def waits_for_news(self) -> bool:
        """Whether the next step can't be taken because not all of its news is judged yet."""
        return not self.at_end() and self._prices.time_ms(self.step) > self.news.known_ms

    def has_changes(self) -> bool:
        """Whether orders or fills wait for their commit, or a mandate that is to be known as carried out."""
        return self._newly_told or self._books.has_changes()

    @property
    def unwritten_rows(self) -> int:
        """Rows of orders, fills and equity that wait for their commit."""
        return self._books.unwritten_rows

    # --- Life ------------------------------------------------------------------------------------------------------------------

    def start_strategy(self, state: msgspec.Raw) -> str:
        """Start the strategy, from `state` unless it is NO_STATE; return what went wrong."""
        failure = self.runner.start(self._desk, state)
        if failure and state != NO_STATE:  # it can't read what it has written: it begins anew
            self.runner = self._new_runner()
            self._strategy_since_step = self.step
            again = self.runner.start(self._desk, NO_STATE)
            return again or f"its saved state could not be used ({failure}); it began anew"
        return failure

    def advance(self, steps: int) -> int:
        """Take up to `steps` steps of this lap; return how many there were."""
        first = self.step
        last = min(first + steps, self._prices.steps)
        if self.news.known_ms != NEVER_MS:
            last = min(last, self._prices.first_step_after(self.news.known_ms))
        if last <= first:
            self.news.hurry()
            return 0
        self._take(self._prices.bars(first, last), self._next_news_step())
        processed = 0
        for symbol, count in zip(self._prices.symbols, self._prices.bar_counts(first, last), strict=True):
            self._counts.bars[symbol] += count
            processed += count
        self._counts.operations[Component.FEED] += processed
        self._counts.operations[Component.STRATEGY] += processed
        self.totals.bars += processed
        if self.at_end():
            self._end_feed()
        return last - first

    def begin_lap(self) -> None:
        """Begin the feed anew with a new strategy, after selling what is held at the last price, if it may sell."""
        for symbol in list(self._broker.positions):
            if not self.mandate.objection(Side.SELL, symbol):
                self._close(symbol, "the feed begins anew")
        self._judge_equity()
        self.lap += 1
        self.step = 0
        self._strategy_since_step = 0
        self._warm.clear()
        self._ledger.begin_lap()
        self.news.begin_lap()
        before = self.runner
        self.runner = self._new_runner()
        if before.halted_by:  # a new lap is no new strategy
            self.runner.stay_halted(before)
        else:
            self.runner.start(self._desk, NO_STATE)

    def set_risk(self, risk: Risk) -> None:
        """Go by these limits from the next order on; what is open stays."""
        self._ledger.set_risk(risk)

    def obey(self, mandate: Mandate) -> bool:
        """Go by this mandate from now on: take back and sell what it says; return whether it is another than before.

        It is carried out once the next group is in the journal. Until then a crash forgets it whole, and the next start obeys anew.
        """
        before = self.mandate
        if mandate == before:
            return False
        self._gate.set_mandate(mandate)
        self._newly_told = True
        for order in tuple(self._broker.open_orders):
            reason = mandate.cancellation(order.side, order.symbol, before)
            if reason:
                self.cancel([order], reason)
        closing = {symbol: reason for symbol in self._broker.positions if (reason := mandate.closing(symbol))}
        fills = [self._close(symbol, reason) for symbol, reason in closing.items()]
        if fills:
            self._judge_equity()
        for fill in fills:
            if fill is not None and not self.at_end():
                self._tell_fill(fill)
        return True

    def stop(self) -> None:
        """The process ends: tell the strategy, unless the feed's end has done so."""
        if not self.at_end():
            self.runner.stop()

    def cancel(self, orders: Iterable[Order], reason: str) -> None:
        """Take back orders that are open."""
        for order in tuple(orders):
            self._broker.open_orders.remove(order)
            self._books.cancel(order, reason)

    def take_group(self) -> Group:
        """Return what has changed since the last group, with a checkpoint to go on from."""
        state = self.runner.save()  # first, since a strategy that fails here may be halted, which cancels orders
        broker, books = self._broker, self._books
        rows = books.take_rows()
        checkpoint = Checkpoint(
            lap=self.lap,
            step=self.step,
            time_ms=self.time_ms,
            currency=self.currency,
            initial_equity=self.initial_equity,
            peak_equity=self.peak_equity,
            max_drawdown=self.max_drawdown,
            cash=broker.cash,
            positions=[PositionState(held.symbol, held.quantity, held.cost) for held in broker.positions.values()],
            last_prices=dict(broker.last_price),
            order_sequence=books.order_sequence,
            fill_sequence=books.fill_sequence,
            equity_sequence=books.equity_sequence,
            totals=books.copy_totals(),
            strategy_fingerprint=self._start.strategy_fingerprint,
            feed_fingerprint=self._start.feed_fingerprint,
            strategy_since_step=self._strategy_since_step,
            strategy_state=state,
            news_seen=self.news.seen(),
            risk=self._ledger.state(),
        )
        self._newly_told = False
        return Group(rows.orders, rows.fills, rows.equity, checkpoint, self.last_equity, rows.symbols, self.mandate)

    def _new_runner(self) -> StrategyRunner:
        return StrategyRunner(self._recipe.build(), self._counts, on_halt=self._cancel_purchases)

    def _cancel_purchases(self) -> None:
        self.cancel([order for order in self._broker.open_orders if order.side is Side.BUY], "the strategy is halted")

    def _close(self, symbol: str, reason: str) -> Fill | None:
        """Sell all of a position at the last price, without waiting for a bar."""
        moment = self._moment()
        quantity = self._broker.positions[symbol].quantity
        order = self._books.open_order(Side.SELL, symbol, quantity, self._broker.last_price[symbol], moment, reason=reason)
        self._books.accept(order)
        return self._books.settle(self._broker.close(order), moment)

    def _judge_equity(self) -> None:
        """Take equity and drawdown after a sale between two steps."""
        self.last_equity = self._broker.equity()
        self.peak_equity = max(self.peak_equity, self.last_equity)
        self.max_drawdown = max(self.max_drawdown, self.drawdown)
        self._note_equity()

    def _end_feed(self) -> None:
        """Part of the last step, so that no commit comes between: what waits is never filled."""
        self.runner.stop()
        self._desk.intents.clear()
        self.cancel(self._broker.open_orders, "the feed has ended")
        if self.step % EQUITY_EVERY_STEPS:
            self._note_equity()

    # --- The path of a bar -----------------------------------------------------------------------------------------------------

    def _take(self, groups: Iterable[Sequence[Bar]], news_step: int) -> None:  # noqa: C901, PLR0912 - all bars wait for this loop: one function, locals, no needless call
        """Take these steps; `news_step` is the first that has news."""
        broker, runner, intents = self._broker, self.runner, self._desk.intents
        last_price, positions, on_bar = broker.last_price, broker.positions, runner.on_bar
        step, equity, peak, deepest = self.step, self.last_equity, self.peak_equity, self.max_drawdown
        lowest = peak  # since the peak, or since the first of these steps: only below it can the drawdown be a new one
        ledger, day_end_ms, floor = self._ledger, self._ledger.day_end_ms, self._flatten_below(peak)
        for bars in groups:
            self.step = step
            self.time_ms = time_ms = bars[0].time_ms
            if time_ms >= day_end_ms:
                ledger.begin_day(time_ms, equity)
                day_end_ms, floor = ledger.day_end_ms, self._flatten_below(peak)
            if broker.open_orders:
                self._match(bars)
            for bar in bars:
                last_price[bar.symbol] = bar.close
            if step == news_step:
                news_step = self._tell_news()
            if runner.failures:
                self._ask_carefully(bars)
            else:
                for bar in bars:
                    try:
                        on_bar(bar)
                    except Exception as error:  # noqa: BLE001 - the user's code may raise anything; failed() counts and logs it
                        self._failed(error)
                        self._ask_carefully(bars[bars.index(bar) + 1 :])
                        break
                    if intents:
                        self._place()
            equity = broker.cash
            if positions:
                for position in positions.values():
                    equity += position.quantity * last_price[position.symbol]
                if equity <= floor:
                    self._flatten(equity, peak)
            if equity < lowest:
                lowest = equity
                drawdown = 1.0 - equity / peak
                if drawdown > deepest:  # noqa: PLR1730 - a call of max() costs five times the comparison
                    deepest = drawdown
            elif equity > peak:
                self.peak_equity = peak = lowest = equity
                if floor > 0.0:
                    floor = self._flatten_below(peak)
            step += 1
            if not step % EQUITY_EVERY_STEPS:
                self.step, self.last_equity = step, equity
                self._note_equity()
        self.step, self.last_equity, self.max_drawdown = step, equity, deepest

    def _flatten_below(self, peak: float) -> float:
        """Return the equity at or below which everything is to be sold."""
        return max(peak * self._ledger.flatten_share_of_peak, self._ledger.flatten_at_equity)

    def _flatten(self, equity: float, peak: float) -> None:
        breach = self._ledger.breach(equity, peak)
        if breach is not None:
            self._gate.flatten(self._moment(), breach)

    def _ask_carefully(self, bars: Iterable[Bar]) -> None:
        """Ask a strategy that has just failed; one that is halted isn't asked."""
        for bar in bars:
            if self.runner.halted_by:
                return
            try:
                self.runner.on_bar(bar)
            except Exception as error:  # noqa: BLE001 - as above
                self._failed(error)
            else:
                self.runner.failures = 0
            if self._desk.intents:
                self._place()

    def _failed(self, error: Exception) -> None:
        self._desk.intents.clear()
        self.runner.failed("on_bar", error)

    def _tell_news(self) -> int:
        """Tell the strategy of the news of this step; return the next step that has some."""
        for news in self.news.take(self.time_ms or 0):
            if self.runner.halted_by:
                continue
            if not self.runner.on_news(news):
                self._desk.intents.clear()
            if self._desk.intents:
                self._place()
        return self._next_news_step()

    def _next_news_step(self) -> int:
        """Return the first step that has news, of those that were not taken; -1 when no news waits."""
        next_ms = self.news.next_ms
        return -1 if next_ms == NEVER_MS else max(self.step, self._prices.first_step_after(next_ms - 1))

    def _match(self, bars: Sequence[Bar]) -> None:
        moment = self._moment()
        for execution in self._broker.match(bars):
            fill = self._books.settle(execution, moment)
            if fill is not None:
                self._tell_fill(fill)

    def _tell_fill(self, fill: Fill) -> None:
        if self.runner.halted_by:
            return
        if not self.runner.on_fill(fill):
            self._desk.intents.clear()
        if self._desk.intents:
            self._place()

    def _place(self) -> None:
        """Send what the strategy wants, unless it only watches yet."""
        intents = self._desk.intents[:]
        self._desk.intents.clear()
        for intent in intents:
            if self._is_warm(intent.symbol):
                self._gate.send(intent, self._moment(), self.peak_equity)

    def _is_warm(self, symbol: str) -> bool:
        if not self._warmup_bars or symbol in self._warm:
            return True
        seen = self._prices.bar_counts(self._strategy_since_step, self.step + 1)[self._prices.symbols.index(symbol)]
        if seen > self._warmup_bars:
            self._warm.add(symbol)
            return True
        return False

    def _moment(self) -> Moment:
        return Moment(self.lap, self.step, self.time_ms or 0)

    def _note_equity(self) -> None:
        self._books.note_equity(self._moment(), self.last_equity, self._broker.cash, self.drawdown)
