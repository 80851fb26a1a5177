from __future__ import annotations

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tradingbot_operator.bot_figures import BotFigures, budget_left, build_figures
from tradingbot_operator.bot_metrics import BOT_METRICS, BotSeries, bot_samples
from tradingbot_operator.bot_status import (
    Budget,
    Condition,
    ConditionStatus,
    Decision,
    HealthSummary,
    Phase,
    Quarantine,
    RemediationRecord,
    Shard,
    TradingBotStatus,
)
from tradingbot_operator.cache import BotKey
from tradingbot_operator.metrics_reference import render_operator_metrics_reference
from tradingbot_operator.reasons import Reason
from tradingbot_operator.timestamp import format_time

KEY = BotKey("alpha", "momentum")
NOW = 1_800_000_000.0

STATUS = TradingBotStatus(
    phase=Phase.UNHEALTHY,
    restarts=7,
    conditions=[Condition(type="Ready", status=ConditionStatus.FALSE, reason="CrashLooping")],
    health=HealthSummary(score=81.5),
    shards=[
        Shard(name="momentum-0", ready=True),
        Shard(name="momentum-1", quarantine=Quarantine(reason="CrashLooping")),
    ],
    remediation=RemediationRecord(
        budget=Budget(max_actions=4, per_seconds=3600, remaining=1, level=1.0, as_of=format_time(NOW - 900)),
        history=[
            Decision(time=format_time(NOW - 600), action="RestartPod", reason="CrashLooping"),
            Decision(time=format_time(NOW - 60), action="RestartPod", reason="CrashLooping"),
            Decision(time=format_time(NOW - 30), action="Quarantine", reason="CrashLooping"),
        ],
    ),
)
HELD = (Reason.BUDGET_SPENT, Reason.QUARANTINED, Reason.BUDGET_SPENT)


def shown(figures: BotFigures, *, now: float = NOW) -> dict[tuple[str, ...], float]:
    return {
        (sample.metric.name.removeprefix("tradingbot_bot_"), *sample.labels[2:]): sample.value
        for sample in bot_samples([(KEY, figures)], now=now)
    }


def test_everything_that_is_known_of_a_bot_is_shown() -> None:
    assert shown(build_figures(STATUS, lifecycle="Paused", shards_desired=3, held=HELD)) == {
        ("phase", "Unhealthy"): 1.0,
        ("lifecycle", "Paused"): 1.0,
        ("condition", "Ready", "False", "CrashLooping"): 1.0,
        ("health_score",): 81.5,
        ("shards", "desired"): 3.0,
        ("shards", "ready"): 1.0,
        ("shards", "quarantined"): 1.0,
        ("restarts_total",): 7.0,
        ("remediation_budget_remaining",): 2.0,
        ("remediation_budget_limit",): 4.0,
        ("remediation_held", "BudgetSpent"): 1.0,
        ("remediation_held", "Quarantined"): 1.0,
        ("last_decision_time_seconds", "RestartPod", "CrashLooping"): NOW - 60,
        ("last_decision_time_seconds", "Quarantine", "CrashLooping"): NOW - 30,
    }


def test_what_is_not_known_is_absent_and_not_0() -> None:
    assert set(shown(build_figures(TradingBotStatus()))) == {
        ("shards", "ready"),
        ("shards", "quarantined"),
        ("restarts_total",),
    }


@pytest.mark.parametrize(
    ("budget", "left"),
    [
        (Budget(max_actions=3, per_seconds=3600, level=3.0), 3.0),
        (Budget(max_actions=3, per_seconds=3600, level=0.0, as_of=format_time(NOW)), 0.0),
        (Budget(max_actions=3, per_seconds=3600, level=0.5, as_of=format_time(NOW - 1200)), 1.5),
        (Budget(max_actions=3, per_seconds=3600, level=0.5, as_of=format_time(NOW - 90_000)), 3.0),
        (Budget(max_actions=3, per_seconds=3600, level=0.5, as_of=format_time(NOW + 60)), 0.5),
        (Budget(max_actions=0, per_seconds=3600, level=0.0), 0.0),
    ],
)
def test_the_budget_refills_with_the_clock_of_the_scrape(budget: Budget, left: float) -> None:
    assert budget_left(budget, NOW) == pytest.approx(left)


def scrape(series: BotSeries) -> Sequence[tuple[str, str, dict[str, str], float]]:
    registry = CollectorRegistry()
    registry.register(series)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [(family.type, sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


def test_only_the_operator_that_leads_shows_bots_and_one_that_is_gone_is_shown_no_more() -> None:
    leads = [False]
    series = BotSeries(lambda: leads[0], clock=lambda: NOW)
    series.note(KEY, build_figures(STATUS, shards_desired=2))
    assert scrape(series) == []
    leads[0] = True
    labels = {"bot_namespace": "alpha", "bot": "momentum"}
    assert ("gauge", "tradingbot_bot_phase", labels | {"phase": "Unhealthy"}, 1.0) in scrape(series)
    assert ("counter", "tradingbot_bot_restarts_total", labels, 7.0) in scrape(series)
    series.note(KEY, build_figures(TradingBotStatus(phase=Phase.RUNNING), shards_desired=2))
    assert [labels["phase"] for _, name, labels, _ in scrape(series) if name == "tradingbot_bot_phase"] == ["Running"]
    series.forget(KEY)
    series.forget(KEY)
    assert scrape(series) == []


def test_what_is_served_of_bots_is_described_with_its_kind_and_labels() -> None:
    series = BotSeries(lambda: True, clock=lambda: NOW)
    series.note(KEY, build_figures(STATUS, lifecycle="Paused", shards_desired=3, held=HELD))
    served = {name: (kind, set(labels)) for kind, name, labels, _ in scrape(series)}
    assert served == {each.name: (each.kind, set(each.labels)) for each in BOT_METRICS}
    page = render_operator_metrics_reference((), BOT_METRICS)
    for each in BOT_METRICS:
        assert f"| `{each.name}` | {each.kind} |" in page
