"""What is wrong with an engine now, and since when: an ordered tuple of checks, each of which knows one symptom.

A check looks at the whole situation and returns its symptom or None. What is not known is no symptom: only *Unknown*, which is for
the operator to tell from the age of what the report holds. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct

from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, Sample, Severity
from tradingbot_contract.spec import Health

STARTUP_GRACE_SECONDS: Final = 30.0
"""How long an engine may take from its start to its first answer, and a pod from the observer's start to an engine."""


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that a check may look at."""

    at: float
    health: Health
    observer_started_at: float
    process_started_at: float | None
    """When the engine process that is there now started; None: there is none, or processes can't be seen."""
    process_was_seen: bool
    """Whether this observer has ever seen an engine process."""
    process_has_answered: bool
    """Whether the process that is there now has ever answered."""
    last_answer_at: float | None
    engine: EngineStatus | None
    """The last answer."""
    sample: Sample | None
    """The newest sample."""
    document_error: str = ""
    """Why the observer's own document is not the one that it goes by; empty when it is."""

    @property
    def measured(self) -> Sample:
        """The newest sample, or one that knows nothing."""
        return self.sample or Sample(at=self.at)

    @property
    def answers(self) -> bool:
        """Whether the engine's last answer is fresh enough to be believed."""
        return self.last_answer_at is not None and self.at - self.last_answer_at <= self.health.silent_after_seconds


class Symptom(NamedTuple):
    """A finding without its history."""

    reason: FindingReason
    severity: Severity
    message: str


Check = Callable[[Situation], Symptom | None]


def engine_gone(now: Situation) -> Symptom | None:
    """Find that there is no engine process, though there was one or should be one by now."""
    if now.process_started_at is not None:
        return None
    if now.process_was_seen:
        return Symptom(FindingReason.ENGINE_GONE, Severity.CRITICAL, "there is no engine process any more")
    waited_seconds = now.at - now.observer_started_at
    if now.last_answer_at is None and waited_seconds > STARTUP_GRACE_SECONDS:
        message = f"there is no engine process, {waited_seconds:.0f} s after the observer started"
        return Symptom(FindingReason.ENGINE_GONE, Severity.CRITICAL, message)
    return None


def engine_silent(now: Situation) -> Symptom | None:
    """Find that an engine which is there does not answer."""
    if now.answers or engine_gone(now):
        return None
    if now.process_has_answered and now.last_answer_at is not None:
        silent_seconds, since = now.at - now.last_answer_at, "its last answer"
        allowed_seconds = now.health.silent_after_seconds
    else:
        silent_seconds, since = now.at - (now.process_started_at or now.observer_started_at), "its start"
        allowed_seconds = max(STARTUP_GRACE_SECONDS, now.health.silent_after_seconds)
    if silent_seconds <= allowed_seconds:
        return None
    message = f"the engine does not answer, {silent_seconds:.0f} s after {since} (limit {allowed_seconds:g} s)"
    return Symptom(FindingReason.ENGINE_SILENT, Severity.CRITICAL, message)


def document_refused(now: Situation) -> Symptom | None:
    """Find that the engine can't run its document, or that a changed document is not taken."""
    if now.answers and now.engine is not None and now.engine.state is EngineState.REFUSED:
        return Symptom(FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL, now.engine.message)
    if now.document_error:
        return Symptom(FindingReason.DOCUMENT_REFUSED, Severity.WARNING, now.document_error)
    return None


def feed_stale(now: Situation) -> Symptom | None:
    """Find that a bar is due and none was processed for too long."""
    if not now.answers or now.engine is None or not now.engine.feed_due:
        return None
    age_seconds = now.at - (now.engine.last_bar_at or now.engine.started_at)
    limit_seconds = now.health.stale_after_seconds
    if age_seconds <= limit_seconds:
        return None
    what = "last bar was processed" if now.engine.last_bar_at else "engine started without a bar"
    return Symptom(FindingReason.FEED_STALE, Severity.CRITICAL, f"the {what} {age_seconds:.0f} s ago (limit {limit_seconds:g} s)")


def score_low(now: Situation) -> Symptom | None:
    """Find a score below its limits."""
    score = now.measured.score
    if score is None:
        return None
    for limit, severity in ((now.health.score.critical, Severity.CRITICAL), (now.health.score.warning, Severity.WARNING)):
        if score < limit:
            return Symptom(FindingReason.SCORE_LOW, severity, f"score is {score:.0f} (limit {limit:g})")
    return None


def response_slow(now: Situation) -> Symptom | None:
    """Find slow answers."""
    seconds, limit = now.measured.response_p95_seconds, now.health.response_seconds.high
    if seconds is None or seconds <= limit:
        return None
    message = f"95th percentile of the time to answer is {seconds:.3f} s (limit {limit:g} s)"
    return Symptom(FindingReason.RESPONSE_SLOW, Severity.WARNING, message)


def cpu_high(now: Situation) -> Symptom | None:
    """Find an engine that needs much of a core."""
    percent, limit = now.measured.cpu_percent, now.health.cpu_percent.high
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.CPU_HIGH, Severity.WARNING, f"CPU is {percent:.1f} % of a core (limit {limit:g} %)")


def memory_high(now: Situation) -> Symptom | None:
    """Find an engine that comes near its memory limit."""
    percent, limit = now.measured.memory_percent, now.health.memory_warning_percent
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.MEMORY_HIGH, Severity.WARNING, f"memory is {percent:.1f} % of the container's limit (limit {limit:g} %)")


def errors_high(now: Situation) -> Symptom | None:
    """Find too many failed operations."""
    percent, limit = now.measured.error_percent, now.health.error_percent.high
    if percent is None or percent <= limit:
        return None
    return Symptom(FindingReason.ERRORS_HIGH, Severity.WARNING, f"{percent:.1f} % of operations failed (limit {limit:g} %)")


def cache_cold(now: Situation) -> Symptom | None:
    """Find caches that seldom have what is asked for."""
    percent, limit = now.measured.cache_hit_percent, now.health.cache_hit_percent.low
    if percent is None or percent >= limit:
        return None
    return Symptom(FindingReason.CACHE_COLD, Severity.INFO, f"cache hit ratio is {percent:.1f} % (limit {limit:g} %)")


CHECKS: Final[tuple[Check, ...]] = (
    engine_gone,
    engine_silent,
    document_refused,
    feed_stale,
    score_low,  # < 50 critical, < 60 warning
    response_slow,  # > 2 s
    cpu_high,  # > 80 %
    memory_high,  # > 85 %
    errors_high,  # > 5 %
    cache_cold,  # < 70 %
)

POSSIBLE: Final = (
    (FindingReason.ENGINE_GONE, Severity.CRITICAL),
    (FindingReason.ENGINE_SILENT, Severity.CRITICAL),
    (FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL),
    (FindingReason.DOCUMENT_REFUSED, Severity.WARNING),
    (FindingReason.FEED_STALE, Severity.CRITICAL),
    (FindingReason.SCORE_LOW, Severity.CRITICAL),
    (FindingReason.SCORE_LOW, Severity.WARNING),
    (FindingReason.RESPONSE_SLOW, Severity.WARNING),
    (FindingReason.CPU_HIGH, Severity.WARNING),
    (FindingReason.MEMORY_HIGH, Severity.WARNING),
    (FindingReason.ERRORS_HIGH, Severity.WARNING),
    (FindingReason.CACHE_COLD, Severity.INFO),
)
"""Every pair of reason and severity that the checks can return: the series that ``/metrics`` shows, at 0 or 1."""


def assess(now: Situation, before: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what is wrong now, in the order of the checks; a reason that was there before keeps its `since`."""
    since = {finding.reason: finding.since for finding in before}
    symptoms = (check(now) for check in CHECKS)
    return tuple(Finding(*symptom, since=since.get(symptom.reason, now.at)) for symptom in symptoms if symptom is not None)
