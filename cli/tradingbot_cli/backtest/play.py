"""Plays a document with the engine's own parts, in this process: the same start, session, risk, broker, news and journal as in a pod.

The engine notes equity every few steps; here it is taken after each, or for very many steps after each so many, so that drawdowns and
ratios are those of the bars. How many steps are taken at once makes no difference to what the bot does (a rule of the session).
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_cli.data_folder import DataFolder
from tradingbot_engine.checkpoint import Checkpoint, Totals
from tradingbot_engine.memory.limit import ContainerMemory
from tradingbot_engine.startup import Ready, prepare
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.statistics.round_trips import Trade
from tradingbot_engine.surroundings import Surroundings
from tradingbot_engine.telemetry.metrics import Telemetry
from tradingbot_engine.unavailable import UnavailableError

MOST_SAMPLES: Final = 100_000
_TURN_SECONDS: Final = 0.02
_NEWS_WAIT_SECONDS: Final = 0.002
_ROWS_AT_ONCE: Final = 5000
_STEPS_AT_ONCE: Final = 20_000
_WRITTEN_WITHIN_SECONDS: Final = 0.1
_MILLISECONDS: Final = 1000

Progress = Callable[[int, int, float], None]
"""Is told the steps that were taken, all there are, and the equity now."""


class Played(Struct, frozen=True, kw_only=True):
    """What came of it."""

    currency: str
    initial_equity: float
    final_equity: float
    max_drawdown: float
    """Of every step, 0 to 1."""
    steps: array[int]
    """Steps after which the equity was taken."""
    times_ms: array[int]
    equity: array[float]
    trades: tuple[Trade, ...]
    totals: Totals
    open_positions: dict[str, float]
    """Units by symbol."""
    halted_by: str
    """Why the strategy is not asked any more; empty if it is."""
    notes: tuple[str, ...]
    seconds: float


def play(folder: DataFolder, steps: int, environment: Mapping[str, str], progress: Progress) -> Played:
    """Play the document of a folder to the end of its prices, which have so many steps; the journal is left there.

    Raises:
        SpecError: the document can't be run.
        UnavailableError: something that it needs is missing.
    """
    return asyncio.run(_play(folder, steps, environment, progress))


async def _play(folder: DataFolder, steps: int, environment: Mapping[str, str], progress: Progress) -> Played:
    facts = EngineFacts()
    telemetry = Telemetry({})  # nobody reads its metrics
    around = Surroundings(
        config=folder.config,
        data=folder.path,
        environment=environment,
        memory=ContainerMemory(environment),
        telemetry=telemetry,
        counts=facts.counts,
        lag=facts.lag,
    )
    try:
        ready = await prepare(folder.config.read_bytes(), around)
        try:
            if ready.equipment.news is not None:
                await ready.equipment.start()
            return await _Course(ready, steps, progress).run()
        finally:
            await ready.release()
    finally:
        telemetry.shutdown()


class _Course:
    """One play, from the first step to the last."""

    def __init__(self, ready: Ready, all_steps: int, progress: Progress) -> None:
        self._ready = ready
        self._all_steps = all_steps
        self._session = ready.session
        self._progress = progress
        self._steps: array[int] = array("q")
        self._times_ms: array[int] = array("q")
        self._equity: array[float] = array("d")
        self._trades: list[Trade] = []

    async def run(self) -> Played:
        session, backlog = self._session, self._ready.writer.backlog
        began_at = turned_at = time.monotonic()
        stride = -(-self._all_steps // MOST_SAMPLES)
        while not session.at_end():
            taken = session.advance(stride)
            if not taken:
                await asyncio.sleep(_NEWS_WAIT_SECONDS)
                continue
            self._note()
            now = time.monotonic()
            backlog.took(taken, now, ordered=session.has_changes())
            if session.unwritten_rows >= _ROWS_AT_ONCE or backlog.new_steps >= _STEPS_AT_ONCE:
                await self._write()
            if now - turned_at >= _TURN_SECONDS:
                turned_at = now
                self._progress(session.step, self._all_steps, session.last_equity)
                await asyncio.sleep(0)
        session.stop()
        checkpoint = await self._write()
        await self._wait()
        self._progress(self._all_steps, self._all_steps, session.last_equity)
        return Played(
            currency=session.currency,
            initial_equity=session.initial_equity,
            final_equity=session.last_equity,
            max_drawdown=session.max_drawdown,
            steps=self._steps,
            times_ms=self._times_ms,
            equity=self._equity,
            trades=tuple(self._trades),
            totals=checkpoint.totals,
            open_positions={held.symbol: held.quantity for held in checkpoint.positions},
            halted_by=session.runner.halted_by,
            notes=tuple(self._ready.notes),
            seconds=time.monotonic() - began_at,
        )

    def _note(self) -> None:
        session = self._session
        self._steps.append(session.step - 1)
        self._times_ms.append(session.time_ms or 0)
        self._equity.append(session.last_equity)

    async def _write(self) -> Checkpoint:
        """Hand what has happened to the journal, once it has the group before; return where the bot stands then."""
        await self._wait()
        group = self._session.take_group()
        self._trades += map(_trade, group.fills)
        self._ready.writer.write(group)
        return group.checkpoint

    async def _wait(self) -> None:
        while not await self._ready.writer.wait(_WRITTEN_WITHIN_SECONDS):
            if self._ready.writer.trouble:
                raise UnavailableError(f"the journal can't be written: {self._ready.writer.trouble}")


def _trade(row: Mapping[str, Any]) -> Trade:
    return Trade(row["symbol"], row["side"], row["quantity"], row["price"], row["fee"], row["time_ms"] / _MILLISECONDS)
