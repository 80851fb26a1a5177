"""Did the last step help? Helped, DidNotHelp, or not known yet.

It helped when what was wrong is gone and the engine trades for a while; it did not when the engine dies again before that, or when time
is up. An engine that came up and was then killed from outside was helped: that it is dead again is a new trouble, not the old one.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import EngineState, EngineStatus, FindingReason, Severity
from tradingbot_operator.bot_status import Decision
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import PLIGHTS, Plight, ended_by_itself, kubelet_waits
from tradingbot_operator.remediation.ladder import DELETING, Step
from tradingbot_operator.remediation.situation import Case, ShardSituation
from tradingbot_operator.timestamp import parse_time

SETTLED_SECONDS: Final = 10.0
"""For how long an engine that was dead, or did not answer, must trade again."""
RELIEVED_SECONDS: Final = 60.0
"""For how long an engine that traded badly must do so without what was wrong: some samples of the observer."""
PATIENCE_SECONDS: Final = 60.0
"""How long a step has to help an engine that is dead, at least."""
RELIEF_SECONDS: Final = 180.0
"""How long a step has to help one that trades, at least: findings go some samples after what they are about."""
PATIENCE_STARTS: Final = 3.0
"""And this many times what its slowest start of late took."""

SOONER_THAN_PROBES_SECONDS: Final = 4.0
"""An engine that hangs from its start on is killed by its liveness probe after 6 s at the earliest; times are whole seconds."""

_UP: Final = frozenset({EngineState.RUNNING, EngineState.FINISHED})


def pending(history: list[Decision], shards: tuple[ShardSituation, ...]) -> int | None:
    """Return the place in the history of the step of which it is not known yet whether it helped."""
    names = {shard.name for shard in shards}
    for place in reversed(range(len(history))):
        decision = history[place]
        if decision.action != Reason.DRY_RUN.value:
            return place if not decision.result and decision.shard in names else None
    return None


def judge(case: Case | None, shard: ShardSituation, decision: Decision, now: float) -> Reason | None:
    """Return whether a step helped, or None while that isn't known; there is no case while the shard has no pod."""
    time_is_up = now - parse_time(decision.time) >= _limit_seconds(shard, decision)
    if case is None or case.pod.terminating or (decision.action in DELETING and case.pod.uid == decision.pod_uid):
        return Reason.DID_NOT_HELP if time_is_up else None
    if has_died_anew(case):
        was_helped = kubelet_waits(case.pod.engine) and came_up(case) and not ended_by_itself(case.pod.engine.exit)
        return Reason.HELPED if was_helped else Reason.DID_NOT_HELP
    if _is_well(case, decision):
        wait_seconds = RELIEVED_SECONDS if _plight(decision) is Plight.ALIVE else SETTLED_SECONDS
        return Reason.HELPED if now - _well_since(case, decision) >= wait_seconds else None
    return Reason.DID_NOT_HELP if time_is_up else None


def has_died_anew(case: Case) -> bool:
    """Return whether the engine has ended since the last step: so that it stays down, or for its memory again."""
    exit_ = case.pod.engine.exit
    if exit_ is None or exit_.container_id == case.effort.answered:
        return False
    return kubelet_waits(case.pod.engine) or exit_.reason == Reason.OOM_KILLED.value


def trades(case: Case) -> bool:
    """Return whether the engine is up and answers."""
    return case.pod.ready and case.engine is not None and case.engine.state in _UP and not _is_unresponsive(case)


def _is_well(case: Case, decision: Decision) -> bool:
    if decision.action == Step.QUARANTINE.value:
        return case.engine is not None and case.engine.state is EngineState.FENCED and not _is_unresponsive(case)
    if kubelet_waits(case.pod.engine):
        return False
    if _plight(decision) is not Plight.ALIVE:
        # Without a report the kubelet's word that it is ready has to do.
        return trades(case) or (case.report is None and case.pod.ready)
    return trades(case) and case.lasts_seconds(FindingReason(decision.reason)) is None


def _well_since(case: Case, decision: Decision) -> float:
    began = (case.pod.engine.running_since, case.pod.ready_since, parse_time(decision.time))
    return max(moment for moment in began if moment is not None)


def came_up(case: Case) -> bool:
    """Return whether the engine in this pod has got so far as to trade before it ended, as far as its end lets that be known."""
    before = case.shard.before
    was_seen = (before.ready and before.pod_uid == case.pod.uid) or (case.engine is not None and _has_traded(case.engine))
    return was_seen or _was_killed_early(case)


def _was_killed_early(case: Case) -> bool:
    """Return whether it was killed sooner than the kubelet's probes ever do it: by somebody else, and before anybody could look."""
    engine = case.pod.engine
    is_from_outside = engine.exit is not None and not ended_by_itself(engine.exit)
    return is_from_outside and engine.ran_seconds is not None and engine.ran_seconds <= SOONER_THAN_PROBES_SECONDS


def _has_traded(engine: EngineStatus) -> bool:
    has_lasted = engine.heartbeat_at - engine.started_at >= SETTLED_SECONDS
    return engine.state in _UP and (engine.bars_this_run > 0 or has_lasted)


def _is_unresponsive(case: Case) -> bool:
    return any(
        case.lasts_seconds(reason, Severity.CRITICAL) is not None for reason in (FindingReason.ENGINE_SILENT, FindingReason.ENGINE_GONE)
    )


def _limit_seconds(shard: ShardSituation, decision: Decision) -> float:
    least = RELIEF_SECONDS if _plight(decision) is Plight.ALIVE else PATIENCE_SECONDS
    return max(least, PATIENCE_STARTS * (shard.before.start_seconds or 0.0))


def _plight(decision: Decision) -> Plight:
    return PLIGHTS[Reason(decision.reason)]
