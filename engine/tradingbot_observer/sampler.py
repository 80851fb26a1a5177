"""Turns two readings of an engine into a sample: rates and shares over the time between them.

The counters that are read start at zero with every engine process. A rate is never taken across two processes, so a restart
gives no negative figure and none that is too large. What can't be known from the two readings is None.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from msgspec import Struct

from tradingbot_contract.report import Sample


class ProcessReading(Struct, frozen=True):
    """What the system says about the engine's process."""

    pid: int
    started_at: float
    """Seconds since the epoch; with the pid it names a process, also after the pid was given to another."""
    cpu_seconds: float
    """User and system time since it started."""
    memory_bytes: int
    """What the kernel can't take back: the resident set size without pages of files, such as SQLite maps of its journal."""
    threads: int

    def is_same_process(self, other: ProcessReading) -> bool:
        """Tell whether two readings are of one process."""
        return (self.pid, self.started_at) == (other.pid, other.started_at)


class Counters(Struct, frozen=True):
    """What the engine says about itself; each is a sum since its process started."""

    operations: float
    errors: float
    cache_hits: float
    cache_lookups: float


class Reading(Struct, frozen=True, kw_only=True):
    """Everything that was read at one moment. None: could not be read."""

    at: float
    """Seconds since the epoch."""
    monotonic_seconds: float
    """Of a clock that nobody sets."""
    process: ProcessReading | None
    process_has_answered: bool
    """Whether this process has ever answered: what it did before, imports and restoring, says nothing of how it runs."""
    counters: Counters | None
    memory_limit_bytes: int | None
    response_p95_seconds: float | None


def build_sample(before: Reading | None, now: Reading) -> Sample:
    """Return the sample that two successive readings give, without its score."""
    process = now.process
    counted = _counted_between(before, now)
    return Sample(
        at=now.at,
        cpu_percent=_cpu_percent(before, now),
        memory_bytes=process.memory_bytes if process else None,
        memory_limit_bytes=now.memory_limit_bytes,
        memory_percent=100.0 * process.memory_bytes / now.memory_limit_bytes if process and now.memory_limit_bytes else None,
        error_percent=_percent(counted.errors, counted.operations) if counted else None,
        response_p95_seconds=now.response_p95_seconds,
        cache_hit_percent=_percent(counted.cache_hits, counted.cache_lookups) if counted else None,
    )


def percentile(values: Collection[float], share: float) -> float | None:
    """Return the smallest value that at least this share (0 to 1) of all values does not exceed; None if there are none."""
    if not values:
        return None
    rank = max(1, math.ceil(share * len(values)))
    return sorted(values)[rank - 1]


def _cpu_percent(before: Reading | None, now: Reading) -> float | None:
    if before is None or before.process is None or now.process is None:
        return None
    if not before.process_has_answered or not now.process.is_same_process(before.process):
        return None
    seconds = now.monotonic_seconds - before.monotonic_seconds
    return 100.0 * max(0.0, now.process.cpu_seconds - before.process.cpu_seconds) / seconds if seconds > 0 else None


def _counted_between(before: Reading | None, now: Reading) -> Counters | None:
    if before is None or now.counters is None:
        return None
    if _restarted_between(before, now):
        return now.counters
    if before.counters is None:
        return None
    return Counters(*(getattr(now.counters, name) - getattr(before.counters, name) for name in Counters.__struct_fields__))


def _restarted_between(before: Reading, now: Reading) -> bool:
    if before.process is not None and now.process is not None and not now.process.is_same_process(before.process):
        return True
    # Where processes can't be seen, a sum that shrank tells.
    return before.counters is not None and now.counters is not None and now.counters.operations < before.counters.operations


def _percent(part: float, whole: float) -> float | None:
    return min(100.0, max(0.0, 100.0 * part / whole)) if whole > 0 else None
