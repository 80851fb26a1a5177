"""Strategies that do what a test needs of one, in the engine's image as a user's own would be (``strategy.name: rehearsal:Hold``)."""

from __future__ import annotations

import os
from pathlib import Path

from tradingbot_contract.endpoints import DATA_DIRECTORY
from tradingbot_engine.database.pool_meter import Lane, PoolMeter
from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.strategy.interface import Parameters, Strategy

NOTIONAL = 1000.0
PAGE_BYTES = 4096


class Hold(Strategy):
    """Buys each symbol once and never sells it: a bot whose positions stay open."""

    def on_bar(self, bar: Bar) -> None:
        if not self.desk.position(bar.symbol) and bar.symbol not in self._asked:
            self._asked.add(bar.symbol)
            self.desk.buy(bar.symbol, NOTIONAL)

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self._asked: set[str] = set()


class Alternate(Strategy):
    """Buys and sells each symbol in turn, at every bar: a bot that can't stand still without being told to."""

    def on_bar(self, bar: Bar) -> None:
        if self.desk.position(bar.symbol):
            self.desk.sell(bar.symbol)
        else:
            self.desk.buy(bar.symbol, NOTIONAL)


class Poison(Strategy):
    """Ends the engine's process at the first bar, without a word, at each start."""

    def on_bar(self, bar: Bar) -> None:  # noqa: ARG002 - whatever it is
        os._exit(3)


class HoardParameters(Parameters, frozen=True):
    """How much is taken."""

    mebibytes: int = 16


class Hoard(Alternate):
    """Takes memory when it starts, and keeps it."""

    parameters_type = HoardParameters

    def __init__(self, parameters: HoardParameters) -> None:
        super().__init__(parameters)
        self._held = bytearray(parameters.mebibytes * 2**20)
        # Memory counts once it is written to.
        self._held[::PAGE_BYTES] = b"\1" * len(self._held[::PAGE_BYTES])


class Leak(Hold):
    """Borrows every connection of the engine's database once it holds something, and gives none back. The next process does not."""

    def on_bar(self, bar: Bar) -> None:
        super().on_bar(bar)
        marker = Path(DATA_DIRECTORY) / "has-leaked"
        if self.desk.position(bar.symbol) and not marker.exists():
            marker.touch()
            PoolMeter.borrow = _borrow_all  # type: ignore[assignment, method-assign]  # a fault that no argument asks for


_borrow = PoolMeter.borrow


def _borrow_all(meter: PoolMeter, timeout_seconds: float) -> Lane:
    """Take whatever is free, and then one more, as everybody does."""
    while meter.lane.used < meter.lane.limit:
        _borrow(meter, timeout_seconds)
    return _borrow(meter, timeout_seconds)
