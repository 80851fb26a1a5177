"""Checks of what was measured: each compares one figure of one sample with its limit in the spec."""

from __future__ import annotations

from tradingbot_contract.report import FindingReason, Sample, Severity
from tradingbot_contract.spec import Health
from tradingbot_observer.symptoms import Symptom


def score_low(sample: Sample, health: Health) -> Symptom | None:
    """Find a score below its limits."""
    score = sample.score
    if score is None:
        return None
    for limit, severity in ((health.score.critical, Severity.CRITICAL), (health.score.warning, Severity.WARNING)):
        if score < limit:
            return Symptom(FindingReason.SCORE_LOW, severity, f"score is {score:.0f} (limit {limit:g})")
    return None


def response_slow(sample: Sample, health: Health) -> Symptom | None:
    """Find slow answers."""
    seconds, limit = sample.response_p95_seconds, health.response_seconds.high
    if seconds is None or seconds <= limit:
        return None
    message = f"95th percentile of the time to answer is {seconds:.3f} s (limit {limit:g} s)"
    return Symptom(FindingReason.RESPONSE_SLOW, Severity.WARNING, message)


def cpu_high(sample: Sample, health: Health) -> Symptom | None:
    """Find an engine that needs much of a core."""
    percent, limit = sample.cpu_percent, health.cpu_percent.high
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.CPU_HIGH, Severity.WARNING, f"CPU is {percent:.1f} % of a core (limit {limit:g} %)")


def memory_high(sample: Sample, health: Health) -> Symptom | None:
    """Find an engine that comes near its memory limit."""
    percent, limit = sample.memory_percent, health.memory_warning_percent
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.MEMORY_HIGH, Severity.WARNING, f"memory is {percent:.1f} % of the container's limit (limit {limit:g} %)")


def errors_high(sample: Sample, health: Health) -> Symptom | None:
    """Find too many failed operations."""
    percent, limit = sample.error_percent, health.error_percent.high
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.ERRORS_HIGH, Severity.WARNING, f"{percent:.1f} % of operations failed (limit {limit:g} %)")


def cache_cold(sample: Sample, health: Health) -> Symptom | None:
    """Find caches that seldom have what is asked for."""
    percent, limit = sample.cache_hit_percent, health.cache_hit_percent.low
    if percent is None or percent >= limit:
        return None
    return Symptom(FindingReason.CACHE_COLD, Severity.INFO, f"cache hit ratio is {percent:.1f} % (limit {limit:g} %)")
