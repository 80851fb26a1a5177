"""Memory against its limits, CPU, the configuration that runs, and the budget of remediation."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, ranking
from tradingbot_observability.dashboards.series import BOT, ONE_BOT
from tradingbot_operator import bot_metrics

_MEMORY: Final = BOT.of(metrics.OBSERVER_ENGINE_MEMORY)
_LIMIT: Final = BOT.of(metrics.OBSERVER_ENGINE_MEMORY_LIMIT)

_WARNING: Final = at.HEALTH.memory_warning_percent / 100


RESOURCES: Final = section(
    "Memory, CPU and configuration",
    line(
        8,
        plot(
            "Memory and its limit",
            "Memory of the engine that the kernel can't take back. At the red line the kernel ends it; at the orange one there is "
            "a warning by default. The limit moves when the operator changes it in place.",
            "bytes",
            Query(f"max by (pod) ({_MEMORY})", "{{pod}}", at.BLUE),
            Query(f"max by (pod) ({_LIMIT})", "{{pod}} limit", at.RED, dashed=True),
            Query(f"{_WARNING:g} * max by (pod) ({_LIMIT})", "{{pod}} warning", at.ORANGE, dashed=True),
        ),
        plot(
            "CPU",
            "CPU time of the engine as a share of one core; the lines are the spec's defaults.",
            "percentunit",
            Query(f"max by (pod) ({BOT.of(metrics.OBSERVER_ENGINE_CPU_UTILIZATION)})", "{{pod}}"),
            steps=(at.LINE, *at.CPU[1:]),
        ),
        plot(
            "Lag of the event loop",
            "How late the engine ran a timer: a long one is a strategy that computes for too long, or a node without free CPU.",
            "s",
            Query(f"max by (pod) ({BOT.of(metrics.LOOP_LAG)})", "{{pod}}"),
        ),
        plot(
            "Threads",
            "Threads of the engine. A line that only rises is a leak.",
            "none",
            Query(f"max by (pod) ({BOT.of(metrics.OBSERVER_ENGINE_THREADS)})", "{{pod}}"),
        ),
    ),
    line(
        8,
        plot(
            "Generation of the configuration",
            "Generation of the resource that engine and observer go by. They differ for about a second after a change, and longer "
            "while a document is refused.",
            "none",
            Query(f"max by (pod) ({BOT.of(metrics.CONFIG_GENERATION)})", "{{pod}} engine"),
            Query(f"max by (pod) ({BOT.of(metrics.OBSERVER_CONFIG_GENERATION)})", "{{pod}} observer", dashed=True),
            Query(f"max by (pod) ({BOT.of(metrics.CONFIG_REFUSED)})", "{{pod}} refused", at.RED),
            stepped=True,
        ),
        ranking(
            "What memory is planned for",
            "What the document may need of memory, by part. Together they must fit the container's limit, or the document is refused.",
            "bytes",
            Query(f"sum by (part) ({BOT.of(metrics.MEMORY_BUDGET)})", "{{part}}"),
            steps=at.PLAIN,
            now=False,
        ),
        plot(
            "Remediation budget",
            "Steps that the operator may still take, and the full budget. Each step takes one; it refills evenly.",
            "none",
            Query(f"max({ONE_BOT.of(bot_metrics.BUDGET_REMAINING)})", "left", at.GREEN),
            Query(f"max({ONE_BOT.of(bot_metrics.BUDGET_LIMIT)})", "full", at.BLUE, dashed=True),
        ),
    ),
)
