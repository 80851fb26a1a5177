"""Alerts about the operator itself. Engines trade on without it; nobody mends them, and no change arrives."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.rules.rule import Alert, Group, Severity
from tradingbot_observability.rules.series import OPERATOR_JOB, operator_series

_WHERE: Final = "{{ $labels.namespace }}"
_API_FAILURES: Final = 0.05
_LAG_SECONDS: Final = 1
_CALLS: Final = operator_series("api_calls_total")
_REPORTS: Final = operator_series("reports_total")

OPERATOR_ALERTS: Final = Group(
    "tradingbot-operator-alerts",
    30,
    (
        Alert(
            name="TradingBotOperatorDown",
            expr=f'absent(up{{job="{OPERATOR_JOB}"}} == 1)',
            for_minutes=15,
            severity=Severity.CRITICAL,
            summary="No TradingBot operator has been up for 15 minutes",
            description=(
                "Engines trade on, and the kubelet starts those that die. Nothing else is mended, no change of a resource arrives, "
                "and no other alert that rests on the operator's word can fire."
            ),
        ),
        Alert(
            name="TradingBotOperatorNoLeader",
            expr=f"max by (namespace) ({operator_series('leader')}) == 0",
            for_minutes=5,
            severity=Severity.CRITICAL,
            summary=f"No TradingBot operator in {_WHERE} leads",
            description="Operators are up, and none of them acts. It is as if there were no operator. Look at their Lease and their logs.",
        ),
        Alert(
            name="TradingBotOperatorReconcileErrors",
            expr=f'sum by (namespace) (increase({operator_series("reconciles_total")}{{result="error"}}[10m])) > 0',
            for_minutes=10,
            severity=Severity.WARNING,
            summary=f"Passes of the TradingBot operator in {_WHERE} end with errors",
            description=(
                "{{ $value | humanize }} in ten minutes. An error is what the operator does not expect; the bot concerned stays as it is. "
                "The log has the trace and the name of the bot."
            ),
        ),
        Alert(
            name="TradingBotOperatorWatchStale",
            expr=f"sum by (namespace, pod, kind) (increase({operator_series('watch_missed_total')}[15m])) > 0",
            for_minutes=10,
            severity=Severity.WARNING,
            summary="The watch of {{ $labels.kind }} of operator {{ $labels.pod }} misses changes",
            description=(
                "A list showed objects that the watch had not brought. Twice in a row ends the process, and the next one watches anew; "
                "if that does not end it, something between operator and API server loses the watch."
            ),
        ),
        Alert(
            name="TradingBotOperatorEventLoopSlow",
            expr=f"max by (namespace, pod) (avg_over_time({operator_series('event_loop_lag_seconds')}[5m])) > {_LAG_SECONDS}",
            for_minutes=10,
            severity=Severity.WARNING,
            summary="The operator {{ $labels.pod }} is overworked: its event loop is {{ $value | humanizeDuration }} late",
            description=(
                "Everything that it does comes late by that. It needs more CPU, or fewer bots; above 10 s its liveness probe fails."
            ),
        ),
        Alert(
            name="TradingBotOperatorAPIErrors",
            expr=f"""
            sum by (namespace) (rate({_CALLS}{{code=~"0|429|5.."}}[5m]))
            / sum by (namespace) (rate({_CALLS}[5m]))
            > {_API_FAILURES}
            """,
            for_minutes=15,
            severity=Severity.WARNING,
            summary=f"{{{{ $value | humanizePercentage }}}} of the calls of the TradingBot operator in {_WHERE} to the API server fail",
            description=(
                "No answer, too many requests, or an error of the server. The operator tries again with growing pauses; "
                "until then changes and mending wait."
            ),
        ),
        Alert(
            name="TradingBotOperatorPrometheusUnreachable",
            expr=f"""
            sum by (namespace) (increase({_REPORTS}{{source="prometheus", result="unreachable"}}[5m])) > 0
            unless on (namespace)
            sum by (namespace) (increase({_REPORTS}{{source="prometheus", result="answered"}}[5m])) > 0
            """,
            for_minutes=10,
            severity=Severity.WARNING,
            summary=f"The TradingBot operator in {_WHERE} gets no answer from its Prometheus",
            description=(
                "It is told to take the reports of observers from Prometheus, so it knows of no bot how it is, and mends none. "
                "What the kubelet says of crashing engines still counts."
            ),
        ),
        Alert(
            name="TradingBotOperatorMonitoringFailing",
            expr=f'max by (namespace, kind, state) ({operator_series("monitoring_objects")}{{state=~"failed|foreign"}}) > 0',
            for_minutes=30,
            severity=Severity.WARNING,
            summary=f"The TradingBot operator in {_WHERE} can't keep every {{{{ $labels.kind }}}}: {{{{ $labels.state }}}}",
            description=(
                "failed: the API server refuses it. foreign: somebody else's object has its name, and is not touched. "
                "Until then targets, rules or dashboards may be missing or old."
            ),
        ),
    ),
)
