"""Pools of connections, what they lead to, and caches."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, timeline
from tradingbot_observability.dashboards.series import BOT, DB_SYSTEM, HTTP_CODE, POOL, POOL_STATE
from tradingbot_observability.dashboards.states import YES_NO


def _pool(state: str) -> str:
    return f"sum by (pod, {POOL}) ({BOT.of(metrics.POOL_CONNECTIONS, **{POOL_STATE: state})})"


def _of_pool(words: str) -> str:
    return f"{{{{{POOL}}}}} {words}"


CONNECTIONS: Final = section(
    "Connections and caches",
    line(
        8,
        plot(
            "Pools",
            "Connections of each pool: borrowed, idle, and requests that wait for one. The dashed line is the most that may be "
            "open: borrowed at that line and somebody waiting is an exhausted pool.",
            "none",
            Query(_pool("used"), _of_pool("borrowed"), at.ORANGE),
            Query(_pool("idle"), _of_pool("idle"), at.GREEN),
            Query(f"sum by (pod, {POOL}) ({BOT.of(metrics.POOL_PENDING)})", _of_pool("waiting"), at.RED),
            Query(f"sum by (pod, {POOL}) ({BOT.of(metrics.POOL_MAX)})", _of_pool("most"), at.BLUE, dashed=True),
            stepped=True,
            counts=True,
        ),
        plot(
            "Pools: wait for a connection",
            "Time to get a connection that 95 of 100 requests stay below, by pool, with opening or testing it.",
            "s",
            Query(BOT.quantile(0.95, metrics.POOL_WAIT_TIME, POOL), _of_pool("wait")),
        ),
        timeline(
            "Dependencies",
            "Whether database, Redis, news and the collector of metrics answered when they were last tried. Only the database can "
            "hold trading up.",
            Query(f"min by (dependency) ({BOT.of(metrics.DEPENDENCY_UP)})", "{{dependency}}"),
            YES_NO,
        ),
    ),
    line(
        8,
        plot(
            "Pools: opened, lost and leaked",
            "Connections that were opened, broke or were never given back, requests that waited in vain, and operations tried again, in a "
            "second. A leak is a bug.",
            "cps",
            Query(f"sum by ({POOL}) ({BOT.rate(metrics.POOL_CREATED)})", _of_pool("opened")),
            Query(f"sum by ({POOL}) ({BOT.rate(metrics.POOL_ERRORS)})", _of_pool("broken"), at.ORANGE),
            Query(f"sum by ({POOL}) ({BOT.rate(metrics.POOL_TIMEOUTS)})", _of_pool("in vain"), at.RED),
            Query(f"sum({BOT.rate(metrics.DATABASE_RETRIES)})", "tried again", at.YELLOW),
            Query(f"sum({BOT.rate(metrics.DATABASE_LEAKS)})", "leaked", at.PURPLE),
        ),
        plot(
            "Pools: most at once",
            "Most connections that were borrowed at once by this process, beside the most that may be open.",
            "none",
            Query(f"max by ({POOL}) ({BOT.of(metrics.POOL_PEAK)})", _of_pool("peak")),
            Query(f"max by ({POOL}) ({BOT.of(metrics.POOL_MAX)})", _of_pool("most"), at.BLUE, dashed=True),
            counts=True,
        ),
        plot(
            "Pools: opening and use",
            "Time to open a connection, and between borrowing and giving back, that 95 of 100 stay below.",
            "s",
            Query(BOT.quantile(0.95, metrics.POOL_CREATE_TIME, POOL), _of_pool("open")),
            Query(BOT.quantile(0.95, metrics.POOL_USE_TIME, POOL), _of_pool("use"), dashed=True),
        ),
        plot(
            "Operations of database, Redis and HTTP",
            "Time of one operation or request that 95 of 100 stay below, and what the last successful try of a dependency took.",
            "s",
            Query(BOT.quantile(0.95, metrics.OPERATION_DURATION, DB_SYSTEM), f"{{{{{DB_SYSTEM}}}}}"),
            Query(BOT.quantile(0.95, metrics.HTTP_DURATION, HTTP_CODE), f"HTTP {{{{{HTTP_CODE}}}}}"),
            Query(f"max by (dependency) ({BOT.of(metrics.DEPENDENCY_LATENCY)})", "{{dependency}} last try", dashed=True),
        ),
    ),
    line(
        8,
        plot(
            "Caches: hit ratio",
            "Look-ups that were answered from the cache. The lines are the spec's defaults: below the lower one there is an alert.",
            "percentunit",
            Query(
                f"sum by (cache) ({BOT.rate(metrics.CACHE_LOOKUPS, result='hit')})"
                f" / (sum by (cache) ({BOT.rate(metrics.CACHE_LOOKUPS)}) > 0)",
                "{{cache}}",
            ),
            steps=(
                at.LINE,
                (at.HEALTH.cache_hit_percent.low / 100, at.ORANGE),
                (at.HEALTH.cache_hit_percent.good / 100, at.GREEN),
            ),
            high=1.0,
        ),
        plot(
            "Caches: size and limit",
            "Memory of each cache's entries; the dashed line is the most that they may take now. It falls when memory is short.",
            "bytes",
            Query(f"sum by (cache) ({BOT.of(metrics.CACHE_SIZE)})", "{{cache}}"),
            Query(f"sum by (cache) ({BOT.of(metrics.CACHE_SIZE_LIMIT)})", "{{cache}} limit", dashed=True),
        ),
        plot(
            "Caches: evictions by cause",
            "Entries that left before they were asked to, in a second: too many, too large, too old, of older data, or memory short.",
            "cps",
            Query(f"sum by (cause) ({BOT.rate(metrics.CACHE_EVICTIONS)})", "{{cause}}"),
            stacked=True,
        ),
    ),
)
