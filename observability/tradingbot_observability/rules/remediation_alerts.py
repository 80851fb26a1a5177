"""Alerts about healing: the operator has given up, is held back, or tries in vain."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.rules.bots import HELD, SHARDS, UNLESS_IDLE
from tradingbot_observability.rules.rule import Alert, Group, Severity
from tradingbot_observability.rules.series import BOT_HELD, operator_series
from tradingbot_operator.reasons import Reason

_BOT: Final = "{{ $labels.namespace }}/{{ $labels.bot }}"
_IN_VAIN_AN_HOUR: Final = 2

_ALERTED_APART: Final = "|".join(each.value for each in (Reason.BUDGET_SPENT, Reason.FLEET_SICK, Reason.QUARANTINED))

REMEDIATION_ALERTS: Final = Group(
    "tradingbot-remediation-alerts",
    30,
    (
        Alert(
            name="TradingBotRemediationSuppressed",
            expr=f'count by (namespace) ({BOT_HELD}{{reason="{Reason.FLEET_SICK.value}"}} == 1) > 0',
            for_minutes=1,
            severity=Severity.CRITICAL,
            summary="So many bots are sick at once that the operator in {{ $labels.namespace }} mends none of them",
            description=(
                "{{ $value }} sick bots are left alone because the cause must be one that they share: a database, a node, a network, "
                "prices, or a release. The kubelet still starts engines that died."
            ),
        ),
        Alert(
            name="TradingBotRemediationBudgetExhausted",
            expr=f'max by (namespace, bot) ({HELD}{{reason="{Reason.BUDGET_SPENT.value}"}}) {UNLESS_IDLE}',
            for_minutes=2,
            severity=Severity.CRITICAL,
            summary=f"Bot {_BOT} is sick, and the operator may do no more about it",
            description=(
                "All steps that health.remediation allows for now are taken, and it is sick again. The budget refills evenly; "
                "what makes it sick does not go away by itself."
            ),
        ),
        Alert(
            name="TradingBotRemediationHeld",
            expr=f'max by (namespace, bot, reason) ({HELD}{{reason!~"{_ALERTED_APART}"}}) {UNLESS_IDLE}',
            for_minutes=30,
            severity=Severity.WARNING,
            summary=f"Bot {_BOT} is sick, and for 30 minutes {{{{ $labels.reason }}}} has kept the operator from mending it",
            description=(
                "WaitingForPositions: lifecycle.updatePolicy does not let it restart an engine with open positions. RemediationSkipped, "
                "ReconcilePaused: an annotation holds the operator off. ExcludedPeriod: the spec does."
            ),
        ),
        Alert(
            name="TradingBotQuarantined",
            expr=f'max by (namespace, bot) ({SHARDS}{{state="quarantined"}}) > 0 {UNLESS_IDLE}',
            for_minutes=1,
            severity=Severity.CRITICAL,
            summary=f"{{{{ $value }}}} engines of bot {_BOT} are in quarantine",
            description=(
                "Restarts did not help, so the engine is fenced: it is up, trades nothing, and its positions are unattended. "
                "It waits for a person to change the spec, or the annotation tradingbot.dev/restart."
            ),
        ),
        Alert(
            name="TradingBotRemediationDidNotHelp",
            expr=f"""
            sum by (namespace, action) (
              increase({operator_series("decision_results_total")}{{result="{Reason.DID_NOT_HELP.value}"}}[1h])
            ) > {_IN_VAIN_AN_HOUR}
            """,
            for_minutes=1,
            severity=Severity.WARNING,
            summary="{{ $labels.action }} did not help {{ $value | humanize }} times in an hour",
            description=(
                "Of the bots of the operator in {{ $labels.namespace }}. The same step in vain again and again means that the cause "
                "is none that it mends. Which bots: status.remediation.history, or the dashboard of the fleet."
            ),
        ),
    ),
)
