"""Which number of the engine each metric shows. A figure that isn't known is left out, never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tradingbot_contract import metrics
from tradingbot_contract.report import EngineState
from tradingbot_engine.cache.named import NamedCache
from tradingbot_engine.database.connections import POOL_NAME, Database
from tradingbot_engine.session import TradingSession
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.counts import Component, Counts
from tradingbot_engine.telemetry.metrics import Read, Readings
from tradingbot_engine.telemetry.process import read_cpu_seconds, read_memory_bytes
from tradingbot_engine.views import SymbolPerformance

_POOL: Final = {"db.client.connection.pool.name": POOL_NAME}
_NOTHING: Final[Mapping[str, str]] = {}


def build_readings(facts: EngineFacts, memory_limit: Callable[[], int | None]) -> dict[metrics.Instrument, Read]:
    """Return how each of the engine's metrics but its histograms is read."""
    counts = facts.counts
    return _trading(facts) | _health(facts, counts, memory_limit) | _pool(lambda: facts.database) | _cache(lambda: facts.cache)


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

    return {
        metrics.BARS: lambda: [(count, {"symbol": symbol}) for symbol, count in counts.bars.items()],
        metrics.ORDERS: lambda: [(count, {"side": side, "status": status}) for (side, status), count in counts.orders.items()],
        metrics.FILLS: lambda: [(count, {"side": side}) for side, count in counts.fills.items()],
        metrics.EQUITY: equity,
        metrics.DRAWDOWN: _of(facts, lambda session: session.drawdown),
        metrics.POSITIONS_OPEN: _of(facts, lambda session: session.open_positions),
        metrics.ORDERS_OPEN: _of(facts, lambda session: session.open_orders),
        metrics.FEED_AGE: lambda: _some(facts.feed_age_seconds()),
        metrics.FEED_LAP: _of(facts, lambda session: session.lap),
        metrics.FEED_PROGRESS: _of(facts, lambda session: session.progress),
    }


def _health(facts: EngineFacts, counts: Counts, memory_limit: Callable[[], int | None]) -> dict[metrics.Instrument, Read]:
    def cpu_time() -> Readings:
        user, system = read_cpu_seconds()
        return ((user, {"cpu.mode": "user"}), (system, {"cpu.mode": "system"}))

    return {
        metrics.OPERATIONS: lambda: [(counts.operations[component], {"component": component.value}) for component in Component],
        metrics.ERRORS: lambda: [(counts.errors[component], {"component": component.value}) for component in Component],
        metrics.ENGINE_STATE: lambda: [(int(state is facts.lifecycle.state), {"state": state.value}) for state in EngineState],
        metrics.STRATEGY_HALTED: _of(facts, lambda session: bool(session.runner.halted_by)),
        metrics.HEARTBEAT_TIME: lambda: _some(facts.heartbeat_at),
        metrics.LOOP_LAG: lambda: _some(max(facts.loop_lags_seconds, default=None)),
        metrics.CONFIG_GENERATION: lambda: _some(facts.generation),
        metrics.JOURNAL_COMMITS: lambda: _some(counts.commits),
        metrics.MEMORY_USAGE: lambda: _some(read_memory_bytes()),
        metrics.MEMORY_LIMIT: lambda: _some(memory_limit()),
        metrics.CPU_TIME: cpu_time,
    }


def _pool(database: Callable[[], Database | None]) -> dict[metrics.Instrument, Read]:
    def connections() -> Readings:
        found = database()
        if found is None:
            return ()
        return (
            (found.pool.checkedout(), {**_POOL, "db.client.connection.state": "used"}),
            (found.pool.checkedin(), {**_POOL, "db.client.connection.state": "idle"}),
        )

    def of(read: Callable[[Database], int]) -> Read:
        def reading() -> Readings:
            found = database()
            return () if found is None else ((read(found), _POOL),)

        return reading

    return {
        metrics.POOL_CONNECTIONS: connections,
        metrics.POOL_MAX: of(lambda found: found.max_connections),
        metrics.POOL_PENDING: of(lambda found: found.pending),
        metrics.POOL_TIMEOUTS: of(lambda found: found.timeouts),
    }


def _cache(cache: Callable[[], NamedCache[list[SymbolPerformance]] | None]) -> dict[metrics.Instrument, Read]:
    def lookups() -> Readings:
        found = cache()
        if found is None:
            return ()
        return ((found.hits, {"cache": found.name, "result": "hit"}), (found.misses, {"cache": found.name, "result": "miss"}))

    def entries() -> Readings:
        found = cache()
        return () if found is None else ((len(found), {"cache": found.name}),)

    return {metrics.CACHE_LOOKUPS: lookups, metrics.CACHE_ENTRIES: entries}
