"""What it has done to bots."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot
from tradingbot_observability.dashboards.series import INSTALLATION, OPERATOR

WORK: Final = section(
    "What it has done",
    line(
        8,
        plot(
            "Actions",
            "What was done to bots and their children in a second, and why.",
            "cps",
            Query(f"sum by (action, reason) ({INSTALLATION.rate(OPERATOR.actions)})", "{{action}}: {{reason}}"),
        ),
        plot(
            "Restarts by reason",
            "Pods of engines that it replaced, and why. SpecChanged is a roll-out, the others are repairs.",
            "none",
            Query(f"sum by (reason) ({INSTALLATION.growth(OPERATOR.restarts)}) > 0", "{{reason}}"),
            bars=True,
        ),
        plot(
            "Decisions",
            "Steps of remediation that it decided, by what and why; also those of a dry run.",
            "none",
            Query(f"sum by (action, reason) ({INSTALLATION.growth(OPERATOR.decisions)}) > 0", "{{action}}: {{reason}}"),
            bars=True,
        ),
    ),
    line(
        8,
        plot(
            "Results of decisions",
            "Whether a step helped. Steps that don't help are followed by longer pauses, and then by quarantine.",
            "none",
            Query(f"sum by (action, result) ({INSTALLATION.growth(OPERATOR.results)}) > 0", "{{action}}: {{result}}"),
            bars=True,
        ),
        plot(
            "Held back",
            "Steps that were due and were held back, counted when that begins, by reason.",
            "none",
            Query(f"sum by (reason) ({INSTALLATION.growth(OPERATOR.held)}) > 0", "{{reason}}"),
            bars=True,
        ),
        plot(
            "Bots it judges",
            "Bots whose health is known, and of those the sick ones. Few judged of many bots is a cut between it and the pods.",
            "none",
            Query(f"sum(max by (phase) ({INSTALLATION.of(OPERATOR.bots)}))", "bots", at.BLUE),
            Query(f"max({INSTALLATION.of(OPERATOR.fleet_judged)})", "judged", at.GREEN),
            Query(f"max({INSTALLATION.of(OPERATOR.fleet_sick)})", "sick", at.RED),
            stepped=True,
        ),
    ),
)
