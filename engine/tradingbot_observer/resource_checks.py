"""Checks of what the engine says of the things it needs: database, Redis, news, pools, journal, memory.

None of these is mended by a restart, and the operator makes none for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_contract.report import Dependency, FindingReason, Severity
from tradingbot_observer.symptoms import Situation, Symptom

DATABASE: Final = "database"
REDIS: Final = "redis"
OTLP: Final = "otlp"
EXHAUSTED_SECONDS: Final = 5.0
"""How long a pool may be exhausted before it is worth telling: a burst is what its overflow and its waiting are for."""


def database_down(now: Situation) -> Symptom | None:
    """Find that the engine can't reach its database, so that it sends no orders."""
    down = [each for each in _down(now) if each.name == DATABASE]
    return Symptom(FindingReason.DATABASE_DOWN, Severity.CRITICAL, _describe(down, now)) if down else None


def redis_down(now: Situation) -> Symptom | None:
    """Find that the engine can't reach Redis, so that it is slower."""
    down = [each for each in _down(now) if each.name == REDIS]
    return Symptom(FindingReason.REDIS_DOWN, Severity.WARNING, _describe(down, now)) if down else None


def dependency_down(now: Situation) -> Symptom | None:
    """Find that something else can't be reached; that metrics don't get to a collector is only worth knowing."""
    down = [each for each in _down(now) if each.name not in {DATABASE, REDIS}]
    if not down:
        return None
    severity = Severity.INFO if all(each.name == OTLP for each in down) else Severity.WARNING
    return Symptom(FindingReason.DEPENDENCY_DOWN, severity, _describe(down, now))


def pool_exhausted(now: Situation) -> Symptom | None:
    """Find that somebody has waited for a connection for a while."""
    exhausted = [
        (pool, since)
        for pool in (now.told.pools if now.told else ())
        if (since := pool.exhausted_since) is not None and now.at - since > EXHAUSTED_SECONDS
    ]
    if not exhausted:
        return None
    said = (
        f"all {pool.max_connections} connections of the pool {pool.name} have been borrowed for {now.at - since:.0f} s, "
        f"and {pool.pending} wait"
        for pool, since in exhausted
    )
    return Symptom(FindingReason.POOL_EXHAUSTED, Severity.WARNING, "; ".join(said), since=min(since for _, since in exhausted))


def journal_behind(now: Situation) -> Symptom | None:
    """Find that what the engine has done waits for its journal."""
    seconds = now.told.journal_behind_seconds if now.told else None
    if seconds is None:
        return None
    message = f"the oldest step of the feed that isn't in the journal has waited for {seconds:.0f} s"
    return Symptom(FindingReason.JOURNAL_BEHIND, Severity.WARNING, message)


def memory_mode_lowered(now: Situation) -> Symptom | None:
    """Find that news is judged with less than the spec asks for."""
    if now.told is None or not now.told.memory_mode_reason:
        return None
    message = f"news is judged in mode {now.told.memory_mode}: {now.told.memory_mode_reason}"
    return Symptom(FindingReason.MEMORY_MODE_LOWERED, Severity.INFO, message)


def _down(now: Situation) -> Sequence[Dependency]:
    return [each for each in now.told.dependencies if each.up is False] if now.told else ()


def _describe(down: Sequence[Dependency], now: Situation) -> str:
    return "; ".join(f"{each.name} can't be reached for {max(0.0, now.at - each.since):.0f} s: {each.message}" for each in down)
