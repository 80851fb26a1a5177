"""How adjustments go back to what the spec says.

Caches, memory mode and the node to keep away from go back one step an hour after the last change, while the engine is known to have had
no trouble with its memory. A memory limit that was raised stays: lowering it again would only kill the engine at its next peak. It goes
when the user has taken it over (the spec's limit is not lower), or no longer wants it (the ceiling is below it) and it is not needed.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tradingbot_contract.quantity import format_bytes, parse_bytes
from tradingbot_contract.report import FindingReason
from tradingbot_contract.resources import MemoryMode
from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.situation import ShardSituation, Situation
from tradingbot_operator.timestamp import format_time, parse_time

RELAX_SECONDS: Final = 3600.0
USED_AT_MOST: Final = 0.7
"""Share of a lower limit that the engine may use when it is given that limit: more, and the next peak kills it."""


def relax(now: Situation, shard: ShardSituation) -> Adjustment | None:
    """Return what is left of an engine's adjustment; None when there is none."""
    before = shard.before.adjustment
    if before is None:
        return None
    adjustment = _drop_limit(before, now, shard)
    if _is_due(before, now.now):
        adjustment = msgspec.structs.replace(adjustment, avoid_node="")
        if _memory_is_well(now, shard):
            adjustment = msgspec.structs.replace(
                adjustment,
                cache_percent=min(100, adjustment.cache_percent * 2),
                memory_mode=_higher_mode(adjustment.memory_mode, now),
            )
    if adjustment == before:
        return before
    return None if _is_nothing(adjustment) else msgspec.structs.replace(adjustment, since=format_time(now.now))


def relaxes_in(adjustment: Adjustment | None, now: float) -> float:
    """Return the seconds until an adjustment may go back a step; infinity when there is nothing to go back, or it is due and waits."""
    goes_back = adjustment is not None and (adjustment.cache_percent < 100 or adjustment.memory_mode or adjustment.avoid_node)
    if adjustment is None or not goes_back or _is_due(adjustment, now):
        return float("inf")
    return parse_time(adjustment.since) + RELAX_SECONDS - now


def _drop_limit(adjustment: Adjustment, now: Situation, shard: ShardSituation) -> Adjustment:
    if not adjustment.memory_limit:
        return adjustment
    wanted = parse_bytes(now.bot.spec.engine.resources.limits.memory)
    ceiling = max(wanted, parse_bytes(now.rules.memory_ceiling)) if now.rules.memory_ceiling else wanted
    granted = parse_bytes(adjustment.memory_limit)
    if wanted >= granted:
        return msgspec.structs.replace(adjustment, memory_limit="")
    used = shard.view.report.sample.memory_bytes if shard.view.report and shard.view.report.sample else None
    if granted <= ceiling or used is None or used > ceiling * USED_AT_MOST:
        return adjustment
    return msgspec.structs.replace(adjustment, memory_limit=format_bytes(ceiling) if ceiling > wanted else "")


def _is_due(adjustment: Adjustment, now: float) -> bool:
    return not adjustment.since or now - parse_time(adjustment.since) >= RELAX_SECONDS


def _memory_is_well(now: Situation, shard: ShardSituation) -> bool:
    """Return whether memory is known to be no trouble, and to have been none for the time."""
    report = shard.view.report
    if report is None or shard.pod is None or any(finding.reason is FindingReason.MEMORY_HIGH for finding in report.findings):
        return False
    exit_ = shard.pod.engine.exit
    was_killed = exit_ is not None and exit_.reason == Reason.OOM_KILLED.value and exit_.finished_at
    return not (exit_ and was_killed and now.now - parse_time(exit_.finished_at) < RELAX_SECONDS)


def _higher_mode(mode: str, now: Situation) -> str:
    """Return the mode one step up; empty when that is the spec's."""
    spec = now.bot.spec
    has_step_between = spec.engine.memory_mode in {MemoryMode.AUTO, MemoryMode.FULL} and spec.prediction.social is not None
    return MemoryMode.FINBERT_ONLY.value if mode == MemoryMode.MINIMAL.value and has_step_between else ""


def _is_nothing(adjustment: Adjustment) -> bool:
    return msgspec.structs.replace(adjustment, since="") == Adjustment()
