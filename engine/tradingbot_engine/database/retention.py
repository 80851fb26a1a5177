"""Removes what is too old to count, so that a bot of years doesn't fill its volume, in small steps so that the journal never waits long.

Open orders, and all that the present lap has done, stay whatever the spec says. Space that is free in a SQLite file is used again, so the
file stays as large as it was at its largest; giving the rest back would copy all of it while the journal waits.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import sqlalchemy
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from tradingbot_contract.resources import Retention
from tradingbot_engine.database import schema
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.faults import environment_fault
from tradingbot_engine.database.fence import FencedError, hold
from tradingbot_engine.database.history import predictions
from tradingbot_engine.orders.order import OrderStatus
from tradingbot_engine.unavailable import UnavailableError

BATCH_ROWS: Final = 5000
"""Most rows of a table that one statement removes: some tens of milliseconds."""
_TURN_SECONDS: Final = 0.1
"""After so long a transaction ends, so that the journal does not wait for longer."""
_LONGEST_TURN_SECONDS: Final = 0.8
"""How often there is a turn is the journal's business, and at full speed that is a few times a second: what a turn does decides whether
retention keeps up, so each that was not enough makes the next one longer."""
INTERVAL_SECONDS: Final = 5.0
"""Between two runs. At full speed a replay writes thousands of rows a second, and what isn't removed in time is more to hold."""
_LONGEST_RUN_SECONDS: Final = 30.0

Removed = dict[str, int]
"""Rows that one transaction removed, by table."""
_Prune = Callable[[Connection], Removed]


class Pruner:
    """The background job for one bot."""

    def __init__(self, retention: Retention, journal: Database, epoch: int, history: Database | None = None) -> None:
        """`epoch` is the one that the journal is written with."""
        self.removed: Counter[str] = Counter()
        """Rows that this process has removed, by table."""
        self._retention = retention
        self._journal = journal
        self._epoch = epoch
        self._history = history

    def reconfigure(self, retention: Retention) -> None:
        """Keep so much from the next run on."""
        self._retention = retention

    async def run(self) -> None:
        """Remove what is too old, for half a minute at most; the next run goes on.

        Raises:
            UnavailableError: the database can't be used now.
        """
        until = time.monotonic() + _LONGEST_RUN_SECONDS
        keep = self._retention
        await self._prune(self._journal, lambda connection: self._prune_journal(connection, keep), until)
        if self._history is not None:
            await self._prune(self._history, lambda connection: prune_predictions(connection, keep.predictions), until)

    async def _prune(self, database: Database, prune: _Prune, until: float) -> None:
        """Remove batch after batch, with as much time between them for others as each has taken, without its wait for its turn."""
        turn_seconds = _TURN_SECONDS
        while True:
            work = functools.partial(_prune_a_while, prune=prune, turn_seconds=turn_seconds)
            try:
                removed, more, seconds = await asyncio.to_thread(database.run_writing, work)
            except FencedError:
                return  # nothing of this is ours any more; whoever writes next finds out, and ends the trading
            except sqlalchemy.exc.SQLAlchemyError as error:
                fault = environment_fault(error)
                if fault is None:
                    raise
                raise UnavailableError(f"{database.name}: old rows can't be removed: {fault}") from error
            self.removed.update(removed)
            if not more or time.monotonic() >= until:
                return
            turn_seconds = min(2 * turn_seconds, _LONGEST_TURN_SECONDS)
            await asyncio.sleep(seconds)

    def _prune_journal(self, connection: Connection, keep: Retention) -> Removed:
        hold(connection, self._epoch)
        return prune_orders(connection, keep.orders) | prune_equity(connection, keep.equity_points)


def _prune_a_while(connection: Connection, *, prune: _Prune, turn_seconds: float) -> tuple[Counter[str], bool, float]:
    """Remove batches until nothing is left or it has taken long enough; return what, whether there is more, and the seconds."""
    started_at = time.monotonic()
    removed: Counter[str] = Counter()
    while True:
        batch = prune(connection)
        removed.update(batch)
        more = max(batch.values(), default=0) >= BATCH_ROWS
        seconds = time.monotonic() - started_at
        if not more or seconds >= turn_seconds:
            return removed, more, seconds


def prune_orders(connection: Connection, keep: int) -> Removed:
    """Remove the oldest orders beyond `keep`, with their fills."""
    orders, fills = schema.orders, schema.fills
    newest = connection.execute(select(func.max(orders.c.sequence))).scalar_one_or_none()
    lap = connection.execute(select(schema.checkpoint.c.lap)).scalar_one_or_none()
    if newest is None or lap is None:
        return {}
    old = (orders.c.sequence <= newest - keep, orders.c.lap < lap, orders.c.status != OrderStatus.NEW.value)
    batch = select(orders.c.sequence).where(*old).order_by(orders.c.sequence).limit(BATCH_ROWS).subquery()
    last = connection.execute(select(func.max(batch.c.sequence))).scalar_one_or_none()
    if last is None:
        return {}
    # By range, which takes a fraction of what a list of numbers does. What is open has no fill.
    return {
        fills.name: connection.execute(fills.delete().where(fills.c.order_sequence <= last, fills.c.lap < lap)).rowcount,
        orders.name: connection.execute(orders.delete().where(*old, orders.c.sequence <= last)).rowcount,
    }


def prune_equity(connection: Connection, keep: int) -> Removed:
    """Remove the oldest points of the equity curve beyond `keep`."""
    return _prune_oldest(connection, schema.equity, keep)


def prune_predictions(connection: Connection, keep: int) -> Removed:
    """Remove the oldest judgements of news beyond `keep`."""
    return _prune_oldest(connection, predictions, keep)


def _prune_oldest(connection: Connection, table: Table, keep: int) -> Removed:
    """Remove rows of a table whose numbers have no gaps but those that were left by a failure."""
    sequence = table.c.sequence
    oldest, newest = connection.execute(select(func.min(sequence), func.max(sequence))).one()
    if oldest is None or oldest > newest - keep:
        return {}
    last = min(newest - keep, oldest + BATCH_ROWS - 1)
    return {table.name: connection.execute(table.delete().where(sequence <= last)).rowcount}
