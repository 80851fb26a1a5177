"""Checks of the engine's process and of its main loop: is it there, does it answer, does it run its document, do bars come?"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import EngineState, FindingReason, Severity
from tradingbot_observer.symptoms import Situation, Symptom

STARTUP_GRACE_SECONDS: Final = 30.0
"""How long an engine may take from its start to its first answer, and a pod from the observer's start to an engine."""


def engine_gone(now: Situation) -> Symptom | None:
    """Find that there is no engine process, though there was one or should be one by now."""
    if now.process_started_at is not None:
        return None
    if now.process_was_seen:
        return Symptom(FindingReason.ENGINE_GONE, Severity.CRITICAL, "there is no engine process any more")
    if now.silent_seconds is None and now.watched_seconds > STARTUP_GRACE_SECONDS:
        message = f"there is no engine process, {now.watched_seconds:.0f} s after the observer started"
        return Symptom(FindingReason.ENGINE_GONE, Severity.CRITICAL, message)
    return None


def engine_silent(now: Situation) -> Symptom | None:
    """Find that an engine which is there does not answer."""
    if now.answers or engine_gone(now):
        return None
    if now.process_has_answered and now.silent_seconds is not None:
        silent_seconds, since = now.silent_seconds, "its last answer"
        allowed_seconds = now.health.silent_after_seconds
    else:
        silent_seconds, since = now.watched_seconds, "it was first asked"
        allowed_seconds = _allowed_before_first_answer(now)
    if silent_seconds <= allowed_seconds:
        return None
    message = f"the engine does not answer, {silent_seconds:.0f} s after {since} (limit {allowed_seconds:g} s)"
    return Symptom(FindingReason.ENGINE_SILENT, Severity.CRITICAL, message)


def _allowed_before_first_answer(now: Situation) -> float:
    """Return how long a process may leave this observer without an answer; one that was up long before it is not starting any more."""
    started_at = now.process_started_at
    if started_at is not None and now.at - started_at - now.watched_seconds > STARTUP_GRACE_SECONDS:
        return now.health.silent_after_seconds
    return max(STARTUP_GRACE_SECONDS, now.health.silent_after_seconds)


def document_refused(now: Situation) -> Symptom | None:
    """Find that the engine can't run its document, or that a changed document is not taken."""
    if now.told is not None and now.told.state is EngineState.REFUSED:
        return Symptom(FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL, now.told.message)
    if now.told is not None and now.told.document_refusal:
        message = f"{now.told.document_refusal}; the engine goes on with generation {now.told.generation}"
        return Symptom(FindingReason.DOCUMENT_REFUSED, Severity.WARNING, message)
    if now.document_error:
        return Symptom(FindingReason.DOCUMENT_REFUSED, Severity.WARNING, now.document_error)
    return None


def feed_stale(now: Situation) -> Symptom | None:
    """Find that a bar is due and none was processed for too long."""
    if now.told is None or not now.told.feed_due:
        return None
    begun_at = now.told.trading_since or now.told.started_at
    last_bar_at = now.told.last_bar_at or 0.0
    age_seconds = now.at - max(last_bar_at, begun_at)
    limit_seconds = now.health.stale_after_seconds
    if age_seconds <= limit_seconds:
        return None
    what = "last bar was processed" if last_bar_at >= begun_at else "engine began to trade without a bar"
    return Symptom(FindingReason.FEED_STALE, Severity.CRITICAL, f"the {what} {age_seconds:.0f} s ago (limit {limit_seconds:g} s)")
