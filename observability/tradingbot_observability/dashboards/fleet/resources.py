"""Who comes near a limit."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import FLEET, POOL, POOL_STATE, WORST, worst

_USED: Final = FLEET.of(metrics.POOL_CONNECTIONS, **{POOL_STATE: "used"})
_POOL_USE: Final = (
    f"max by (namespace, bot, pod, {POOL}) ({_USED}) / max by (namespace, bot, pod, {POOL}) ({FLEET.of(metrics.POOL_MAX)} > 0)"
)


RESOURCES: Final = section(
    f"The {WORST} worst of each",
    line(
        8,
        plot(
            "Feed age",
            "Time since the last bar, of the bots that have waited longest. The line is where a feed counts as stale by default.",
            "s",
            Query(worst(FLEET.of(metrics.FEED_AGE)), "{{namespace}}/{{bot}}"),
            steps=(at.LINE, (at.HEALTH.stale_after_seconds, at.RED)),
        ),
        plot(
            "Pools",
            "Borrowed connections as a share of the most that the pool may open. At 100 % somebody waits.",
            "percentunit",
            Query(f"topk({WORST}, {_POOL_USE})", f"{{{{bot}}}} {{{{{POOL}}}}}"),
            steps=(at.LINE, (1.0, at.RED)),
            soft_high=1.0,
        ),
        plot(
            "Memory",
            "Memory of the engine as a share of its container's limit. The lines are the spec's defaults: at the first the "
            "score falls, at the second there is a warning, at the third it falls much.",
            "percentunit",
            Query(worst(FLEET.of(metrics.OBSERVER_ENGINE_MEMORY_UTILIZATION)), "{{namespace}}/{{bot}}"),
            steps=(at.LINE, *at.MEMORY[1:]),
            soft_high=1.0,
        ),
        plot(
            "CPU",
            "CPU time of the engine as a share of one core; the lines are the spec's defaults.",
            "percentunit",
            Query(worst(FLEET.of(metrics.OBSERVER_ENGINE_CPU_UTILIZATION)), "{{namespace}}/{{bot}}"),
            steps=(at.LINE, *at.CPU[1:]),
            soft_high=1.0,
        ),
    ),
)
