"""Reports, the process itself, and what it keeps for monitoring."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import INSTALLATION, OPEN_FILES, OPERATOR, PROCESS_CPU, PROCESS_START, RESIDENT_MEMORY

PROCESS: Final = section(
    "Reports and process",
    line(
        8,
        plot(
            "Reports by result",
            "Reports of observers that it asked for in a second, from the pods or from Prometheus, by what came of it.",
            "reqps",
            Query(f"sum by (source, result) ({INSTALLATION.rate(OPERATOR.polls)})", "{{source}}: {{result}}"),
            stacked=True,
        ),
        plot(
            "Round of Prometheus",
            "Time of one round of queries that 95 of 100 stay below; only where it reads the fleet from Prometheus.",
            "s",
            Query(INSTALLATION.quantile(0.95, OPERATOR.polls_prometheus), "95 of 100"),
        ),
        plot(
            "Memory",
            "Resident memory of each operator. It grows with the number of bots, not with time.",
            "bytes",
            Query(f"max by (pod) ({INSTALLATION.of(RESIDENT_MEMORY)})", "{{pod}}"),
        ),
        plot(
            "CPU",
            "CPU time of each operator as a share of one core.",
            "percentunit",
            Query(f"max by (pod) ({INSTALLATION.rate(PROCESS_CPU)})", "{{pod}}"),
        ),
    ),
    line(
        8,
        plot(
            "Lag of the event loop",
            "How late each operator's event loop last was.",
            "s",
            Query(f"max by (pod) ({INSTALLATION.of(OPERATOR.loop_lag)})", "{{pod}}"),
            steps=(at.LINE, *at.LOOP_LAG[1:]),
        ),
        plot(
            "Up for",
            "How long each operator has been up; it falls to 0 when it was restarted.",
            "s",
            Query(f"time() - max by (pod) ({INSTALLATION.of(PROCESS_START)})", "{{pod}}"),
        ),
        plot(
            "Changes of the lead",
            "When an operator took the lead. One after a roll-out is as it should be; many mean that it can't renew its lease.",
            "none",
            Query(f"sum by (pod) ({INSTALLATION.growth(OPERATOR.leader_transitions)})", "{{pod}}"),
            bars=True,
        ),
        plot(
            "Open files",
            "Files and connections of each operator. A line that only rises is a leak.",
            "none",
            Query(f"max by (pod) ({INSTALLATION.of(OPEN_FILES)})", "{{pod}}"),
        ),
    ),
    line(
        7,
        plot(
            "Objects for monitoring",
            "PodMonitors, rules and dashboards that it keeps for this installation: present, or failed, somebody else's, or of a kind that "
            "the cluster does not know.",
            "none",
            Query(f"max by (kind, state) ({INSTALLATION.of(OPERATOR.monitoring_objects)}) > 0", "{{kind}} {{state}}"),
            stepped=True,
        ),
        plot(
            "Failures with them",
            "Looks at these objects, or calls to change one, that failed.",
            "none",
            Query(f"sum by (kind) ({INSTALLATION.growth(OPERATOR.monitoring_failures)}) > 0", "{{kind}}"),
            bars=True,
        ),
    ),
)
