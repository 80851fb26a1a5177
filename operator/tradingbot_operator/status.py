"""What the bot's status should say, from what is known and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tradingbot_operator.bot_status import Phase, RemediationRecord, TradingBotStatus
from tradingbot_operator.conditions import FALSE, Evidence, Saying, accepted, healthy, progressing, settle
from tradingbot_operator.figures import show_health, show_memory, show_trading
from tradingbot_operator.names import selector_labels
from tradingbot_operator.ownership import Ownership
from tradingbot_operator.phase import Scene, tell_phase
from tradingbot_operator.readiness import ready
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Outcome
from tradingbot_operator.resize import Resize
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.shards import Share, build_shard
from tradingbot_operator.tuning import judge_tuning

_SHOWN_SYMBOLS: Final = 4


class Findings(Struct, frozen=True, kw_only=True):
    """Everything that the status is made from."""

    bot: TradingBot
    before: TradingBotStatus
    evidence: Evidence
    shares: tuple[tuple[ShardView, Share], ...]
    """Every shard that has a grant, with what was decided for it."""
    resizes: tuple[Resize, ...]
    record: RemediationRecord
    ownership: Ownership
    pods: int
    """Pods that there are."""
    outcomes: tuple[Outcome, ...]
    """What became of sick engines."""
    now: float


def build_status(findings: Findings) -> TradingBotStatus:
    """Return the whole status."""
    before, evidence, bot = findings.before, findings.evidence, findings.bot
    tuning = judge_tuning(evidence, findings.resizes, before)
    sayings: Mapping[str, Saying] = {
        "Accepted": accepted(evidence, before),
        "Ready": ready(evidence),
        "Healthy": healthy(evidence),
        "TuningApplied": tuning.saying,
        "Progressing": progressing(evidence),
    }
    conditions = [settle(kind, saying, before, generation=evidence.generation, now=findings.now) for kind, saying in sayings.items()]
    scene = Scene(sayings=sayings, evidence=evidence, held=_held(findings.outcomes), symbols=len(bot.spec.market.symbols))
    phase, message = tell_phase(scene)
    shards = [build_shard(shard, share, tuple(findings.record.history)) for shard, share in findings.shares]
    gone = {shard.name for shard in before.shards} - {shard.name for shard in shards}
    return TradingBotStatus(
        observed_generation=evidence.generation,
        phase=phase,
        message=message[:1024],
        symbols=_symbol_line(bot.spec.market.symbols),
        memory=show_memory(evidence.shards) or before.memory,
        # What engines had that are gone for good is in the sum, and nowhere else.
        restarts=sum(shard.restarts for shard in shards) + _restarts_of_former(before) + _sum_restarts(before, gone),
        conditions=conditions,
        shards=shards,
        health=show_health(evidence.shards),
        remediation=findings.record,
        tuning=tuning.record,
        trading=show_trading(evidence.shards, findings.now) or before.trading,
        replicas=findings.pods,
        selector=",".join(f"{name}={value}" for name, value in selector_labels(bot).items()),
        account=findings.ownership.account,
        claimed=list(findings.ownership.claimed),
    )


def _held(outcomes: tuple[Outcome, ...]) -> Outcome | None:
    """Return the first sick engine that is left as it is for a reason that people should hear of."""
    return next((outcome for outcome in outcomes if outcome.hold is not None and outcome.hold.reason is not None), None)


def _restarts_of_former(before: TradingBotStatus) -> int:
    """Return the restarts of engines that are not in the status any more."""
    return max(0, before.restarts - sum(shard.restarts for shard in before.shards))


def _sum_restarts(status: TradingBotStatus, names: set[str]) -> int:
    return sum(shard.restarts for shard in status.shards if shard.name in names)


def build_refused_status(before: TradingBotStatus, *, generation: int, message: str, now: float) -> TradingBotStatus:
    """Return the status of a resource that can't be read: only that, and everything else as it was."""
    saying = Saying(FALSE, Reason.SPEC_INVALID, message)
    refused = settle("Accepted", saying, before, generation=generation, now=now)
    others = [condition for condition in before.conditions if condition.type != "Accepted"]
    fields = {name: getattr(before, name) for name in TradingBotStatus.__struct_fields__}
    changes = {
        "observed_generation": generation,
        "phase": Phase.REFUSED,
        "message": message[:1024],
        "conditions": [refused, *others],
    }
    return TradingBotStatus(**(fields | changes))


def _symbol_line(symbols: list[str]) -> str:
    more = f",+{len(symbols) - _SHOWN_SYMBOLS}" if len(symbols) > _SHOWN_SYMBOLS else ""
    return ",".join(symbols[:_SHOWN_SYMBOLS]) + more
