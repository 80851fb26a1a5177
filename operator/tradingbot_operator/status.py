"""What the bot's status should say, from what is known and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tradingbot_contract.quantity import format_bytes_rounded
from tradingbot_contract.report import EngineStatus, ObserverReport
from tradingbot_operator.bot_status import (
    Budget,
    Decision,
    FoundFinding,
    HealthSummary,
    Phase,
    RemediationRecord,
    Trading,
    TradingBotStatus,
)
from tradingbot_operator.conditions import FALSE, Evidence, Saying, accepted, healthy, progressing, settle
from tradingbot_operator.health import Verdict
from tradingbot_operator.phase import Scene, tell_phase
from tradingbot_operator.readiness import ready
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.shards import build_shard
from tradingbot_operator.timestamp import format_time

_SHOWN_SYMBOLS: Final = 4
_SHOWN_FINDINGS: Final = 16


class Findings(Struct, frozen=True, kw_only=True):
    """Everything that the status is made from."""

    bot: TradingBot
    before: TradingBotStatus
    evidence: Evidence
    report: ObserverReport | None
    history: tuple[Decision, ...]
    budget: Budget
    given_up: str
    """Why a sick engine is left as it is; empty when it isn't."""
    now: float


def build_status(findings: Findings) -> TradingBotStatus:
    """Return the whole status."""
    before, evidence, bot = findings.before, findings.evidence, findings.bot
    sayings: Mapping[str, Saying] = {
        "Accepted": accepted(evidence, before),
        "Ready": ready(evidence),
        "Healthy": healthy(evidence),
        "Progressing": progressing(evidence),
    }
    conditions = [settle(kind, saying, before, generation=evidence.generation, now=findings.now) for kind, saying in sayings.items()]
    phase, message = tell_phase(Scene(sayings=sayings, evidence=evidence, given_up=findings.given_up, symbols=len(bot.spec.market.symbols)))
    shard = build_shard(bot, before, evidence, findings.history)
    return TradingBotStatus(
        observed_generation=evidence.generation,
        phase=phase,
        message=message[:1024],
        symbols=_symbol_line(bot.spec.market.symbols),
        memory=_memory(findings.report) or before.memory,
        restarts=shard.restarts,
        conditions=conditions,
        shards=[shard],
        health=_health_summary(findings.report, evidence.verdict),
        remediation=RemediationRecord(history=list(findings.history), budget=findings.budget),
        trading=_trading(evidence.engine, findings.now) or before.trading,
    )


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


def _health_summary(report: ObserverReport | None, verdict: Verdict) -> HealthSummary:
    return HealthSummary(
        score=round(report.score) if report is not None and report.score is not None else None,
        findings=[
            FoundFinding(
                reason=finding.reason.value,
                severity=finding.severity.value,
                message=finding.message[:1024],
                since=format_time(finding.since),
            )
            for finding in verdict.findings[:_SHOWN_FINDINGS]
        ],
    )


def _trading(engine: EngineStatus | None, now: float) -> Trading | None:
    if engine is None or engine.equity is None:
        return None
    return Trading(
        at=format_time(now),
        equity=round(engine.equity, 2),
        currency=engine.currency[:64],
        bars=engine.bars,
        fills=engine.fills,
        open_positions=engine.open_positions,
        open_orders=engine.open_orders,
        unknown_orders=engine.unknown_orders,
    )


def _memory(report: ObserverReport | None) -> str:
    sample = report.sample if report else None
    if sample is None or sample.memory_bytes is None:
        return ""
    used = f"{round(sample.memory_bytes / 2**20)}Mi"
    return f"{used}/{format_bytes_rounded(sample.memory_limit_bytes)}" if sample.memory_limit_bytes else used


def _symbol_line(symbols: list[str]) -> str:
    more = f",+{len(symbols) - _SHOWN_SYMBOLS}" if len(symbols) > _SHOWN_SYMBOLS else ""
    return ",".join(symbols[:_SHOWN_SYMBOLS]) + more
