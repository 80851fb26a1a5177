"""What a run has shown so far: the newest readings, the pace, and the equity from its first reading to its last.

The equity of the whole run fits into a bounded number of points: when there are too many, every second one goes.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState, EngineStatus, ObserverReport

MOST_POINTS: Final = 512
PACE_SECONDS: Final = 3.0
"""The pace is a mean over this time."""


class Moment(Struct, frozen=True, kw_only=True):
    """One look at a run. None: not known, or no answer."""

    at: float
    """Seconds since the epoch."""
    engine: EngineStatus | None
    """The engine's last answer."""
    answers: bool
    """Whether it answered this time."""
    report: ObserverReport | None
    bars_per_second: float | None
    equity: tuple[float, ...]
    """The run's equity so far, oldest first."""
    span: tuple[float, float] | None
    """Which part of the prices that equity is of, each 0 to 1; None when they have no end, or began anew meanwhile."""

    @property
    def phase(self) -> str:
        """One word for where the bot is."""
        if self.engine is None:
            return EngineState.STARTING.value
        return self.engine.state.value if self.answers else "Silent"


class Course:
    """Takes readings, gives moments."""

    def __init__(self) -> None:
        self._engine: EngineStatus | None = None
        self._report: ObserverReport | None = None
        self._pace: deque[tuple[float, int]] = deque()
        self._equity: list[float] = []
        self._stride = 1
        self._taken = 0
        self._first: EngineStatus | None = None

    def add(self, engine: EngineStatus | None, report: ObserverReport | None, *, at: float, monotonic_seconds: float) -> Moment:
        """Take what was read at one time and return the moment."""
        if engine is not None:
            self._engine = engine
            self._note_pace(monotonic_seconds, engine)
            self._note_equity(engine)
        self._report = report or self._report
        return Moment(
            at=at,
            engine=self._engine,
            answers=engine is not None,
            report=self._report,
            bars_per_second=self._bars_per_second(),
            equity=tuple(self._equity),
            span=self._span(),
        )

    def _note_pace(self, monotonic_seconds: float, engine: EngineStatus) -> None:
        if engine.state is not EngineState.RUNNING:
            self._pace.clear()
            return
        self._pace.append((monotonic_seconds, engine.bars_this_run))
        while self._pace[0][0] < monotonic_seconds - PACE_SECONDS:
            self._pace.popleft()

    def _bars_per_second(self) -> float | None:
        if len(self._pace) < 2:
            return None
        (first_seconds, first_bars), (last_seconds, last_bars) = self._pace[0], self._pace[-1]
        return (last_bars - first_bars) / (last_seconds - first_seconds) if last_seconds > first_seconds else None

    def _note_equity(self, engine: EngineStatus) -> None:
        if engine.equity is None:
            return
        self._first = self._first or engine
        if self._taken % self._stride == 0:
            self._equity.append(engine.equity)
        else:
            self._equity[-1] = engine.equity  # the last point is always the newest
        self._taken += 1
        if len(self._equity) > MOST_POINTS:
            self._equity = self._equity[::2]
            self._stride *= 2

    def _span(self) -> tuple[float, float] | None:
        first, last = self._first, self._engine
        if first is None or last is None or first.progress is None or last.progress is None or first.lap != last.lap:
            return None
        return first.progress, max(first.progress, last.progress)
