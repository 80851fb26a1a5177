"""How the last change of the spec reaches the engines: by which rung of the ladder, and whether it has arrived.

The rungs: the document that the engine follows live, memory and CPU changed in place, a restart. The least that does is taken; the
status shows the highest that the change has needed. It is applied when every engine has said that it runs this generation.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState
from tradingbot_operator.bot_status import TradingBotStatus, TuningRecord
from tradingbot_operator.conditions import FALSE, TRUE, UNKNOWN, Evidence, Saying
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resize import Resize
from tradingbot_operator.shard_view import ShardView

LIVE_DOCUMENT: Final = "LiveDocument"
IN_PLACE_RESIZE: Final = "InPlaceResize"
RESTART: Final = "Restart"
_RUNGS: Final = (LIVE_DOCUMENT, IN_PLACE_RESIZE, RESTART)


class Tuning(Struct, frozen=True, kw_only=True):
    """The condition TuningApplied, and the record that goes with it."""

    saying: Saying
    record: TuningRecord


def judge_tuning(evidence: Evidence, resizes: tuple[Resize, ...], before: TradingBotStatus) -> Tuning:
    """Return how far the last change is.

    Args:
        evidence: What is known of the bot.
        resizes: How far the size of each engine is.
        before: The status as written.
    """
    saying = _saying(evidence, resizes)
    record = TuningRecord(
        rung=_rung(evidence, resizes, before),
        generation=evidence.generation,
        message="" if saying.status is TRUE else saying.message[:1024],
    )
    return Tuning(saying=saying, record=record)


def _saying(evidence: Evidence, resizes: tuple[Resize, ...]) -> Saying:
    if evidence.absence is not None:
        return Saying(UNKNOWN, evidence.absence.reason, "there is no engine that could run it")
    stuck = next((resize for resize in resizes if resize.reason is not None), None)
    if stuck is not None and stuck.reason is not None:
        return Saying(FALSE, stuck.reason, stuck.message)
    under_way = next((resize for resize in resizes if resize.message), None)
    if under_way is not None:
        return Saying(FALSE, Reason.WAITING_FOR_ENGINE, under_way.message)
    late = next((saying for shard in evidence.shards if (saying := _lateness(shard, evidence))), None)
    return late or Saying(TRUE, Reason.TUNING_APPLIED, f"every engine runs generation {evidence.generation}")


def _lateness(shard: ShardView, evidence: Evidence) -> Saying | None:
    """Return why a shard's engine does not run what the resource says; None when it does."""
    if not evidence.is_current(shard):
        return Saying(FALSE, Reason.WAITING_FOR_ENGINE, f"{shard.name} needs a new pod")
    refusal = _refusal(shard)
    if refusal:
        return Saying(FALSE, Reason.DOCUMENT_REFUSED, f"{shard.name}: {refusal}")
    # Once said, it holds while nobody can ask: an engine never goes back to an earlier document by itself.
    runs = shard.engine.generation if shard.engine is not None else shard.before.config_generation
    if runs == evidence.generation:
        return None
    seen = f"runs generation {runs}" if runs is not None else "has not said what it runs"
    return Saying(FALSE, Reason.WAITING_FOR_ENGINE, f"{shard.name} {seen}")


def _refusal(shard: ShardView) -> str:
    """Return why the shard's engine does not take its document; empty when it does, or does not say."""
    if shard.engine is None:
        return ""
    return shard.engine.message if shard.engine.state is EngineState.REFUSED else shard.engine.document_refusal


def _rung(evidence: Evidence, resizes: tuple[Resize, ...], before: TradingBotStatus) -> str:
    """Return the highest rung that this generation has needed; none for the first, which changes nothing."""
    earlier = before.tuning
    if earlier.generation in {0, evidence.generation} and not earlier.rung and before.observed_generation in {0, evidence.generation}:
        is_first = not evidence.rollout.outdated
        if is_first:
            return ""
    needed = LIVE_DOCUMENT
    if any(resize.action is not None or resize.message for resize in resizes):
        needed = IN_PLACE_RESIZE
    if evidence.rollout.outdated:
        needed = RESTART
    known = [needed, earlier.rung] if earlier.generation == evidence.generation and earlier.rung else [needed]
    return max(known, key=_RUNGS.index)
