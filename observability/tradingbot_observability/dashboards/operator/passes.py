"""Passes over bots, and the queue before them."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, spread
from tradingbot_observability.dashboards.series import INSTALLATION, OPERATOR

_RECONCILES: Final = OPERATOR.reconciles


PASSES: Final = section(
    "Passes over bots",
    line(
        8,
        plot(
            "Passes by result",
            "Passes in a second: done is well, conflict is tried again, unavailable is the API server, refused and error have to "
            "be looked at in the log.",
            "cps",
            Query(f"sum by (result) ({INSTALLATION.rate(_RECONCILES)})", "{{result}}"),
            stacked=True,
        ),
        spread(
            "Time of a pass",
            "Time of one pass over a bot, with its calls to the API server.",
            "s",
            INSTALLATION.buckets(OPERATOR.reconcile_seconds),
        ),
        plot(
            "Time of a pass, 50, 95 and 99 of 100 are faster",
            "The same as numbers. Above a second the API server is slow, or the operator has no CPU.",
            "s",
            *(Query(INSTALLATION.quantile(share, OPERATOR.reconcile_seconds), f"{share * 100:.0f} of 100") for share in (0.5, 0.95, 0.99)),
        ),
    ),
    line(
        8,
        plot(
            "Queue",
            "Bots that wait for a pass of the operator that leads. A queue that does not empty means that passes are too slow or too many.",
            "none",
            Query(
                f"max by (pod) ({INSTALLATION.of(OPERATOR.queue_depth)} and on (namespace, pod) {INSTALLATION.of(OPERATOR.leader)} == 1)",
                "{{pod}}",
            ),
        ),
        plot(
            "Wait in the queue",
            "Time from the moment in which a bot is due to the begin of its pass: the middle, and what 95 of 100 stay below.",
            "s",
            Query(INSTALLATION.quantile(0.5, OPERATOR.queue_seconds), "50 of 100"),
            Query(INSTALLATION.quantile(0.95, OPERATOR.queue_seconds), "95 of 100"),
        ),
        plot(
            "Put off and written",
            "Passes that were put off because the one before failed, and statuses that were worth a write, in a second.",
            "cps",
            Query(f"sum({INSTALLATION.rate(OPERATOR.queue_retries)})", "put off", at.ORANGE),
            Query(f"sum({INSTALLATION.rate(OPERATOR.status_writes)})", "statuses written", at.BLUE),
        ),
    ),
)
