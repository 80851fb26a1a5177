"""The index of the runbooks, and the lines that each begins with: what an alert's rule says stands here once more, for people."""

from __future__ import annotations

import re
from typing import Final

from tradingbot_observability.rules.render import ALERTS, GROUPS
from tradingbot_observability.rules.rule import Alert, Group, Severity

HEADINGS: Final = ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation")
"""Of every runbook, in this order."""

_NOTICE: Final = "Generated from the rules by `make generate`; changes here are overwritten."
_INTRODUCTION: Final = (
    "One page for each alert: what it means, what it costs, how to find the cause, what ends it. `critical` is for somebody to get up, "
    "`warning` for the course of the day, `info` for whoever looks. Alerts about a bot keep quiet while it is paused, stopped or being "
    "deleted. Why the limits of objectives are what they are: [objectives](../explanation/objectives.md). What the operator does by "
    "itself before any of these: [remediation](../explanation/remediation.md). In the commands, NAME and NAMESPACE are the labels `bot` "
    "and `namespace` of the alert; an operator's namespace is taken to be `tradingbot-system`."
)
_ROUTING: Final = """## Routing

Nothing here needs a setting of Alertmanager, but a fleet is quieter with these: one message for all bots of a namespace, nothing about
single bots while most are sick at once, and of one budget only the most urgent word.

```yaml
route:
  group_by: [alertname, namespace]
  routes:
    - matchers: [severity="critical"]
      receiver: pager
inhibit_rules:
  - source_matchers: [alertname="TradingBotRemediationSuppressed"]
    target_matchers: [alertname=~"TradingBot(NotReady|Unhealthy|RestartStorm|RemediationHeld)"]
  - source_matchers: [severity="critical"]
    target_matchers: [severity=~"warning|info", alertname=~"TradingBot.+BudgetBurn"]
    equal: [alertname, namespace, bot]
```
"""
_TITLES: Final = {
    "tradingbot-budgets": "Objectives",
    "tradingbot-bot-alerts": "A bot",
    "tradingbot-remediation-alerts": "Healing",
    "tradingbot-operator-alerts": "The operator",
}


def head(name: str) -> str:
    """Return the first lines of a runbook."""
    return f"# {name}\n\n{_when(_alerts(name))}\n"


def render_runbook_index() -> str:
    """Return the page."""
    parts = ["# Runbooks", f"<!-- {_NOTICE} -->", _INTRODUCTION]
    parts += [f"## {_TITLES[group.name]}\n\n{_table(group)}" for group in GROUPS if group.name in _TITLES]
    return "\n\n".join([*parts, _ROUTING])


def _alerts(name: str) -> tuple[Alert, ...]:
    return tuple(alert for alert in ALERTS if alert.name == name)


def _table(group: Group) -> str:
    names = dict.fromkeys(rule.name for rule in group.rules if isinstance(rule, Alert))
    rows = [f"| [{name}]({name}.md) | {_severities(_alerts(name))} | {_says(_alerts(name)[0])} |" for name in names]
    return "\n".join(["| alert | severity | it says |", "|---|---|---|", *rows])


def _severities(alerts: tuple[Alert, ...]) -> str:
    found = {alert.severity for alert in alerts}
    return ", ".join(severity.value for severity in Severity if severity in found)


def _when(alerts: tuple[Alert, ...]) -> str:
    return f"Severity: {', '.join(dict.fromkeys(_condition(alert) for alert in alerts))}. [All runbooks](README.md)."


def _condition(alert: Alert) -> str:
    over = f" over {alert.labels['long']}" if "long" in alert.labels else ""
    return f"`{alert.severity.value}`{over} after {alert.for_minutes} minute{'s' if alert.for_minutes > 1 else ''}"


def _says(alert: Alert) -> str:
    """Return its summary with placeholders that people can read."""
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: match[1].upper(), alert.summary)
    text = text.replace("{{ $value | humanizePercentage }}", "N %").replace("{{ $value | humanizeDuration }}", "N s")
    return re.sub(r"\{\{ \$value[^}]*\}\}", "N", text)
