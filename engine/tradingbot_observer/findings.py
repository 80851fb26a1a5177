"""What is wrong with an engine now, and since when: an ordered tuple of checks, each of which knows one symptom.

A check looks at the whole situation and returns its symptom or None. What is not known is no symptom. Facts of the process and of what
the engine needs count at once; what was measured counts when enough samples of a window say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tradingbot_contract.report import Finding, FindingReason, Severity
from tradingbot_observer.measure_checks import cache_cold, cpu_high, errors_high, memory_high, response_slow, score_low
from tradingbot_observer.process_checks import document_refused, engine_gone, engine_silent, feed_stale
from tradingbot_observer.resource_checks import (
    database_down,
    dependency_down,
    journal_behind,
    memory_mode_lowered,
    pool_exhausted,
    redis_down,
)
from tradingbot_observer.symptoms import Check, SampleCheck, Situation, Symptom
from tradingbot_observer.window import find_in_window


class Measured(NamedTuple):
    """A check of one sample that counts when enough samples of the window agree."""

    check: SampleCheck


CHECKS: Final[tuple[Check | Measured, ...]] = (
    engine_gone,
    engine_silent,
    document_refused,
    database_down,
    feed_stale,
    Measured(score_low),  # < 50 critical, < 60 warning
    Measured(response_slow),  # > 2 s
    Measured(cpu_high),  # > 80 %
    Measured(memory_high),  # > 85 %
    Measured(errors_high),  # > 5 %
    redis_down,
    dependency_down,
    pool_exhausted,
    journal_behind,
    Measured(cache_cold),  # < 70 %
    memory_mode_lowered,
)

POSSIBLE: Final = (
    (FindingReason.ENGINE_GONE, Severity.CRITICAL),
    (FindingReason.ENGINE_SILENT, Severity.CRITICAL),
    (FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL),
    (FindingReason.DOCUMENT_REFUSED, Severity.WARNING),
    (FindingReason.DATABASE_DOWN, Severity.CRITICAL),
    (FindingReason.FEED_STALE, Severity.CRITICAL),
    (FindingReason.SCORE_LOW, Severity.CRITICAL),
    (FindingReason.SCORE_LOW, Severity.WARNING),
    (FindingReason.RESPONSE_SLOW, Severity.WARNING),
    (FindingReason.CPU_HIGH, Severity.WARNING),
    (FindingReason.MEMORY_HIGH, Severity.WARNING),
    (FindingReason.ERRORS_HIGH, Severity.WARNING),
    (FindingReason.REDIS_DOWN, Severity.WARNING),
    (FindingReason.DEPENDENCY_DOWN, Severity.WARNING),
    (FindingReason.DEPENDENCY_DOWN, Severity.INFO),
    (FindingReason.POOL_EXHAUSTED, Severity.WARNING),
    (FindingReason.JOURNAL_BEHIND, Severity.WARNING),
    (FindingReason.CACHE_COLD, Severity.INFO),
    (FindingReason.MEMORY_MODE_LOWERED, Severity.INFO),
)
"""Every pair of reason and severity that the checks can return: the series that ``/metrics`` shows, at 0 or 1."""


def assess(now: Situation, before: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what is wrong now, in the order of the checks; a reason that was there before keeps its `since`."""
    since = {finding.reason: finding.since for finding in before}
    return tuple(
        Finding(
            symptom.reason,
            symptom.severity,
            symptom.message,
            since=since.get(symptom.reason, now.at) if symptom.since is None else symptom.since,
        )
        for symptom in _symptoms(now, before)
    )


def _symptoms(now: Situation, before: tuple[Finding, ...]) -> Iterator[Symptom]:
    for check in CHECKS:
        symptom = find_in_window(check.check, now, before) if isinstance(check, Measured) else check(now)
        if symptom is not None:
            yield symptom
