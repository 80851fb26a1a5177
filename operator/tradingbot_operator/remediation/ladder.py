"""Which step comes next for a cause: the gentlest that makes sense and has not been tried.

A step that makes no sense is skipped: caches that are as small as they get, a memory limit without a ceiling or at it, models that are
not there. An engine that is dead or does not answer is restarted, then made anew on another node, then put in quarantine. One that
trades is never quarantined: when every step was tried, a person has to look.
"""

from __future__ import annotations

import enum
import math
from typing import Final

import msgspec

from tradingbot_contract.quantity import format_bytes, parse_bytes
from tradingbot_contract.resources import MemoryMode
from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import PLIGHTS, Plight, kubelet_waits
from tradingbot_operator.remediation.situation import Case, Cause
from tradingbot_operator.timestamp import format_time

CACHE_FLOOR_PERCENT: Final = 25
"""Caches are halved, and again; below this they would be of no use."""
GROWTH_FACTOR: Final = 1.2
GROWTH_BYTES: Final = 100 * 2**20
"""A memory limit grows by the factor and by this at least (the VPA's answer to an OOM kill)."""
_MIB: Final = 2**20


class Step(enum.Enum):
    """What the operator can do about a sick engine."""

    SHRINK_CACHES = "ShrinkCaches"
    GROW_MEMORY = "GrowMemory"
    LOWER_MEMORY_MODE = "LowerMemoryMode"
    RESTART_POD = "RestartPod"
    RECREATE_ELSEWHERE = "RecreateElsewhere"
    QUARANTINE = "Quarantine"


RESTARTS: Final = frozenset({Step.RESTART_POD.value, Step.RECREATE_ELSEWHERE.value})
"""Steps that count as restarts that did or did not help."""
DELETING: Final = RESTARTS | {Step.QUARANTINE.value}
"""Steps that delete the pod. Only an engine that does not answer is ever quarantined, so its pod goes, too: the next comes up fenced."""

LADDERS: Final = {
    Reason.OOM_KILLED: (Step.GROW_MEMORY, Step.SHRINK_CACHES, Step.LOWER_MEMORY_MODE),
    Reason.MEMORY_HIGH: (Step.SHRINK_CACHES, Step.GROW_MEMORY, Step.LOWER_MEMORY_MODE, Step.RESTART_POD),
    Reason.POOL_EXHAUSTED: (Step.RESTART_POD,),
    Reason.CRASH_LOOPING: (),
    Reason.ENGINE_GONE: (),
    Reason.ENGINE_SILENT: (),
}
"""What is tried first, in this order. What follows for an engine that does not answer is :func:`_restart_step`."""


def next_step(case: Case, cause: Cause) -> Step | None:
    """Return the next step, or None when nothing is left that makes sense."""
    found = next((step for step in LADDERS[cause.reason] if _makes_sense(step, case, cause)), None)
    if found is not None or PLIGHTS[cause.reason] is Plight.ALIVE:
        return found
    # The kubelet has already started an engine that was killed for its memory once.
    return _restart_step(case) if cause.reason is not Reason.OOM_KILLED or kubelet_waits(case.pod.engine) else None


def adjust(before: Adjustment, step: Step, case: Case) -> Adjustment:
    """Return what an engine is given in place of the spec once the step is taken."""
    since = format_time(case.now.now)
    match step:
        case Step.SHRINK_CACHES:
            return msgspec.structs.replace(before, cache_percent=_smaller_percent(before), since=since)
        case Step.GROW_MEMORY:
            return msgspec.structs.replace(before, memory_limit=format_bytes(_grown_limit(case)), since=since)
        case Step.LOWER_MEMORY_MODE:
            lower = _lower_mode(case)
            return msgspec.structs.replace(before, memory_mode=lower.value, since=since) if lower else before
        case Step.RECREATE_ELSEWHERE:
            return msgspec.structs.replace(before, avoid_node=case.pod.node, since=since)
        case Step.RESTART_POD | Step.QUARANTINE:
            return before


def describe_step(step: Step, case: Case) -> str:
    """Return what the step changes, for people."""
    match step:
        case Step.SHRINK_CACHES:
            return f"caches from {case.adjustment.cache_percent} % to {_smaller_percent(case.adjustment)} % of the spec's limits"
        case Step.GROW_MEMORY:
            return f"memory limit from {format_bytes(limit_bytes(case))} to {format_bytes(_grown_limit(case))}"
        case Step.LOWER_MEMORY_MODE:
            lower = _lower_mode(case)
            return f"memory mode from {_mode_now(case).value} to {lower.value if lower else _mode_now(case).value}"
        case Step.RESTART_POD:
            return f"a new pod in place of {case.pod.name}"
        case Step.RECREATE_ELSEWHERE:
            return f"a new pod in place of {case.pod.name}, away from node {case.pod.node}"
        case Step.QUARANTINE:
            return "the engine is fenced until the spec or the annotation tradingbot.dev/restart changes"


def limit_bytes(case: Case) -> int:
    """Return the memory limit that the engine has been given."""
    return parse_bytes(case.adjustment.memory_limit or case.now.bot.spec.engine.resources.limits.memory)


def _makes_sense(step: Step, case: Case, cause: Cause) -> bool:
    # An engine that is killed for its memory needs more until it has enough: the ceiling ends that, not the number of tries.
    if step.value in case.effort.steps and not (step is Step.GROW_MEMORY and cause.reason is Reason.OOM_KILLED):
        return False
    match step:
        case Step.SHRINK_CACHES:
            return case.adjustment.cache_percent > CACHE_FLOOR_PERCENT
        case Step.GROW_MEMORY:
            ceiling = case.rules.memory_ceiling
            # A change that the node has not made room for yet is not followed by the next.
            return ceiling is not None and not case.pod.resize.pending_reason and limit_bytes(case) < parse_bytes(ceiling)
        case Step.LOWER_MEMORY_MODE:
            return _lower_mode(case) is not None
        case _:
            return True


def _restart_step(case: Case) -> Step:
    restarts, allowed = case.effort.restarts, case.rules.quarantine_after
    if restarts >= allowed:
        return Step.QUARANTINE
    # Before it is given up the fault may be the node's.
    return Step.RECREATE_ELSEWHERE if 0 < restarts == allowed - 1 else Step.RESTART_POD


def _smaller_percent(adjustment: Adjustment) -> int:
    return max(CACHE_FLOOR_PERCENT, adjustment.cache_percent // 2)


def _grown_limit(case: Case) -> int:
    limit = limit_bytes(case)
    grown = math.ceil(max(limit * GROWTH_FACTOR, limit + GROWTH_BYTES) / _MIB) * _MIB
    return min(grown, parse_bytes(case.rules.memory_ceiling)) if case.rules.memory_ceiling else limit


def _mode_now(case: Case) -> MemoryMode:
    """Return the mode that the engine works in, or should."""
    told = case.engine.memory_mode if case.engine else case.shard.before.memory_mode
    return MemoryMode(told or case.adjustment.memory_mode or case.now.bot.spec.engine.memory_mode.value)


def _lower_mode(case: Case) -> MemoryMode | None:
    """Return the next mode that needs less memory; None where there is none, or no model at all."""
    models = case.now.bot.spec.prediction
    if models.finbert is None or _mode_now(case) is MemoryMode.MINIMAL:
        return None
    # Without a second model only giving up the first frees any.
    has_second = models.social is not None and _mode_now(case) is not MemoryMode.FINBERT_ONLY
    return MemoryMode.FINBERT_ONLY if has_second else MemoryMode.MINIMAL
