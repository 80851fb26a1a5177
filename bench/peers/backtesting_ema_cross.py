# Written as people write for this library, which has no types of its own.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors
"""The EMA cross on backtesting.py; runs in the peers' environment, prints what it measured as JSON.

    python backtesting_ema_cross.py PRICES.csv SYMBOL...

The same rule, the same definition of the average (seeded with the mean of the first n), the same size, fee and fill at the next open as
the engine's. Its average is computed for all bars at once, as is usual there. It can trade one symbol at a time, so the symbols follow
each other. Only `Backtest.run()` is timed: reading the file is not.
"""

import json
import resource
import sys
import time
import warnings

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

FAST, SLOW, NOTIONAL = 10, 30, 10_000.0


def ema(prices, period):
    seeded = pd.Series(prices, dtype=float)
    seed = seeded[:period].mean()
    seeded = seeded[period - 1 :].copy()
    seeded.iloc[0] = seed
    return np.concatenate([np.full(period - 1, np.nan), seeded.ewm(span=period, adjust=False).mean().to_numpy()])


class EmaCross(Strategy):
    def init(self):
        self.fast = self.I(ema, self.data.Close, FAST)
        self.slow = self.I(ema, self.data.Close, SLOW)

    def next(self):
        if crossover(self.fast, self.slow):
            if not self.position:
                self.buy(size=int(NOTIONAL / self.data.Close[-1]))
        elif crossover(self.slow, self.fast):
            self.position.close()


def main():
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    frame = pd.read_csv(sys.argv[1])
    bars = trades = 0
    seconds = 0.0
    for symbol in sys.argv[2:]:
        own = frame[frame["symbol"] == symbol].reset_index(drop=True)
        own.columns = [name.capitalize() for name in own.columns]
        backtest = Backtest(own, EmaCross, cash=100_000.0, commission=0.001, spread=0.0005, trade_on_close=False, finalize_trades=True)
        run_started = time.perf_counter()
        result = backtest.run()
        seconds += time.perf_counter() - run_started
        bars += len(own)
        trades += int(result["# Trades"])
    print(
        json.dumps(
            {
                "bars": bars,
                "trades": trades,
                "seconds": seconds,
                "seconds_with_reading": time.perf_counter() - started,
                "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "version": backtesting.__version__,
                "pandas": pd.__version__,
                "numpy": np.__version__,
            }
        )
    )


main()
