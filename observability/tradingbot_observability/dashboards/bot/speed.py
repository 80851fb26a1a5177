"""How long decisions, orders and the journal take, and what fails."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, spread
from tradingbot_observability.dashboards.series import BOT

SPEED: Final = section(
    "Speed",
    line(
        9,
        spread(
            "Decision latency",
            "Time from taking a step of the feed to the last order that follows from it. A second band far above the first is "
            "a garbage collection, a slow database or a busy node.",
            "s",
            BOT.buckets(metrics.DECISION_DURATION),
        ),
        plot(
            "Latency, 95 of 100 are faster",
            "Decisions, orders (until their journal is committed), and answers to the observer. The lines are the spec's limits "
            "for answers: above the first the score falls.",
            "s",
            Query(BOT.quantile(0.95, metrics.DECISION_DURATION), "decision"),
            Query(BOT.quantile(0.95, metrics.ORDER_DURATION), "order until committed"),
            Query(f"max({BOT.of(metrics.OBSERVER_RESPONSE_P95)})", "answer to the observer"),
            steps=(
                at.LINE,
                (at.HEALTH.response_seconds.elevated, at.YELLOW),
                (at.HEALTH.response_seconds.high, at.RED),
            ),
            logarithmic=True,
        ),
        plot(
            "Feed age",
            "Time since the last bar, where one is due. The line is where the feed counts as stale by default.",
            "s",
            Query(f"max by (pod) ({BOT.of(metrics.FEED_AGE)})", "{{pod}}"),
            steps=(at.LINE, (at.HEALTH.stale_after_seconds, at.RED)),
        ),
    ),
    line(
        8,
        plot(
            "Journal: time of a commit",
            "Time of one transaction of the journal with the wait for a connection: the middle, and what 95 of 100 stay below; "
            "and how long the oldest step waits for it. No order goes out before its commit.",
            "s",
            Query(BOT.quantile(0.5, metrics.JOURNAL_COMMIT_DURATION), "middle"),
            Query(BOT.quantile(0.95, metrics.JOURNAL_COMMIT_DURATION), "95 of 100"),
            Query(f"max({BOT.of(metrics.JOURNAL_BEHIND)})", "oldest that waits", at.ORANGE, dashed=True),
        ),
        plot(
            "Journal: backlog",
            "Steps of the feed that were taken and aren't in the journal yet. It grows while the database is away, and trading "
            "waits for it.",
            "none",
            Query(f"sum by (pod) ({BOT.of(metrics.JOURNAL_BACKLOG)})", "{{pod}}"),
        ),
        plot(
            "Errors",
            "Failed operations as a share of all, by component; the lines are the spec's limits for all together.",
            "percentunit",
            Query(
                f"sum by (component) ({BOT.rate(metrics.ERRORS)}) / (sum by (component) ({BOT.rate(metrics.OPERATIONS)}) > 0)",
                "{{component}}",
            ),
            Query(f"max({BOT.of(metrics.OBSERVER_ENGINE_ERROR_RATIO)})", "all", at.RED),
            steps=(at.LINE, *at.ERRORS[1:]),
            soft_high=0.02,
        ),
    ),
)
