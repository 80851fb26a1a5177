"""A case of an alert: series as a Prometheus would have scraped them, a moment, and what fires then.

Series stand in promtool's own notation, with names and labels spelt out: they are the contract with those who export them, and no name
comes from the tables that the rules take theirs from. Texts are expected with the labels and the value of the case filled in, so a label
that an expression loses, or a value of another unit, is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tradingbot_observability.promql import metric_names
from tradingbot_observability.rules.render import ALERTS, GROUPS, RECORDING_RULES, runbook_url
from tradingbot_observability.rules.rule import Alert, Group, RecordingRule

BOT = 'namespace="trading", bot="momentum"'
ENGINE = f'job="tradingbot", container="engine", {BOT}, pod="momentum-0"'
OBSERVER = f'job="tradingbot", container="observer", {BOT}, pod="momentum-0"'
OPERATOR = 'job="tradingbot-operator", namespace="tradingbot-system", pod="operator-1"'
OF_BOT = f'{OPERATOR}, bot_namespace="trading", bot="momentum"'

WHO = {"namespace": "trading", "bot": "momentum"}
WHICH = WHO | {"pod": "momentum-0"}
WHERE = {"namespace": "tradingbot-system"}

RESUMED = {f'tradingbot_bot_lifecycle{{{OF_BOT}, state="Running"}}': "1x600"}
PAUSED = {f'tradingbot_bot_lifecycle{{{OF_BOT}, state="Paused"}}': "1x600"}
STOPPED = {f'tradingbot_bot_lifecycle{{{OF_BOT}, state="Stopped"}}': "1x600"}
DELETED = {f'tradingbot_bot_phase{{{OF_BOT}, phase="Deleting"}}': "1x600"}
SAID_PAUSE = {f'tradingbot_observer_engine_info{{{OBSERVER}, activity="Pause"}}': "1x600"}
"""The observer's memory of its engine's last word, which counts while no operator says what is wanted."""


class Firing(Struct, frozen=True):
    """An alert as it arrives."""

    labels: Mapping[str, str]
    """Beside its name."""
    value: str = ""
    """As its texts show it."""


class Case(Struct, frozen=True, kw_only=True):
    """One world, looked at once."""

    alert: str
    when: str
    """In words."""
    series: Mapping[str, str]
    """Values by series, one each minute."""
    at_minutes: int
    fires: Sequence[Firing] = ()
    """Empty: it does not."""


def critical(labels: Mapping[str, str], value: str = "") -> tuple[Firing, ...]:
    return (Firing({**labels, "severity": "critical"}, value),)


def warning(labels: Mapping[str, str], value: str = "") -> tuple[Firing, ...]:
    return (Firing({**labels, "severity": "warning"}, value),)


def find_alert(name: str, labels: Mapping[str, str]) -> Alert:
    """Return the one of that name that has these labels."""
    found = [
        each for each in ALERTS if each.name == name and each.severity.value == labels["severity"] and each.labels.items() <= labels.items()
    ]
    assert len(found) == 1, f"{name} with {labels}: {len(found)} alerts"
    return found[0]


def fill(text: str, firing: Firing) -> str:
    """Return a text of an alert as people get it."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: firing.labels[match[1]], text)
    return re.sub(r"\{\{ \$value[^}]*\}\}", firing.value, text)


def render_cases(cases: Iterable[Case], rules: str) -> dict[str, Any]:
    """Return cases as a file of promtool's."""
    return {
        "rule_files": [rules],
        "evaluation_interval": "1m",
        "group_eval_order": [group.name for group in GROUPS],
        "tests": [_render(case) for case in cases],
    }


def rules_of(name: str) -> tuple[Group, ...]:
    """Return the rules of one alert with all that they read: the same answers as with all rules, in a tenth of the time."""
    alerts = [alert for alert in ALERTS if alert.name == name]
    needed = {read for alert in alerts for read in metric_names(alert.expr)}
    recording = [rule for rule in RECORDING_RULES if _is_of_objective(rule, alerts)]
    for _ in GROUPS:
        needed |= {read for rule in recording if rule.record in needed for read in metric_names(rule.expr)}
    wanted = [*alerts, *(rule for rule in recording if rule.record in needed)]
    kept = (Group(group.name, group.interval_seconds, tuple(rule for rule in group.rules if rule in wanted)) for group in GROUPS)
    return tuple(group for group in kept if group.rules)


def _is_of_objective(rule: RecordingRule, alerts: Iterable[Alert]) -> bool:
    objective = rule.labels.get("objective")
    return objective is None or any(f'objective="{objective}"' in alert.expr for alert in alerts)


def _render(case: Case) -> dict[str, Any]:
    expected = [_expect(case.alert, firing) for firing in case.fires]
    return {
        "name": f"{case.alert}: {case.when}",
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"alertname": case.alert, "eval_time": f"{case.at_minutes}m", "exp_alerts": expected}],
    }


def _expect(name: str, firing: Firing) -> dict[str, Any]:
    alert = find_alert(name, firing.labels)
    texts = {"summary": fill(alert.summary, firing), "description": fill(alert.description, firing), "runbook_url": runbook_url(alert)}
    return {"exp_labels": dict(firing.labels), "exp_annotations": texts}
