"""What is wrong with an engine that the operator may do something about: at most one cause at a time, the worst first.

Only what is known is a cause. No report, an old one, a refused document, a database, feed or venue that is gone: a restart helps none
of them, so none of them is here. What follows from a database that is gone (a pool that stays exhausted) is no cause either.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final

from tradingbot_contract.report import FindingReason, Severity
from tradingbot_operator.bot_status import EngineExit
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.situation import Case, Cause
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import ContainerFacts

CRASH_LOOP: Final = "CrashLoopBackOff"
KUBELET_FORGETS_SECONDS: Final = 600.0
"""The kubelet starts an engine that ran for longer than this at once, however often one has died in the pod before (twice its longest
pause). For the same time an OOM kill is news, as for the VPA, and an engine that ends by itself again has not been helped."""
LASTING_SECONDS: Final = 60.0
"""For how long memory must be high, or a pool exhausted, before anything is done about it."""

_OUTSIDE: Final = frozenset({128 + 9, 128 + 15})
"""Exit codes of SIGKILL and SIGTERM. An engine sends neither to itself."""


class Plight(enum.Enum):
    """How badly off an engine is: it decides which brakes hold."""

    DEAD = 0
    """It does not run, or was killed for its memory. Nothing that a restart could disturb."""
    HUNG = 1
    """It runs, or should, and does not answer."""
    ALIVE = 2
    """It trades, badly."""


PLIGHTS: Final = {
    Reason.CRASH_LOOPING: Plight.DEAD,
    Reason.OOM_KILLED: Plight.DEAD,
    Reason.ENGINE_GONE: Plight.HUNG,
    Reason.ENGINE_SILENT: Plight.HUNG,
    Reason.MEMORY_HIGH: Plight.ALIVE,
    Reason.POOL_EXHAUSTED: Plight.ALIVE,
}
"""Every cause there is."""


def kubelet_waits(engine: ContainerFacts) -> bool:
    """Return whether the engine has ended and the kubelet lets it wait before it starts it again, or is about to.

    The first time that a container dies in a pod, the kubelet starts it at once; from the second time on it waits 10 s, 20 s, up to
    five minutes. That is known from the moment of the second death, before the kubelet says CrashLoopBackOff.
    """
    if engine.waiting_reason == CRASH_LOOP:
        return True
    has_ended = engine.exit is not None and engine.running_since is None and not engine.waiting_reason
    return has_ended and engine.restarts > 0 and (engine.ran_seconds is None or engine.ran_seconds < KUBELET_FORGETS_SECONDS)


def ended_by_itself(exit_: EngineExit | None) -> bool:
    """Return whether an engine's end was its own doing, memory included, and not a signal from outside."""
    return exit_ is not None and (exit_.reason == Reason.OOM_KILLED.value or exit_.exit_code not in _OUTSIDE)


def oom_killed(case: Case) -> Cause | None:
    """The kernel ended it for its memory, lately, and nothing has been done about that yet. It may run again."""
    exit_ = case.pod.engine.exit
    if exit_ is None or exit_.reason != Reason.OOM_KILLED.value:
        return None
    is_news = exit_.container_id != case.effort.answered and _seconds_since(exit_, case.now.now) < KUBELET_FORGETS_SECONDS
    if not is_news and not kubelet_waits(case.pod.engine):
        return None
    return Cause(Reason.OOM_KILLED, f"the kernel ended the engine in pod {case.pod.name}: it needed more memory than its limit")


def crash_looping(case: Case) -> Cause | None:
    """It died again in this pod. The kubelet's word is enough: no report is needed."""
    return Cause(Reason.CRASH_LOOPING, describe_crash(case.pod.name, case.pod.engine)) if kubelet_waits(case.pod.engine) else None


def engine_gone(case: Case) -> Cause | None:
    """The observer finds no engine process."""
    return _critical(case, FindingReason.ENGINE_GONE)


def engine_silent(case: Case) -> Cause | None:
    """The observer gets no answer from the engine."""
    return _critical(case, FindingReason.ENGINE_SILENT)


def memory_high(case: Case) -> Cause | None:
    """The observer finds memory high, sample after sample."""
    return _lasting(case, FindingReason.MEMORY_HIGH, case.lasts_seconds(FindingReason.MEMORY_HIGH))


def pool_exhausted(case: Case) -> Cause | None:
    """Somebody waits for a connection although the database answers."""
    lasts = case.lasts_seconds(FindingReason.POOL_EXHAUSTED)
    if lasts is None or case.report is None or case.lasts_seconds(FindingReason.DATABASE_DOWN) is not None:
        return None
    databases = [dependency for dependency in (case.engine.dependencies if case.engine else ()) if dependency.name == "database"]
    if not all(database.up for database in databases):
        return None
    # A pool that was exhausted because the database was gone has as long to recover once it is back.
    up_for = min((case.report.observed_at - database.since for database in databases), default=lasts)
    return _lasting(case, FindingReason.POOL_EXHAUSTED, min(lasts, up_for))


CAUSES: Final[tuple[Callable[[Case], Cause | None], ...]] = (
    oom_killed,
    crash_looping,
    engine_gone,
    engine_silent,
    memory_high,
    pool_exhausted,
)


def find_cause(case: Case) -> Cause | None:
    """Return what is wrong with the engine, or None. A pod that is on its way out, or has ended for good, is replaced anyway."""
    if case.pod.terminating or case.pod.failed:
        return None
    return next((cause for check in CAUSES if (cause := check(case))), None)


def describe_crash(pod: str, engine: ContainerFacts) -> str:
    """Return what is known about an engine that died again and again."""
    died = f", last {engine.exit.reason} with exit code {engine.exit.exit_code}" if engine.exit else ""
    return f"the engine died {engine.restarts + 1} times in pod {pod}{died}; the kubelet waits before it starts it"


def _critical(case: Case, reason: FindingReason) -> Cause | None:
    found = [finding for finding in (case.report.findings if case.report else ()) if finding.reason is reason]
    worst = next((finding for finding in found if finding.severity is Severity.CRITICAL), None)
    return Cause(Reason(reason.value), worst.message) if worst else None


def _lasting(case: Case, reason: FindingReason, lasts_seconds: float | None) -> Cause | None:
    if lasts_seconds is None or lasts_seconds < LASTING_SECONDS or case.report is None:
        return None
    message = next(finding.message for finding in case.report.findings if finding.reason is reason)
    return Cause(Reason(reason.value), f"{message}, for {lasts_seconds:.0f} s")


def _seconds_since(exit_: EngineExit, now: float) -> float:
    return now - parse_time(exit_.finished_at) if exit_.finished_at else float("inf")
