# Written as people write for this library, which has no types of its own.
# ruff: noqa: ANN001, ANN201, ANN204
# mypy: ignore-errors
"""The EMA cross on backtrader; runs in the peers' environment, prints what it measured as JSON.

    python backtrader_ema_cross.py PRICES.csv SYMBOL [TIMEFRAME]

The same rule, the same definition of the average (seeded with the mean of the first n), the same size, fee, slippage and fill at the next
open as the engine's. It runs its fastest way: prices loaded before, indicators and their crossing computed for all bars at once, no
observers. Timed from the strategy's start, when the prices are loaded, to the end of the run.
"""

import json
import resource
import sys
import time
from importlib.metadata import version

import backtrader as bt
import pandas as pd

FAST, SLOW, NOTIONAL, CASH = 10, 30, 10_000.0, 10_000_000.0


class EmaCross(bt.Strategy):
    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.EMA(period=FAST), bt.ind.EMA(period=SLOW))
        self.fills = 0

    def start(self):
        self.started = time.perf_counter()

    def notify_order(self, order):
        if order.status == order.Completed:
            self.fills += 1

    def next(self):
        cross = self.cross[0]
        if cross > 0:
            if not self.position:
                self.buy(size=NOTIONAL / self.data.close[0])
        elif cross < 0 and self.position:
            self.close()


def main():
    started = time.perf_counter()
    frame = pd.read_csv(sys.argv[1], parse_dates=["timestamp"], index_col="timestamp")
    frame = frame[frame["symbol"] == sys.argv[2]]
    cerebro = bt.Cerebro(stdstats=False, preload=True, runonce=True)
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(EmaCross)
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=0.001)
    cerebro.broker.set_slippage_perc(0.0005, slip_open=True, slip_match=True, slip_out=True)
    (strategy,) = cerebro.run()
    ended = time.perf_counter()
    print(
        json.dumps(
            {
                "bars": len(frame),
                "fills": strategy.fills,
                "seconds": ended - strategy.started,
                "seconds_with_reading": ended - started,
                "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "versions": {name: version(name) for name in ("backtrader", "pandas", "numpy")},
            }
        )
    )


main()
