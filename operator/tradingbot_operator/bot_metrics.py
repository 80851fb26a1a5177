"""Series about single bots, for dashboards and alerts: the only ones of a bot that has no pod.

They are made when somebody scrapes, from what the last pass over each bot found, so they are as fresh as the operator's own opinion and
cost nothing between two scrapes. Only the operator that leads has them: two with an opinion would show every bot twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tradingbot_operator.bot_figures import BotFigures, budget_left
from tradingbot_operator.cache import BotKey
from tradingbot_operator.metrics import Described

_PREFIX: Final = "tradingbot_bot"
_BOT: Final = ("bot_namespace", "bot")


def _describe(name: str, text: str, *labels: str, kind: str = "gauge") -> Described:
    return Described(f"{_PREFIX}_{name}", kind, (*_BOT, *labels), text)


PHASE: Final = _describe("phase", "1 for the phase that the bot is in.", "phase")
LIFECYCLE: Final = _describe("lifecycle", "1 for what `spec.lifecycle.state` asks for: Running, Paused or Stopped.", "state")
CONDITION: Final = _describe("condition", "1 for what each condition of the bot says now.", "condition", "status", "reason")
HEALTH_SCORE: Final = _describe("health_score", "Health, 0 to 100, as in the status; absent while it is not known.")
SHARDS: Final = _describe("shards", "Engines of the bot: desired, ready or quarantined.", "state")
RESTARTS: Final = _describe("restarts_total", "Restarts of all engines over the life of the bot, roll-outs not counted.", kind="counter")
BUDGET_REMAINING: Final = _describe("remediation_budget_remaining", "Steps of remediation that are left now; it refills evenly.")
BUDGET_LIMIT: Final = _describe("remediation_budget_limit", "Steps that the full budget holds (`maxActions`).")
HELD: Final = _describe("remediation_held", "1 while a step of remediation is due and held back, by why.", "reason")
LAST_DECISION: Final = _describe(
    "last_decision_time_seconds", "When a step was last decided, of the last ten, seconds since the epoch.", "action", "reason"
)

BOT_METRICS: Final = (PHASE, LIFECYCLE, CONDITION, HEALTH_SCORE, SHARDS, RESTARTS, BUDGET_REMAINING, BUDGET_LIMIT, HELD, LAST_DECISION)
"""Every metric, in the order of the reference."""


class BotSample(NamedTuple):
    """One value of a metric."""

    metric: Described
    labels: tuple[str, ...]
    """In the order of the metric's."""
    value: float


def bot_samples(bots: Iterable[tuple[BotKey, BotFigures]], *, now: float) -> Iterator[BotSample]:
    """Return all that is shown of bots; what is not known is not there."""
    for key, figures in bots:
        bot = (key.namespace, key.name)
        if figures.phase:
            yield BotSample(PHASE, (*bot, figures.phase), 1.0)
        if figures.lifecycle:
            yield BotSample(LIFECYCLE, (*bot, figures.lifecycle), 1.0)
        for condition in figures.conditions:
            yield BotSample(CONDITION, (*bot, *condition), 1.0)
        if figures.health_score is not None:
            yield BotSample(HEALTH_SCORE, bot, figures.health_score)
        if figures.shards_desired is not None:
            yield BotSample(SHARDS, (*bot, "desired"), float(figures.shards_desired))
        yield BotSample(SHARDS, (*bot, "ready"), float(figures.shards_ready))
        yield BotSample(SHARDS, (*bot, "quarantined"), float(figures.shards_quarantined))
        yield BotSample(RESTARTS, bot, float(figures.restarts))
        if figures.budget is not None:
            yield BotSample(BUDGET_REMAINING, bot, budget_left(figures.budget, now))
            yield BotSample(BUDGET_LIMIT, bot, float(figures.budget.max_actions))
        for reason in figures.held:
            yield BotSample(HELD, (*bot, reason), 1.0)
        for decision in figures.decisions:
            yield BotSample(LAST_DECISION, (*bot, decision.action, decision.reason), decision.at_seconds)


class BotSeries(Collector):
    """What the last pass over each bot found, and the series that are made of it."""

    def __init__(self, is_leading: Callable[[], bool], *, clock: Callable[[], float] = time.time) -> None:
        self._is_leading = is_leading
        self._clock = clock
        self._bots: dict[BotKey, BotFigures] = {}

    def note(self, key: BotKey, figures: BotFigures) -> None:
        """Note what a pass found."""
        self._bots[key] = figures

    def forget(self, key: BotKey) -> None:
        """Forget a bot that is gone."""
        self._bots.pop(key, None)

    def collect(self) -> Iterator[Metric]:
        """Return every metric with its samples; called by the registry, and not on the event loop's thread."""
        families = {metric: _family(metric) for metric in BOT_METRICS}
        # A copy, made in one go: the loop goes on with its passes meanwhile.
        bots = list(self._bots.items()) if self._is_leading() else []
        for sample in bot_samples(bots, now=self._clock()):
            families[sample.metric].add_metric(sample.labels, sample.value)
        yield from families.values()


def _family(metric: Described) -> GaugeMetricFamily | CounterMetricFamily:
    if metric.kind == "counter":
        return CounterMetricFamily(metric.name.removesuffix("_total"), metric.text, labels=metric.labels)
    return GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
