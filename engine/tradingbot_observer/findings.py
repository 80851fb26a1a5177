"""What is wrong with an engine now, and since when: an ordered tuple of checks, each of which knows one symptom.

A check looks at the whole situation and returns its symptom or None. What is not known is no symptom.
"""

from __future__ import annotations

from typing import Final

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
from tradingbot_observer.symptoms import Check, Situation

CHECKS: Final[tuple[Check, ...]] = (
    engine_gone,
    engine_silent,
    document_refused,
    database_down,
    feed_stale,
    score_low,  # < 50 critical, < 60 warning
    response_slow,  # > 2 s
    cpu_high,  # > 80 %
    memory_high,  # > 85 %
    errors_high,  # > 5 %
    redis_down,
    dependency_down,
    pool_exhausted,
    journal_behind,
    cache_cold,  # < 70 %
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
    symptoms = (check(now) for check in CHECKS)
    return tuple(Finding(*symptom, since=since.get(symptom.reason, now.at)) for symptom in symptoms if symptom is not None)
