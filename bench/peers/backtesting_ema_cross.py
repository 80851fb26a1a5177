# Written as people write for this library, which has no types of its own.
# ruff: noqa: ANN001, ANN201
# mypy: ignore-errors
"""The EMA cross on backtesting.py; runs in the peers' environment, prints what it measured as JSON.

    python backtesting_ema_cross.py PRICES.csv SYMBOL [TIMEFRAME]

The same rule, the same definition of the average (seeded with the mean of the first n), the same size, fee and fill at the next open as
the engine's; its spread worsens the opening of a trade only. Averages are computed for all bars at once, as is usual there and fastest.
Only `Backtest.run()` is timed, which ends with its statistics; reading the file is not.
"""

import json
import resource
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

FAST, SLOW, NOTIONAL, CASH = 10, 30, 10_000.0, 10_000_000.0


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
    frame = frame[frame["symbol"] == sys.argv[2]].reset_index(drop=True)
    frame.columns = [name.capitalize() for name in frame.columns]
    backtest = Backtest(frame, EmaCross, cash=CASH, commission=0.001, spread=0.0005, trade_on_close=False, finalize_trades=False)
    run_started = time.perf_counter()
    result = backtest.run()
    seconds = time.perf_counter() - run_started
    # A trade that is open at the end has one fill.
    fills = 2 * int(result["# Trades"]) + len(result["_strategy"].trades)
    print(
        json.dumps(
            {
                "bars": len(frame),
                "fills": fills,
                "seconds": seconds,
                "seconds_with_reading": time.perf_counter() - started,
                "max_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "versions": {name: version(name) for name in ("backtesting", "pandas", "numpy")},
            }
        )
    )


main()
