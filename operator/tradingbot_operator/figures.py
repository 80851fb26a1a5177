"""Figures of the engines in the status: money in sums, health and memory of the one that is worst off."""

from __future__ import annotations

from typing import Final

from tradingbot_contract.quantity import format_bytes_rounded
from tradingbot_contract.report import Sample
from tradingbot_operator.bot_status import FoundFinding, HealthSummary, Trading
from tradingbot_operator.metrics_sources.report_view import knows_memory
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.timestamp import format_time

_SHOWN_FINDINGS: Final = 16

Shards = tuple[ShardView, ...]


def show_health(shards: Shards) -> HealthSummary:
    """Return the lowest score, and what is wrong with any of them."""
    scores = [shard.view.report.score for shard in shards if shard.view.report is not None]
    known = [score for score in scores if score is not None]
    found = [(shard, finding) for shard in shards for finding in shard.verdict.findings]
    return HealthSummary(
        # A score that is not known of one engine is not known of the bot.
        score=round(min(known)) if known and len(known) == len(shards) else None,
        findings=[
            FoundFinding(
                reason=finding.reason.value,
                severity=finding.severity.value,
                message=(f"{shard.name}: {finding.message}" if len(shards) > 1 else finding.message)[:1024],
                since=format_time(finding.since),
            )
            for shard, finding in found[:_SHOWN_FINDINGS]
        ],
    )


def show_trading(shards: Shards, now: float) -> Trading | None:
    """Return the sums over all engines; None where one of them has not told its own."""
    engines = [shard.engine for shard in shards]
    told = [engine for engine in engines if engine is not None and engine.equity is not None]
    if not told or len(told) < len(engines):
        return None
    return Trading(
        at=format_time(now),
        equity=round(sum(engine.equity or 0.0 for engine in told), 2),
        currency=told[0].currency[:64],
        bars=sum(engine.bars for engine in told),
        fills=sum(engine.fills for engine in told),
        open_positions=sum(engine.open_positions for engine in told),
        open_orders=sum(engine.open_orders for engine in told),
        unknown_orders=sum(engine.unknown_orders for engine in told),
    )


def show_memory(shards: Shards) -> str:
    """Return memory and limit of the engine that is nearest to its limit; empty if none is known."""
    samples = [shard.view.report.sample for shard in shards if shard.view.report is not None and knows_memory(shard.view.report)]
    measured = [sample for sample in samples if sample is not None]
    if not measured:
        return ""
    worst = max(measured, key=_use)
    used = f"{round((worst.memory_bytes or 0) / 2**20)}Mi"
    return f"{used}/{format_bytes_rounded(worst.memory_limit_bytes)}" if worst.memory_limit_bytes else used


def _use(sample: Sample) -> tuple[float, int]:
    used = sample.memory_bytes or 0
    return (used / sample.memory_limit_bytes if sample.memory_limit_bytes else 0.0, used)
