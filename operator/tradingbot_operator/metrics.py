"""What the operator measures of itself. Labels are bounded sets: kinds, verbs, results, reasons, phases; never a bot's name."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest

_PREFIX: Final = "tradingbot_operator"


class OperatorMetrics:
    """The instruments of one operator process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # has no types; a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.reconciles = Counter(f"{_PREFIX}_reconciles", "Passes over a bot, by result.", ["result"], registry=self.registry)
        self.reconcile_seconds = Histogram(
            f"{_PREFIX}_reconcile_duration_seconds",
            "Time of one pass over a bot, with its calls to the API server.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0),
            registry=self.registry,
        )
        self.queue_depth = Gauge(f"{_PREFIX}_queue_depth", "Bots that wait for a pass.", registry=self.registry)
        self.actions = Counter(f"{_PREFIX}_actions", "What was done to bots, and why.", ["action", "reason"], registry=self.registry)
        self.bots = Gauge(f"{_PREFIX}_bots", "Bots by phase.", ["phase"], registry=self.registry)
        self.status_writes = Counter(f"{_PREFIX}_status_writes", "Statuses that were worth a write.", registry=self.registry)
        self.api_calls = Counter(
            f"{_PREFIX}_api_calls",
            "Calls to the API server, watches not counted; code 0: no answer.",
            ["verb", "code"],
            registry=self.registry,
        )
        self.polls = Counter(
            f"{_PREFIX}_observer_polls", "Times that an observer was asked, by result.", ["result"], registry=self.registry
        )
        self.watch_events = Counter(f"{_PREFIX}_watch_events", "Events of watches.", ["kind"], registry=self.registry)
        self.watch_event_time = Gauge(
            f"{_PREFIX}_watch_event_time_seconds",
            "When a watch last brought an event, seconds since the epoch.",
            ["kind"],
            registry=self.registry,
        )
        self.resync_time = Gauge(
            f"{_PREFIX}_resync_time_seconds", "When all objects were last listed, seconds since the epoch.", registry=self.registry
        )

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)
