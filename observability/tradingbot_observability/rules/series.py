"""Names of series, from the tables of those who export them: a metric that is gone is an error here, before it is a silent rule."""

from __future__ import annotations

from typing import Final

from prometheus_client import ProcessCollector

from tradingbot_contract import metrics
from tradingbot_contract.metrics import INSTRUMENTS, Kind, prometheus_name
from tradingbot_operator.bot_metrics import BOT_METRICS, CONDITION, HELD, LIFECYCLE, PHASE, RESTARTS, SHARDS
from tradingbot_operator.metrics import OperatorMetrics

ENGINE_JOB: Final = "tradingbot"
"""Label `job` of what a bot's pod serves."""
OPERATOR_JOB: Final = "tradingbot-operator"

BOT_PHASE: Final = PHASE.name
BOT_LIFECYCLE: Final = LIFECYCLE.name
BOT_CONDITION: Final = CONDITION.name
BOT_SHARDS: Final = SHARDS.name
BOT_HELD: Final = HELD.name
BOT_RESTARTS: Final = RESTARTS.name

ENGINE_UP: Final = prometheus_name(metrics.OBSERVER_ENGINE_UP)
ENGINE_INFO: Final = prometheus_name(metrics.OBSERVER_ENGINE_INFO)
FINDINGS: Final = prometheus_name(metrics.OBSERVER_FINDINGS)
MEMORY_UTILIZATION: Final = prometheus_name(metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION)
CPU_UTILIZATION: Final = prometheus_name(metrics.OBSERVER_ENGINE_CPU_UTILIZATION)
CACHE_HIT_RATIO: Final = prometheus_name(metrics.OBSERVER_ENGINE_CACHE_HIT_RATIO)
ORDERS_UNKNOWN: Final = prometheus_name(metrics.OBSERVER_ENGINE_ORDERS_UNKNOWN)

OPERATIONS: Final = prometheus_name(metrics.OPERATIONS)
ERRORS: Final = prometheus_name(metrics.ERRORS)
ORDER_DURATION: Final = prometheus_name(metrics.ORDER_DURATION)
RISK_BREACHED: Final = prometheus_name(metrics.RISK_BREACHED)
STRATEGY_HALTED: Final = prometheus_name(metrics.STRATEGY_HALTED)

_OPERATOR: Final = {each.name: each.kind for each in OperatorMetrics().described}


def operator_series(name: str) -> str:
    """Return the full name of a metric of the operator.

    Raises:
        LookupError: it has none of that name.
    """
    full = f"tradingbot_operator_{name}"
    if full not in _OPERATOR:
        raise LookupError(f"the operator has no metric {full}")
    return full


def exported_kinds() -> dict[str, str]:
    """Return every metric of ours with its kind, as Prometheus names it; a histogram once, without its suffixes."""
    of_pods = {prometheus_name(each): each.kind.value for each in INSTRUMENTS}
    return of_pods | _OPERATOR | {each.name: each.kind for each in BOT_METRICS}


def series_names() -> dict[str, str]:
    """Return the metric of ours that each series belongs to, by the series' name: a histogram has three."""
    suffixes = {Kind.HISTOGRAM.value: ("_bucket", "_sum", "_count")}
    return {f"{name}{suffix}": name for name, kind in exported_kinds().items() for suffix in suffixes.get(kind, ("",))}


def foreign_names() -> frozenset[str]:
    """Return the series that are there without our doing: Prometheus' own, and those of the operator's process."""
    families = ProcessCollector(registry=None).collect()
    of_process = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    return frozenset(of_process | {"up", "scrape_duration_seconds", "ALERTS", "target_info"})
