"""Runs what has to be done now and then beside trading, and keeps out of trading's way.

A job never runs twice at the same time, its failure is its own, and the one of another job never keeps it from running. While the engine is
busy, what isn't urgent is put off; but not for ever, or a bot under constant load would never clean up.

The interval is the pause between the end of a run and the beginning of the next, drawn anew each time from around it, so that a fleet that
was started at once doesn't knock at its database at once for the rest of its days.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from tradingbot_contract.metrics import JOB_DURATION
from tradingbot_engine.telemetry.record import Record, ignore_measurement
from tradingbot_engine.unavailable import UnavailableError

LONGEST_PUT_OFF_SECONDS: Final = 60.0
"""So long at most, or one interval if that is shorter, a job is put off because the engine is busy."""
_BUSY_PAUSE_SECONDS: Final = 0.25
_TELL_AGAIN_SECONDS: Final = 600.0
DONE: Final = "done"
FAILED: Final = "failed"
THROTTLED: Final = "throttled"
"""A run that was put off; it counts as done or failed, too, when it has come about."""
_logger = logging.getLogger(__name__)


class Job(NamedTuple):
    """Something to do now and then."""

    name: str
    """The value of `job` in metrics and log; one job each."""
    interval_seconds: float
    run: Callable[[], Awaitable[None]]
    """Runs on the event loop: what takes long belongs on a thread. :class:`UnavailableError` is a failure that may pass, anything
    else that it raises is a bug; the job runs again at its next time either way."""
    jitter: float = 0.1
    """The pause differs from the interval by up to this share of it."""
    urgent: bool = False
    """Runs however busy the engine is."""


def draw_pause(interval_seconds: float, jitter: float, draw: float) -> float:
    """Return the pause before the next run; `draw` is evenly between 0 and 1."""
    return interval_seconds * (1.0 + jitter * (2.0 * draw - 1.0))


def may_put_off(interval_seconds: float, waited_seconds: float) -> bool:
    """Return whether a job that has waited so long for a quiet moment may wait longer."""
    return waited_seconds < min(interval_seconds, LONGEST_PUT_OFF_SECONDS)


class _Entry:
    """A job at work."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.interval_seconds = job.interval_seconds
        self.attributes = {"task": job.name}
        self.changed = asyncio.Event()
        self.wanted = False
        self.running = False
        self.task: asyncio.Task[None] | None = None
        self.told_at: dict[str, float] = {}
        """When each kind of failure was last written to the log."""


class Scheduler:
    """See the module. `runs` counts by job and result since the start."""

    def __init__(
        self,
        jobs: Iterable[Job] = (),
        *,
        busy: Callable[[], bool] = lambda: False,
        record: Record = ignore_measurement,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.runs: Counter[tuple[str, str]] = Counter()
        self._busy = busy
        self._record = record
        self._draw = draw
        self._entries: dict[str, _Entry] = {}
        self._started = False
        for job in jobs:
            self.add(job)

    @property
    def jobs(self) -> dict[str, float]:
        """Interval in seconds by name."""
        return {name: entry.interval_seconds for name, entry in self._entries.items()}

    def add(self, job: Job) -> None:
        """Take a job; it begins at once if the others have.

        Raises:
            ValueError: there is one of this name.
        """
        if job.name in self._entries:
            raise ValueError(f"there is a job {job.name} already")
        entry = self._entries[job.name] = _Entry(job)
        for result in (DONE, FAILED, THROTTLED):
            self.runs[job.name, result] = 0
        if self._started:
            entry.task = asyncio.create_task(self._keep_running(entry), name=f"job {job.name}")

    def start(self) -> None:
        """Begin; each job first runs after a pause."""
        self._started = True
        for entry in self._entries.values():
            if entry.task is None:
                entry.task = asyncio.create_task(self._keep_running(entry), name=f"job {entry.job.name}")

    def reschedule(self, name: str, interval_seconds: float) -> None:
        """Run the job at this interval from now on. A pause that has begun starts anew if the interval is another."""
        entry = self._entries[name]
        if interval_seconds != entry.interval_seconds:
            entry.interval_seconds = interval_seconds
            entry.changed.set()

    def wake(self, name: str) -> None:
        """Run the job as soon as it may; if it runs now, once more."""
        entry = self._entries[name]
        entry.wanted = True
        entry.changed.set()

    async def stop(self, patience_seconds: float = 1.0) -> None:
        """Begin nothing more; wait so long for what runs, then cancel it."""
        self._started = False
        running = []
        for entry in self._entries.values():
            if entry.task is None:
                continue
            if entry.running:
                running.append(entry.task)
            else:
                entry.task.cancel()
        if running:
            await asyncio.wait(running, timeout=patience_seconds)
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for entry in self._entries.values():
            entry.task = None

    async def _keep_running(self, entry: _Entry) -> None:
        while self._started:
            await self._pause(entry)
            if not entry.job.urgent:
                await self._wait_for_quiet(entry)
            entry.running = True
            try:
                await self._run(entry)
            finally:
                entry.running = False

    async def _pause(self, entry: _Entry) -> None:
        while not entry.wanted:
            seconds = draw_pause(entry.interval_seconds, entry.job.jitter, self._draw())
            try:
                async with asyncio.timeout(seconds):
                    await entry.changed.wait()
            except TimeoutError:
                break
            entry.changed.clear()
        entry.wanted = False

    async def _wait_for_quiet(self, entry: _Entry) -> None:
        began_at = time.monotonic()
        put_off = False
        while self._busy() and may_put_off(entry.interval_seconds, time.monotonic() - began_at):
            if not put_off:
                put_off = True
                self.runs[entry.job.name, THROTTLED] += 1
            await asyncio.sleep(min(_BUSY_PAUSE_SECONDS, entry.interval_seconds))

    async def _run(self, entry: _Entry) -> None:
        name = entry.job.name
        started_at = time.perf_counter()
        try:
            await entry.job.run()
        except Exception as error:  # noqa: BLE001 - the boundary between jobs: what one of them raises must end none of the others
            self.runs[name, FAILED] += 1
            self._tell(entry, error)
        else:
            self.runs[name, DONE] += 1
        self._record(JOB_DURATION, time.perf_counter() - started_at, entry.attributes)

    def _tell(self, entry: _Entry, error: Exception) -> None:
        """Log each kind of failure once, and again when it has gone on for long."""
        kind, now = type(error).__qualname__, time.monotonic()
        if now - entry.told_at.get(kind, -_TELL_AGAIN_SECONDS) < _TELL_AGAIN_SECONDS:
            return
        entry.told_at[kind] = now
        fields = {"job": entry.job.name, "kind": kind, "failures": self.runs[entry.job.name, FAILED]}
        if isinstance(error, UnavailableError):
            _logger.warning("job could not be done", extra={"fields": {**fields, "reason": str(error)}})
        else:
            _logger.error("job failed", exc_info=error, extra={"fields": fields})
