"""What is still missing until a bot is as somebody asked for: each a function from what is known to a sentence, empty when it is so.

One that can't become so by waiting raises :class:`FailedError` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tradingbot_cli.bot_view import BotView
from tradingbot_cli.errors import FailedError
from tradingbot_operator.bot_status import Condition, ConditionStatus
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import PodFacts

_UP: Final = frozenset({"Running", "Finished", "Unhealthy"})
_PAUSED: Final = frozenset({"Paused", "Finished"})


def until_seen(bot: BotView) -> str:
    """Wait for the operator to look at the resource as it is now."""
    return "" if bot.is_current else f"the operator has not looked at generation {bot.generation} yet"


def until_state(bot: BotView, state: LifecycleState) -> str:
    """Wait for the engines to be as `lifecycle.state` says."""
    unseen = until_seen(bot)
    if unseen:
        return unseen
    _refuse_refused(bot)
    match state:
        case LifecycleState.STOPPED:
            is_so = bot.phase == "Stopped" and not bot.status.replicas
        case LifecycleState.PAUSED:
            is_so = bot.phase in _PAUSED and not until_tuned(bot)
        case LifecycleState.RUNNING:
            is_so = bot.phase in _UP and _is_true(bot, "Ready")
    return "" if is_so else f"{bot.phase}: {bot.status.message}"


def until_tuned(bot: BotView) -> str:
    """Wait for every engine to run what the resource says."""
    unseen = until_seen(bot)
    if unseen:
        return unseen
    _refuse_refused(bot)
    applied = bot.status.condition("TuningApplied")
    if applied is None or applied.observed_generation != bot.generation:
        return "nothing is said yet of how the change arrives"
    if applied.reason == Reason.DOCUMENT_REFUSED.value:
        raise FailedError(f"the engine refuses the change: {applied.message}")
    if applied.status is ConditionStatus.TRUE or applied.reason == Reason.STOPPED.value:
        return ""  # a bot without engines takes it at its next start
    return _with_progress(bot, applied.message)


def until_restarted(bot: BotView, pods: Sequence[PodFacts], before: Mapping[str, str]) -> str:
    """Wait for each pod of `before` (uid by name) to be another one, and ready."""
    unseen = until_seen(bot)
    if unseen:
        return unseen
    done = {pod.name for pod in pods if pod.name in before and pod.uid != before[pod.name] and pod.ready}
    if len(done) == len(before):
        return ""
    progressing = bot.status.condition("Progressing")
    if progressing is not None and progressing.reason == Reason.ROLLOUT_STALLED.value:
        raise FailedError(f"the restart does not get on: {progressing.message}")
    return _with_progress(bot, f"{len(done)} of {len(before)} engines restarted")


def _with_progress(bot: BotView, message: str) -> str:
    """Return the message with what a roll-out waits for."""
    progressing = bot.status.condition("Progressing")
    waits = progressing is not None and progressing.reason not in {Reason.UP_TO_DATE.value, Reason.ROLLING_OUT.value}
    return f"{message}; {progressing.message}" if progressing is not None and waits else message


def _refuse_refused(bot: BotView) -> None:
    accepted: Condition | None = bot.status.condition("Accepted")
    if bot.phase == "Refused" and accepted is not None:
        raise FailedError(f"it can't be run ({accepted.reason}): {accepted.message}")


def _is_true(bot: BotView, kind: str) -> bool:
    condition = bot.status.condition(kind)
    return condition is not None and condition.status is ConditionStatus.TRUE
