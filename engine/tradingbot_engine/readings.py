"""Which number of the engine each metric shows. A figure that isn't known is left out, never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tradingbot_contract import metrics
from tradingbot_contract.budget import estimate_memory
from tradingbot_contract.document import Activity
from tradingbot_contract.report import EngineState
from tradingbot_contract.resources import MemoryMode
from tradingbot_engine.cache.stats import CacheStats
from tradingbot_engine.equipment import Equipment
from tradingbot_engine.news_desk import NewsDesk
from tradingbot_engine.pool_stats import PoolStats
from tradingbot_engine.risk.checks import LOSS_LIMITS
from tradingbot_engine.session import TradingSession
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.counts import Component, Counts
from tradingbot_engine.telemetry.metrics import Read, Readings
from tradingbot_engine.telemetry.process import read_cpu_seconds, read_memory_bytes
from tradingbot_engine.tuning import Tuner

_POOL: Final = "db.client.connection.pool.name"
_NOTHING: Final[Mapping[str, str]] = {}


def build_readings(facts: EngineFacts, memory_limit: Callable[[], int | None]) -> dict[metrics.Instrument, Read]:
    """Return how each of the engine's metrics but its histograms is read."""
    counts = facts.counts
    return (
        _trading(facts)
        | _health(facts, counts)
        | _document(facts)
        | _journal(facts, counts)
        | _memory(facts, memory_limit)
        | _background(facts)
        | _dependencies(facts)
        | _pools(facts)
        | _caches(facts)
        | _news(facts)
    )


def _of(facts: EngineFacts, read: Callable[[TradingSession], float]) -> Read:
    """Read a figure of the session; none while there is no session."""
    return lambda: () if facts.session is None else ((read(facts.session), _NOTHING),)


def _some(value: float | None, attributes: Mapping[str, str] = _NOTHING) -> Readings:
    return () if value is None else ((value, attributes),)


def _trading(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    counts = facts.counts

    def equity() -> Readings:
        session = facts.session
        return () if session is None else ((session.last_equity, {"currency": session.currency}),)

    def breached() -> Readings:
        session = facts.session
        if session is None:
            return ()
        breach = session.breach
        return [(int(breach is not None and breach.limit == limit), {"limit": limit}) for limit in LOSS_LIMITS]

    return {
        metrics.BARS: lambda: [(count, {"symbol": symbol}) for symbol, count in counts.bars.items()],
        metrics.ORDERS: lambda: [(count, {"side": side, "status": status}) for (side, status), count in counts.orders.items()],
        metrics.FILLS: lambda: [(count, {"side": side}) for side, count in counts.fills.items()],
        metrics.EQUITY: equity,
        metrics.RISK_REJECTIONS: lambda: [(count, {"limit": limit}) for limit, count in counts.rejections.items()],
        metrics.RISK_BREACHED: breached,
        metrics.DRAWDOWN: _of(facts, lambda session: session.drawdown),
        metrics.POSITIONS_OPEN: _of(facts, lambda session: session.open_positions),
        metrics.ORDERS_OPEN: _of(facts, lambda session: session.open_orders),
        metrics.FEED_AGE: lambda: _some(facts.feed_age_seconds()),
        metrics.FEED_LAP: _of(facts, lambda session: session.lap),
        metrics.FEED_PROGRESS: _of(facts, lambda session: session.progress),
    }


def _health(facts: EngineFacts, counts: Counts) -> dict[metrics.Instrument, Read]:
    def cpu_time() -> Readings:
        user, system = read_cpu_seconds()
        return ((user, {"cpu.mode": "user"}), (system, {"cpu.mode": "system"}))

    def activity() -> Readings:
        carried_out = facts.activity()
        return () if carried_out is None else [(int(each is carried_out), {"activity": each.value}) for each in Activity]

    return {
        metrics.OPERATIONS: lambda: [(counts.operations[component], {"component": component.value}) for component in Component],
        metrics.ERRORS: lambda: [(counts.errors[component], {"component": component.value}) for component in Component],
        metrics.ENGINE_STATE: lambda: [(int(state is facts.lifecycle.state), {"state": state.value}) for state in EngineState],
        metrics.ENGINE_ACTIVITY: activity,
        metrics.STRATEGY_HALTED: _of(facts, lambda session: bool(session.runner.halted_by)),
        metrics.HEARTBEAT_TIME: lambda: _some(facts.heartbeat_at),
        metrics.LOOP_LAG: lambda: _some(facts.lag.worst_seconds),
        metrics.CPU_TIME: cpu_time,
    }


def _document(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    def of(read: Callable[[Tuner], Readings]) -> Read:
        return lambda: () if facts.tuner is None else read(facts.tuner)

    return {
        metrics.CONFIG_GENERATION: lambda: _some(facts.generation),
        metrics.CONFIG_REFUSED: of(lambda tuner: _some(bool(tuner.refusal))),
        metrics.CONFIG_CHANGES: of(lambda tuner: [(count, {"result": result.value}) for result, count in tuner.changes.items()]),
    }


def _journal(facts: EngineFacts, counts: Counts) -> dict[metrics.Instrument, Read]:
    return {
        metrics.JOURNAL_COMMITS: lambda: _some(counts.commits),
        metrics.JOURNAL_BACKLOG: lambda: _some(None if facts.writer is None else facts.writer.backlog_steps),
        metrics.JOURNAL_BEHIND: lambda: _some(None if facts.writer is None else facts.writer.behind_seconds),
    }


def _memory(facts: EngineFacts, memory_limit: Callable[[], int | None]) -> dict[metrics.Instrument, Read]:
    def budget() -> Readings:
        if facts.document is None:
            return ()
        estimate = estimate_memory(facts.document)
        return [(getattr(estimate, part), {"part": part}) for part in ("engine", "caches", "pools", "models")]

    return {
        metrics.MEMORY_USAGE: lambda: _some(read_memory_bytes()),
        metrics.MEMORY_LIMIT: lambda: _some(memory_limit()),
        metrics.MEMORY_BUDGET: budget,
        metrics.MEMORY_SHEDS: _with(facts, lambda own: [(count, {"step": step}) for step, count in own.guard.sheds.items()]),
    }


def _with(facts: EngineFacts, read: Callable[[Equipment], Readings]) -> Read:
    """Read figures of the equipment; none while there is no equipment."""
    return lambda: () if facts.equipment is None else read(facts.equipment)


def _background(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    return {
        metrics.JOB_RUNS: _with(
            facts, lambda own: [(count, {"task": job, "result": result}) for (job, result), count in own.scheduler.runs.items()]
        ),
        metrics.RETENTION_ROWS: _with(facts, lambda own: [(count, {"table": table}) for table, count in own.pruner.removed.items()]),
    }


def _dependencies(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    return {
        metrics.DEPENDENCY_UP: _with(
            facts, lambda own: [(each.up, {"dependency": each.name}) for each in own.dependencies() if each.up is not None]
        ),
        metrics.DEPENDENCY_LATENCY: _with(
            facts,
            lambda own: [
                (each.latency_seconds, {"dependency": each.name}) for each in own.dependencies() if each.latency_seconds is not None
            ],
        ),
        metrics.DATABASE_RETRIES: _with(facts, lambda own: _some(sum(database.retries for database in own.databases()))),
        metrics.DATABASE_LEAKS: _with(facts, lambda own: _some(sum(database.leaks for database in own.databases()))),
    }


def _pools(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    def of(read: Callable[[PoolStats], float]) -> Read:
        return _with(facts, lambda own: [(read(stats), {_POOL: stats.name}) for stats in own.pools()])

    def connections(own: Equipment) -> Readings:
        for stats in own.pools():
            yield stats.used, {_POOL: stats.name, "db.client.connection.state": "used"}
            yield stats.idle, {_POOL: stats.name, "db.client.connection.state": "idle"}

    return {
        metrics.POOL_CONNECTIONS: _with(facts, connections),
        metrics.POOL_MAX: of(lambda stats: stats.max_connections),
        metrics.POOL_PENDING: of(lambda stats: stats.pending),
        metrics.POOL_TIMEOUTS: of(lambda stats: stats.timeouts),
        metrics.POOL_PEAK: of(lambda stats: stats.peak_used),
        metrics.POOL_ERRORS: of(lambda stats: stats.errors),
        metrics.POOL_CREATED: of(lambda stats: stats.created),
    }


def _caches(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    def of(read: Callable[[CacheStats], float]) -> Read:
        return _with(facts, lambda own: [(read(stats), {"cache": stats.name.value}) for stats in own.caches.stats()])

    def by(label: str, read: Callable[[CacheStats], Mapping[str, int]]) -> Read:
        return _with(
            facts,
            lambda own: [
                (count, {"cache": stats.name.value, label: value}) for stats in own.caches.stats() for value, count in read(stats).items()
            ],
        )

    def second_level(own: Equipment) -> Readings:
        if own.redis is None:
            return
        for stats in own.caches.stats():
            results = {"hit": stats.second_level_hits, "miss": stats.second_level_misses, "error": stats.second_level_errors}
            for result, count in results.items():
                yield count, {"cache": stats.name.value, "result": result}

    return {
        metrics.CACHE_LOOKUPS: by("result", lambda stats: {"hit": stats.hits, "miss": stats.misses}),
        metrics.CACHE_SECOND_LEVEL_LOOKUPS: _with(facts, second_level),
        metrics.CACHE_ENTRIES: of(lambda stats: stats.entries),
        metrics.CACHE_ENTRIES_LIMIT: of(lambda stats: stats.max_entries),
        metrics.CACHE_SIZE: of(lambda stats: stats.size_bytes),
        metrics.CACHE_SIZE_LIMIT: of(lambda stats: stats.max_bytes),
        metrics.CACHE_EVICTIONS: by("cause", lambda stats: {cause.value: count for cause, count in stats.evictions.items()}),
        metrics.CACHE_LOADS: by("result", lambda stats: {"done": stats.loads, "failed": stats.load_errors}),
    }


def _news(facts: EngineFacts) -> dict[metrics.Instrument, Read]:
    def of(read: Callable[[NewsDesk], Readings]) -> Read:
        return _with(facts, lambda own: () if own.news is None else read(own.news))

    modes = [mode for mode in MemoryMode if mode is not MemoryMode.AUTO]
    return {
        metrics.MEMORY_MODE: of(lambda desk: [(int(desk.predictions.mode is mode), {"mode": mode.value}) for mode in modes]),
        metrics.MODEL_FAILURES: of(lambda desk: [(count, {"model": role.value}) for role, count in desk.predictions.failures.items()]),
        metrics.PREDICTIONS: of(lambda desk: [(count, {"model": model}) for model, count in desk.predictions.texts.items()]),
        metrics.NEWS_ITEMS: of(lambda desk: [(count, {"source": source}) for source, count in desk.delivered.items()]),
        metrics.NEWS_PENDING: of(lambda desk: _some(desk.feed.pending)),
    }
