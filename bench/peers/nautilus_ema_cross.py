# Written as people write for this library; it isn't in the environment that types are checked in.
# ruff: noqa: ANN001, ANN201, ANN204, ARG002
# mypy: ignore-errors
"""The EMA cross on NautilusTrader; runs in the peers' environment, prints what it measured as JSON.

    python nautilus_ema_cross.py PRICES.csv SYMBOL 1h|1d

The same rule, size and fee as the engine's; its average (compiled) is seeded with the first price, so the first crossings may differ,
and a market order is filled at once, at the close that it was decided on. It runs its fastest way: a Python strategy on the low-level
backtest engine, bars as objects beforehand, log, risk checks and analysis off. Only `BacktestEngine.run()` is timed.
"""

import json
import resource
import sys
import time
from decimal import Decimal
from importlib.metadata import version

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import EUR, USD
from nautilus_trader.model.data import BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair, Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

FAST, SLOW, NOTIONAL, CASH = 10, 30, 10_000.0, 10_000_000.0
VENUE = Venue("SIM")
STEPS = {"1h": "HOUR", "1d": "DAY"}
VOLUME = 1e9  # so that a fill is never held back: some prices come without volumes, for which it fills nothing


class EmaCross(Strategy):
    def __init__(self, instrument, bar_type):
        super().__init__()
        self.instrument = instrument
        self.bar_type = bar_type
        self.fast = ExponentialMovingAverage(FAST)
        self.slow = ExponentialMovingAverage(SLOW)
        self.above = None
        self.fills = 0

    def on_start(self):
        self.register_indicator_for_bars(self.bar_type, self.fast)
        self.register_indicator_for_bars(self.bar_type, self.slow)
        self.subscribe_bars(self.bar_type)

    def on_bar(self, bar):
        if not self.slow.initialized:
            return
        above = self.fast.value > self.slow.value
        if above is self.above:
            return
        crossed = self.above is not None
        self.above = above
        if not crossed:
            return
        if above:
            if self.portfolio.is_flat(self.instrument.id):
                quantity = self.instrument.make_qty(NOTIONAL / float(bar.close))
                self.submit_order(self.order_factory.market(self.instrument.id, OrderSide.BUY, quantity))
        else:
            self.close_all_positions(self.instrument.id)

    def on_order_filled(self, event):
        self.fills += 1


def build_instrument(symbol):
    identity = InstrumentId(Symbol(symbol), VENUE)
    if "/" in symbol:
        return CurrencyPair(
            instrument_id=identity,
            raw_symbol=Symbol(symbol),
            base_currency=EUR,
            quote_currency=USD,
            price_precision=5,
            size_precision=0,
            price_increment=Price(1e-5, 5),
            size_increment=Quantity.from_int(1),
            ts_event=0,
            ts_init=0,
            margin_init=Decimal("0.03"),
            margin_maint=Decimal("0.03"),
            maker_fee=Decimal("0.001"),
            taker_fee=Decimal("0.001"),
        )
    return Equity(
        instrument_id=identity,
        raw_symbol=Symbol(symbol),
        currency=USD,
        price_precision=4,
        price_increment=Price(1e-4, 4),
        lot_size=Quantity.from_int(1),
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.03"),
        margin_maint=Decimal("0.03"),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
    )


def main():
    path, symbol, timeframe = sys.argv[1:]
    started = time.perf_counter()
    frame = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    frame = frame[frame["symbol"] == symbol][["open", "high", "low", "close"]]
    frame = frame.assign(volume=VOLUME)
    instrument = build_instrument(symbol)
    bar_type = BarType.from_str(f"{instrument.id}-1-{STEPS[timeframe]}-LAST-EXTERNAL")
    engine = BacktestEngine(
        BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True), run_analysis=False)
    )
    engine.add_venue(
        venue=VENUE, oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=USD, starting_balances=[Money(CASH, USD)]
    )
    engine.add_instrument(instrument)
    engine.add_data(BarDataWrangler(bar_type, instrument).process(frame))
    strategy = EmaCross(instrument, bar_type)
    engine.add_strategy(strategy)
    run_started = time.perf_counter()
    engine.run()
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "bars": len(frame),
                "fills": strategy.fills,
                "seconds": ended - run_started,
                "seconds_with_reading": ended - started,
                "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "versions": {name: version(name) for name in ("nautilus_trader", "pandas", "numpy")},
            }
        )
    )


main()
