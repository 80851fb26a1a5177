"""What can be made of an observer's answers over time: a fresh report, or why there is none.

Freshness is measured by the operator's own clock: when an answer came, and when the time inside the answers last moved on. Clocks
of nodes need not agree.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tradingbot_contract.report import EngineStatus, ObserverReport, Severity
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import ReportView

FRESH_SECONDS: Final = 15.0
"""How old the last answer may be."""
MOVING_SECONDS: Final = 30.0
"""How long an observer may answer the same before it counts as stuck."""


STARTING_SECONDS: Final = 1.0
"""A sample that is taken sooner after an engine's start shows an interpreter that has not loaded anything yet."""
_END_OF_TIME: Final = 253_402_300_800.0
"""The year 10000, in seconds since the epoch: what calendars can't show."""
_COUNTS: Final = ("generation", "bars", "fills", "open_positions", "open_orders", "unknown_orders")


class Target(Struct, frozen=True):
    """Whom to ask."""

    namespace: str
    bot: str
    pod: str
    uid: str
    ip: str


class Answers(Struct, frozen=True, kw_only=True):
    """What a target has answered so far. Times are of the operator's monotonic clock."""

    since: float
    """When it became known."""
    report: ObserverReport | None = None
    answered_at: float | None = None
    """When the last good answer came."""
    moved_at: float | None = None
    """When the time inside the report last moved on."""
    error: str = ""
    """Why the last try failed; empty when it did not."""
    invalid: bool = False
    """Whether it failed because the answer can't be understood or is another's."""


def parse_report(body: bytes, target: Target) -> ObserverReport:
    """Return the report of a target.

    Raises:
        ValueError: it can't be understood, or is of another pod: addresses are given anew.
    """
    try:
        report = msgspec.json.decode(body, type=ObserverReport)
    except RecursionError as error:
        raise ValueError("the report is nested too deeply") from error
    wrong = implausible(report)
    if wrong:
        raise ValueError(f"the report's {wrong} can't be")
    if (report.namespace, report.bot, report.pod_uid) != (target.namespace, target.bot, target.uid):
        raise ValueError(f"the report is of {report.namespace}/{report.bot}, pod {report.pod_uid}")
    return report


def implausible(report: ObserverReport) -> str:
    """Return the name of a figure that no observer of ours would give; a status with it would be refused."""
    engine = report.engine
    counts = {} if engine is None else {name: getattr(engine, name) for name in _COUNTS}
    checks = {
        "score": report.score is None or 0.0 <= report.score <= 100.0,
        "findings": all(0.0 <= finding.since < _END_OF_TIME for finding in report.findings),
        "time": 0.0 <= report.observed_at < _END_OF_TIME,
        **{name: 0 <= count < 2**63 for name, count in counts.items()},
    }
    return next((name for name, plausible in checks.items() if not plausible), "")


def add_report(before: Answers, report: ObserverReport, *, now: float) -> Answers:
    """Return what is known after a good answer."""
    moved = (
        before.report is None
        or report.observed_at > before.report.observed_at
        or report.observer_started_at != before.report.observer_started_at
    )
    return Answers(since=before.since, report=report, answered_at=now, moved_at=now if moved else before.moved_at)


def add_failure(before: Answers, error: str, *, invalid: bool) -> Answers:
    """Return what is known after a try that failed."""
    return replace(before, error=error, invalid=invalid)


def build_view(answers: Answers, *, now: float) -> ReportView:
    """Return the report if it is fresh, else why there is none."""
    if answers.answered_at is None or answers.moved_at is None or answers.report is None:
        if answers.invalid:
            return ReportView(missing=Reason.REPORT_INVALID, detail=answers.error)
        if now - answers.since <= FRESH_SECONDS:
            return ReportView(missing=Reason.NOT_STARTED, detail="the observer has not answered yet")
        return ReportView(missing=Reason.OBSERVER_UNREACHABLE, detail=f"it has never answered: {answers.error}")
    if now - answers.answered_at > FRESH_SECONDS:
        missing = Reason.REPORT_INVALID if answers.invalid else Reason.OBSERVER_UNREACHABLE
        return ReportView(missing=missing, detail=f"no good answer for {now - answers.answered_at:.0f} s: {answers.error}")
    if now - answers.moved_at > MOVING_SECONDS:
        return ReportView(missing=Reason.REPORT_STALE, detail=f"the observer has answered the same for {now - answers.moved_at:.0f} s")
    return ReportView(report=answers.report)


def is_calm(view: ReportView) -> bool:
    """Return whether a target needs no more than the usual attention."""
    report = view.report
    if report is None or report.engine is None or report.score is None:
        return False
    return not any(finding.severity is Severity.CRITICAL for finding in report.findings)


def knows_memory(report: ObserverReport) -> bool:
    """Return whether the report has a figure for memory that says something about the engine."""
    sample, engine = report.sample, report.engine
    if sample is None or sample.memory_bytes is None:
        return False
    return engine is None or sample.at - engine.started_at >= STARTING_SECONDS


def fingerprint(view: ReportView, *, closely: bool = False) -> tuple[object, ...]:
    """Return what must change in a view for its bot to be worth a look; `closely`: also for what only matters while somebody waits."""
    report = view.report
    if report is None:
        return (view.missing,)
    engine = report.engine
    return (
        None,
        *((finding.reason, finding.severity, finding.since) for finding in report.findings),
        report.score is None,
        knows_memory(report),
        _engine_fingerprint(engine, closely=closely) if engine else None,
    )


def _engine_fingerprint(engine: EngineStatus, *, closely: bool) -> tuple[object, ...]:
    state = (engine.state, engine.message, engine.generation, engine.document_refusal, engine.revision, engine.grant, engine.activity)
    trading = (engine.symbols, engine.equity is None, engine.unknown_orders, engine.memory_mode)
    # An engine that trades opens and closes all the time; only a bot that waits for the end of it wants to know.
    waited_for = (engine.busy_symbols, engine.open_positions, engine.open_orders) if closely else ()
    return (*state, *trading, *waited_for)


def acknowledges(view: ReportView, generation: int) -> bool:
    """Return whether the engine says that it runs a generation or a later one, or that it can't."""
    engine = view.report.engine if view.report else None
    if engine is None:
        return False
    return engine.generation >= generation or (engine.refused_generation is not None and engine.refused_generation >= generation)
