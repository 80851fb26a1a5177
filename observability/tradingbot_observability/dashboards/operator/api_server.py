"""Calls and watches, and who leads."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, timeline
from tradingbot_observability.dashboards.series import INSTALLATION, OPERATOR
from tradingbot_observability.dashboards.states import LEADS

API_SERVER: Final = section(
    "API server",
    line(
        8,
        plot(
            "Calls by code",
            "Calls in a second by the code of their answer: 409 is a conflict, 403 a missing permission, 429 too many, 0 no answer.",
            "reqps",
            Query(f"sum by (code) ({INSTALLATION.rate(OPERATOR.api_calls)})", "{{code}}"),
            stacked=True,
        ),
        plot(
            "Time of a call",
            "Time until the API server had answered that 95 of 100 calls stay below, by verb.",
            "s",
            Query(INSTALLATION.quantile(0.95, OPERATOR.api_seconds, "verb"), "{{verb}}"),
        ),
        plot(
            "Events of watches",
            "What the API server tells of changes, by kind, in a second.",
            "cps",
            Query(f"sum by (kind) ({INSTALLATION.rate(OPERATOR.watch_events)})", "{{kind}}"),
        ),
    ),
    line(
        8,
        plot(
            "Quiet of watches",
            "Time since a watch last brought an event, by kind. Long is well where nothing changes; the next look at everything "
            "shows whether something was missed.",
            "s",
            Query(f"min by (kind) (time() - {INSTALLATION.of(OPERATOR.watch_event_time)})", "{{kind}}"),
        ),
        plot(
            "Missed by watches",
            "Objects that a list had and the watch of their kind had not brought. Any means that a watch is broken; the operator "
            "goes on by listing.",
            "none",
            Query(f"sum by (kind) ({INSTALLATION.growth(OPERATOR.watch_missed)}) > 0", "{{kind}}"),
            bars=True,
        ),
        timeline(
            "Who leads",
            "Which operator acts. A change takes seconds; many changes mean that it can't renew its lease.",
            Query(f"max by (pod) ({INSTALLATION.of(OPERATOR.leader)})", "{{pod}}"),
            LEADS,
        ),
    ),
)
