"""What is known of all pods over several rounds of queries to a Prometheus: a fresh report of each, or why there is none.

How old a report is says Prometheus, by its own clock: the age of the sample at the moment of the query. Whether an observer moves on
is judged by its own time, as for one that is asked directly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tradingbot_contract.report import ObserverReport
from tradingbot_operator.metrics_sources.report_view import MOVING_SECONDS
from tradingbot_operator.metrics_sources.series import Reading, Round
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import ReportView


class Heard(Struct, frozen=True, kw_only=True):
    """What is known of one pod over several rounds. Times are of the operator's monotonic clock."""

    report: ObserverReport
    said_at: float
    """When the observer said it: the round's time, less the age."""
    moved_at: float
    """When the time inside the report last moved on."""


class Known(Struct, frozen=True, kw_only=True):
    """What is known of all pods."""

    pods: Mapping[str, Heard] = {}
    broken: Mapping[str, str] = {}
    answered_at: float | None = None
    """When the last round that succeeded was, by the operator's monotonic clock."""
    error: str = ""
    """Why the last round failed; empty when it did not."""


def take_round(before: Known, found: Round, *, now: float) -> Known:
    """Return what is known after a round that succeeded. A pod that it does not name keeps its last report, which gets old."""
    pods = dict(before.pods)
    for uid, reading in found.readings.items():
        pods[uid] = _hear(pods.get(uid), reading, now=now)
    return Known(pods=pods, broken=found.broken, answered_at=now)


def take_failure(before: Known, error: str) -> Known:
    """Return what is known after a round that failed."""
    return replace(before, error=error)


def build_known_view(known: Known, pod_uid: str, *, now: float, max_age_seconds: float) -> ReportView:
    """Return a pod's report if it is fresh, else why there is none.

    Args:
        known: what is known of all pods.
        pod_uid: of which it is asked.
        now: by the operator's monotonic clock.
        max_age_seconds: how old a report may be: some scrapes.
    """
    silent = known.answered_at is None or now - known.answered_at > max_age_seconds
    heard = known.pods.get(pod_uid)
    age_seconds = math.inf if heard is None else now - heard.said_at
    if known.error and (silent or max_age_seconds < age_seconds < math.inf):
        return ReportView(missing=Reason.PROMETHEUS_UNREACHABLE, detail=known.error)
    if pod_uid in known.broken:
        return ReportView(missing=Reason.REPORT_INVALID, detail=known.broken[pod_uid])
    if heard is None:
        return ReportView(missing=Reason.NOT_STARTED, detail="Prometheus has nothing of its observer yet")
    if age_seconds > max_age_seconds:
        return ReportView(missing=Reason.OBSERVER_UNREACHABLE, detail=f"Prometheus last scraped its observer {age_seconds:.0f} s ago")
    still_seconds = now - heard.moved_at
    if still_seconds > max_age_seconds + MOVING_SECONDS:
        return ReportView(missing=Reason.REPORT_STALE, detail=f"the observer has said the same for {still_seconds:.0f} s")
    return ReportView(report=heard.report)


def _hear(before: Heard | None, reading: Reading, *, now: float) -> Heard:
    report, said_at = reading.report, now - reading.age_seconds
    moved = (
        before is None or report.observed_at > before.report.observed_at or report.observer_started_at != before.report.observer_started_at
    )
    return Heard(report=report, said_at=said_at, moved_at=now if before is None or moved else before.moved_at)
