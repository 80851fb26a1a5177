"""What has been tried for an engine, and when that is forgotten.

Steps in a row that did not help make the pause before the next longer, and restarts among them lead to quarantine. The count begins
anew with the next trouble after a step that helped, but not when the engine ends by itself again within ten minutes: then the step only
put it off. An engine that was killed from outside is none that a restart did not help.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tradingbot_operator.bot_status import Decision, Effort
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.causes import KUBELET_FORGETS_SECONDS, PLIGHTS, Plight, ended_by_itself
from tradingbot_operator.remediation.ladder import RESTARTS
from tradingbot_operator.remediation.results import came_up
from tradingbot_operator.remediation.situation import Case, Cause
from tradingbot_operator.timestamp import parse_time

MINIMUM_HEALTHY_SECONDS: Final = 3600.0
"""After this time of health nothing of what was tried counts any more (as in Cluster API's control planes)."""


def after_step(effort: Effort, decision: Decision, answered: str) -> Effort:
    """Return what has been tried once a step is decided; `answered` is the container whose end it is about."""
    steps = [*(step for step in effort.steps if step != decision.action), decision.action]
    return msgspec.structs.replace(effort, steps=steps, at=decision.time, helped=False, answered=answered or effort.answered)


def after_result(effort: Effort, decision: Decision, result: Reason, answered: str) -> Effort:
    """Return what has been tried once it is known whether a step helped; `answered` is the container whose end showed it."""
    answered = answered or effort.answered
    if result is Reason.HELPED:
        return msgspec.structs.replace(effort, helped=True, answered=answered)
    return _one_more(msgspec.structs.replace(effort, answered=answered), was_restart=decision.action in RESTARTS)


def at_new_trouble(effort: Effort, case: Case, cause: Cause) -> Effort:
    """Return what counts as tried when there is a cause, which may be another than the one that it was tried for."""
    is_dead, is_own_doing = PLIGHTS[cause.reason] is Plight.DEAD, ended_by_itself(case.pod.engine.exit)
    # One that came up by itself, in a pause, and was then killed from outside has been well meanwhile.
    is_new_end = case.ended_container not in {"", effort.answered}
    if not effort.helped and not (is_dead and is_new_end and not is_own_doing and came_up(case)):
        return effort
    if is_dead and is_own_doing and case.now.now - parse_time(effort.at) < KUBELET_FORGETS_SECONDS:
        return _one_more(effort, was_restart=bool(effort.steps) and effort.steps[-1] in RESTARTS)
    return Effort(shard=effort.shard, answered=effort.answered, at=effort.at)


def is_forgotten(effort: Effort, case: Case) -> bool:
    """Return whether an engine without a cause has been well for long enough."""
    ready_since, long_ago = case.pod.ready_since, case.now.now - MINIMUM_HEALTHY_SECONDS
    is_well = case.pod.ready and not case.pod.terminating and ready_since is not None and ready_since <= long_ago
    return is_well and (not effort.at or parse_time(effort.at) <= long_ago)


def _one_more(effort: Effort, *, was_restart: bool) -> Effort:
    return msgspec.structs.replace(effort, failures=effort.failures + 1, restarts=effort.restarts + (1 if was_restart else 0), helped=False)
