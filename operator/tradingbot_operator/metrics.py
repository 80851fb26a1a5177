"""What the operator measures of itself. Labels are bounded sets: kinds, verbs, results, reasons, phases; never a bot's name.

What is counted from several places has a method here, so that its labels are spelt in one way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest

from tradingbot_operator.bot_status import Phase
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.ladder import LADDERS, Step

_PREFIX: Final = "tradingbot_operator"
_SHORT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
_REPLACED: Final = (
    *LADDERS,
    Reason.SPEC_CHANGED,
    Reason.SYMBOLS_MOVED,
    Reason.RESTART_REQUESTED,
    Reason.POD_STUCK,
    Reason.RESIZE_INFEASIBLE,
)
_HELD_BACK: Final = (
    Reason.REMEDIATION_SKIPPED,
    Reason.RECONCILE_PAUSED,
    Reason.QUARANTINED,
    Reason.EXCLUDED_PERIOD,
    Reason.FLEET_SICK,
    Reason.WAITING_FOR_POSITIONS,
    Reason.BUDGET_SPENT,
)


class Described(Struct, frozen=True):
    """One metric, for the reference."""

    name: str
    """As Prometheus stores it, a histogram without `_bucket`, `_count` and `_sum`."""
    kind: str
    labels: tuple[str, ...]
    text: str


class OperatorMetrics:
    """The instruments of one operator process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # has no types; a second series for each, which nobody reads
        self.registry = CollectorRegistry()
        self.described: list[Described] = []
        """Every metric, in the order of the reference."""
        ProcessCollector(registry=self.registry)

        self.reconciles = self._count("reconciles", "Passes over a bot: done, conflict, unavailable, refused or error.", "result")
        self.reconcile_seconds = self._time("reconcile_duration_seconds", "Time of one pass over a bot, with its calls to the API server.")
        self.queue_depth = self._value("queue_depth", "Bots that wait for a pass.")
        self.queue_seconds = self._time("queue_latency_seconds", "Time from the moment in which a bot is due to the begin of its pass.")
        self.queue_retries = self._count("queue_retries", "Passes that were put off because the one before failed.")
        self.longest_pass = self._value("longest_running_pass_seconds", "How long the oldest pass that is not over has been going on.")

        self.actions = self._count("actions", "What was done to bots and their children, and why.", "action", "reason")
        self.restarts = self._count("restarts", "Pods of engines that the operator replaced, and why.", "reason")
        self.decisions = self._count("decisions", "Steps of remediation that were decided, also in a dry run.", "action", "reason")
        self.results = self._count("decision_results", "What became of them: Helped or DidNotHelp.", "action", "result")
        self.held = self._count("held_decisions", "Steps that were due and were held back, counted when that begins.", "reason")
        self.status_writes = self._count("status_writes", "Statuses that were worth a write.")

        self.bots = self._value("bots", "Bots by phase.", "phase")
        self.fleet_judged = self._value("fleet_judged", "Bots whose health is known.")
        self.fleet_sick = self._value("fleet_sick", "Of those, the ones with a cause for remediation.")

        self.polls = self._count("reports", "Reports of observers that were asked for, by source and result.", "source", "result")
        self.polls_prometheus = self._time("prometheus_round_duration_seconds", "Time of one round of queries to Prometheus.")

        self.api_calls = self._count("api_calls", "Calls to the API server, watches not counted; code 0: no answer.", "verb", "code")
        self.api_seconds = self._time("api_call_duration_seconds", "Time until the API server had answered.", "verb")

        self.watch_events = self._count("watch_events", "Events of watches.", "kind")
        self.watch_event_time = self._value(
            "watch_event_time_seconds", "When a watch last brought an event, seconds since the epoch.", "kind"
        )
        self.watch_missed = self._count("watch_missed", "Objects that a list had and the watch of their kind had not brought.", "kind")
        self.resync_time = self._value("resync_time_seconds", "When all objects were last listed, seconds since the epoch.")

        self.leader = self._value("leader", "1 for the operator that acts, 0 for one that waits.")
        self.leader_transitions = self._count("leader_transitions", "Times that this process took the lead.")
        self.monitoring_objects = self._value(
            "monitoring_objects", "Objects for monitoring that are wanted: present, failed, foreign or unsupported.", "kind", "state"
        )
        self.monitoring_failures = self._count(
            "monitoring_failures", "Looks at objects for monitoring, or calls to change one, that failed; kind is `all` for a look.", "kind"
        )
        self.loop_lag = self._value("event_loop_lag_seconds", "How late the operator's event loop last was.")
        self._begin_at_zero()

    # What several places count

    def count_decision(self, action: str, reason: Reason | str) -> None:
        """Count a step of remediation when it is decided; `action` is that of the history (DryRun for one)."""
        self.decisions.labels(action, _word(reason)).inc()

    def count_result(self, action: str, result: Reason | str) -> None:
        """Count what became of a step, when that is known."""
        self.results.labels(action, _word(result)).inc()

    def count_held(self, reason: Reason | str) -> None:
        """Count a step that is held back, when that begins."""
        self.held.labels(_word(reason)).inc()

    def count_restart(self, reason: Reason) -> None:
        """Count a pod that was replaced."""
        self.restarts.labels(reason.value).inc()

    def show_phases(self, counts: Mapping[str, int]) -> None:
        """Show how many bots there are in each phase."""
        for phase in Phase:
            self.bots.labels(phase.value).set(counts.get(phase.value, 0))

    def show_fleet(self, *, judged: int, sick: int) -> None:
        """Show how many bots are judged, and how many of those are sick."""
        self.fleet_judged.set(judged)
        self.fleet_sick.set(sick)

    def _begin_at_zero(self) -> None:
        """Have a series for all that remediation may count: one that appears as 1 has not grown, for Prometheus, and would not be seen."""
        for cause in LADDERS:
            for action in (*(step.value for step in Step), Reason.DRY_RUN.value):
                self.decisions.labels(action, cause.value)
        for step in Step:
            for result in (Reason.HELPED, Reason.DID_NOT_HELP):
                self.results.labels(step.value, result.value)
        for reason in _REPLACED:
            self.restarts.labels(reason.value)
        for reason in _HELD_BACK:
            self.held.labels(reason.value)

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def _count(self, name: str, text: str, *labels: str) -> Counter:
        self._describe(f"{name}_total", "counter", labels, text)
        return Counter(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

    def _value(self, name: str, text: str, *labels: str) -> Gauge:
        self._describe(name, "gauge", labels, text)
        return Gauge(f"{_PREFIX}_{name}", text, labels, registry=self.registry)

    def _time(self, name: str, text: str, *labels: str) -> Histogram:
        self._describe(name, "histogram", labels, text)
        return Histogram(f"{_PREFIX}_{name}", text, labels, buckets=_SHORT, registry=self.registry)

    def _describe(self, name: str, kind: str, labels: Sequence[str], text: str) -> None:
        self.described.append(Described(f"{_PREFIX}_{name}", kind, tuple(labels), text))


def _word(reason: Reason | str) -> str:
    return reason.value if isinstance(reason, Reason) else reason
