"""Alerts about single bots: what the operator says of them, and what their engines and observers say.

Reasons that change while the trouble is one (pending, starting, crash-looping) are not among the labels of an alert: each change would
begin its waiting anew. The observer's findings have the limits and the windows of the bot's own spec; an alert only adds how long
it may go on before a person has to look.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import FindingReason
from tradingbot_contract.report import Severity as FindingSeverity
from tradingbot_observability.rules.bots import CONDITION, PHASE, SHARDS, UNLESS_IDLE, any_of, of_bot
from tradingbot_observability.rules.rule import Alert, Group, Severity
from tradingbot_observability.rules.series import (
    BOT_RESTARTS,
    ENGINE_JOB,
    FINDINGS,
    ORDERS_UNKNOWN,
    RISK_BREACHED,
    STRATEGY_HALTED,
)
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.reasons import Reason

_BOT: Final = "{{ $labels.namespace }}/{{ $labels.bot }}"
_POD: Final = "{{ $labels.pod }}"
_RESTARTS_AN_HOUR: Final = 5
"""As many as remediation may take in vain before it gives an engine up (`health.remediation.quarantineAfter`)."""

_ALERTED_APART: Final = "|".join(each.value for each in (Reason.QUARANTINED, Reason.DATABASE_DOWN, Reason.FEED_STALE))
_NOBODY_KNOWS: Final = "|".join(
    each.value for each in (Reason.OBSERVER_UNREACHABLE, Reason.REPORT_STALE, Reason.REPORT_INVALID, Reason.PROMETHEUS_UNREACHABLE)
)
_NOT_RUNNABLE: Final = "|".join(each.value for each in (Reason.SPEC_INVALID, Reason.ACCOUNT_CONFLICT))
_GETS_NOWHERE: Final = "|".join(each.value for each in (Reason.ROLLOUT_STALLED, Reason.CHILD_REFUSED, Reason.CHILD_CONFLICT))


def _condition(kind: str, status: str, *, reason: str = "") -> str:
    return f'{CONDITION}{{condition="{kind}", status="{status}"{f", {reason}" if reason else ""}}}'


def _finding(*reasons: FindingReason, severity: FindingSeverity | None = None) -> str:
    """Return the pods whose observer finds one of these now."""
    words = "|".join(reason.value for reason in reasons)
    narrowed = f', severity="{severity.value}"' if severity else ""
    return f'max by (namespace, bot, pod, reason) ({FINDINGS}{{reason=~"{words}"{narrowed}}}) == 1 {UNLESS_IDLE}'


def _metrics_absent(container: str) -> Alert:
    ready = f'max by (namespace, bot) ({SHARDS}{{state="ready"}})'
    return Alert(
        name="TradingBotMetricsAbsent",
        expr=f"""
        {ready}
        > on (namespace, bot) (
          count by (namespace, bot) (up{{job="{ENGINE_JOB}", container="{container}"}} == 1)
          or on (namespace, bot) 0 * {ready}
        )
        {UNLESS_IDLE}
        """,
        for_minutes=15,
        severity=Severity.WARNING,
        labels={"container": container},
        summary=f"Prometheus does not get the metrics of every {container} of bot {_BOT}",
        description=(
            f"{{{{ $value }}}} engines are ready, and for fewer of them the target of the container {container} is there and up. "
            "What is not scraped raises no other alert: look at the targets of Prometheus, and at monitoring.scrapeNamespaces."
        ),
    )


BOT_ALERTS: Final = Group(
    "tradingbot-bot-alerts",
    30,
    (
        Alert(
            name="TradingBotNotReady",
            expr=f"""
            max by (namespace, bot) (
              {_condition("Ready", "False")}
              and on (namespace, bot) {PHASE}{{phase=~"{any_of((Phase.PENDING, Phase.STARTING, Phase.UNHEALTHY, Phase.FAILED))}"}}
            )
            {UNLESS_IDLE}
            """,
            for_minutes=15,
            severity=Severity.WARNING,
            summary=f"Bot {_BOT} has not been ready for 15 minutes",
            description=(
                "It should trade, and not all of its engines are up. Its condition Ready says where the first one is stuck: "
                "no node, no image, no volume, or an engine that does not come up."
            ),
        ),
        Alert(
            name="TradingBotUnhealthy",
            expr=f"""
            max by (namespace, bot) ({_condition("Healthy", "False", reason=f'reason!~"{_ALERTED_APART}"')}) {UNLESS_IDLE}
            """,
            for_minutes=10,
            severity=Severity.WARNING,
            summary=f"Bot {_BOT} has been unhealthy for 10 minutes",
            description=(
                "Remediation has had ten minutes and did not mend it, or may not try. Its condition Healthy names what is wrong, "
                "status.remediation what was done about it."
            ),
        ),
        Alert(
            name="TradingBotHealthUnknown",
            expr=f"""
            max by (namespace, bot) ({_condition("Healthy", "Unknown", reason=f'reason=~"{_NOBODY_KNOWS}"')}) {UNLESS_IDLE}
            """,
            for_minutes=15,
            severity=Severity.WARNING,
            summary=f"Nobody has known for 15 minutes how bot {_BOT} is",
            description=(
                "The operator gets no report that it can use, so it does nothing about this bot, whatever is wrong with it. "
                "The engine may well be trading. The condition Healthy says what stands between them."
            ),
        ),
        _metrics_absent("engine"),
        _metrics_absent("observer"),
        Alert(
            name="TradingBotRestartStorm",
            expr=f"""
            sum by (namespace, bot) ({of_bot(f"increase({BOT_RESTARTS}[1h])")}) > {_RESTARTS_AN_HOUR} {UNLESS_IDLE}
            """,
            for_minutes=1,
            severity=Severity.WARNING,
            summary=f"The engines of bot {_BOT} were restarted {{{{ $value | humanize }}}} times in an hour",
            description=(
                "Each restart is a gap in trading, also when each one helps. What ends the engine stands in "
                "status.shards[].lastExit and lastRestartReason."
            ),
        ),
        Alert(
            name="TradingBotNotAccepted",
            expr=f"""
            max by (namespace, bot, reason) ({_condition("Accepted", "False", reason=f'reason=~"{_NOT_RUNNABLE}"')}) {UNLESS_IDLE}
            """,
            for_minutes=5,
            severity=Severity.WARNING,
            summary=f"Bot {_BOT} can't be run as it is: {{{{ $labels.reason }}}}",
            description=(
                "AccountConflict: another bot trades the same account and symbol, and this one gets no pod. SpecInvalid: the stored "
                "resource breaks a bound, and its children stay as they are. Only a change of the resource ends it."
            ),
        ),
        Alert(
            name="TradingBotConfigRefused",
            expr=_finding(FindingReason.DOCUMENT_REFUSED),
            for_minutes=5,
            severity=Severity.WARNING,
            summary=f"The engine {_POD} of bot {_BOT} refuses its configuration",
            description=(
                "It goes on with the last configuration that it could take, or trades nothing if there was none. "
                "The condition Accepted has the engine's words, which name the field."
            ),
        ),
        Alert(
            name="TradingBotRolloutStalled",
            expr=f"""
            max by (namespace, bot, reason) ({_condition("Progressing", "False", reason=f'reason=~"{_GETS_NOWHERE}"')}) {UNLESS_IDLE}
            """,
            for_minutes=5,
            severity=Severity.WARNING,
            summary=f"A change of bot {_BOT} does not get on: {{{{ $labels.reason }}}}",
            description=(
                "RolloutStalled: a pod of the new spec does not come up, and the others are left as they are. ChildRefused, "
                "ChildConflict: a child can't be made as the resource wants it. Applying the old spec takes it back."
            ),
        ),
        Alert(
            name="TradingBotFeedStale",
            expr=_finding(FindingReason.FEED_STALE),
            for_minutes=5,
            severity=Severity.CRITICAL,
            summary=f"The engine {_POD} of bot {_BOT} gets no prices",
            description=(
                "A bar is due, and none was processed for longer than health.staleAfterSeconds. Its positions are unattended: "
                "a restart would not help, so the operator makes none."
            ),
        ),
        Alert(
            name="TradingBotDatabaseDown",
            expr=_finding(FindingReason.DATABASE_DOWN),
            for_minutes=2,
            severity=Severity.CRITICAL,
            summary=f"The engine {_POD} of bot {_BOT} can't use its database and sends no orders",
            description=(
                "It takes prices and waits; it goes on by itself when the database is back. "
                "If several bots say so, the database or the way to it is the cause."
            ),
        ),
        Alert(
            name="TradingBotDependencyDown",
            expr=_finding(FindingReason.REDIS_DOWN, FindingReason.DEPENDENCY_DOWN, severity=FindingSeverity.WARNING),
            for_minutes=10,
            severity=Severity.WARNING,
            summary=f"The engine {_POD} of bot {_BOT} does without something that it needs: {{{{ $labels.reason }}}}",
            description=(
                "RedisDown: it trades on, with a first level of caches only. DependencyDown: it gets no news, and trades without. "
                "It goes back to normal by itself."
            ),
        ),
        Alert(
            name="TradingBotPoolExhausted",
            expr=_finding(FindingReason.POOL_EXHAUSTED),
            for_minutes=5,
            severity=Severity.WARNING,
            summary=f"The engine {_POD} of bot {_BOT} has no free connections",
            description=(
                "All connections of a pool have been borrowed for minutes and somebody waits. A pool that is too small recovers between "
                "bursts; one that never does has a connection that is not given back, or a database that does not answer."
            ),
        ),
        Alert(
            name="TradingBotJournalBehind",
            expr=_finding(FindingReason.JOURNAL_BEHIND),
            for_minutes=5,
            severity=Severity.WARNING,
            summary=f"The engine {_POD} of bot {_BOT} waits for its journal",
            description=(
                "What it has done is not durable yet, for longer than a commit takes. It stops taking prices before the backlog "
                "grows past its bound."
            ),
        ),
        Alert(
            name="TradingBotMemoryNearLimit",
            expr=_finding(FindingReason.MEMORY_HIGH),
            for_minutes=10,
            severity=Severity.WARNING,
            summary=f"The engine {_POD} of bot {_BOT} is near its memory limit",
            description=(
                "Memory is above health.memoryWarningPercent, and in ten minutes neither smaller caches, a raised limit nor a lower "
                "memory mode have helped. At the limit the kernel ends the engine."
            ),
        ),
        Alert(
            name="TradingBotOrdersUnknown",
            expr=f"max by (namespace, bot, pod) ({ORDERS_UNKNOWN}) > 0 {UNLESS_IDLE}",
            for_minutes=5,
            severity=Severity.CRITICAL,
            summary=f"Nobody knows what became of {{{{ $value }}}} orders of bot {_BOT}",
            description=(
                f"The engine {_POD} sent them and could not find out for five minutes whether the broker has them. "
                "Look at the broker before anything else is sent."
            ),
        ),
        Alert(
            name="TradingBotRiskBreached",
            expr=f"max by (namespace, bot, pod, limit) ({RISK_BREACHED}) == 1 {UNLESS_IDLE}",
            for_minutes=1,
            severity=Severity.CRITICAL,
            summary=f"Bot {_BOT} has lost more than {{{{ $labels.limit }}}} allows",
            description=(
                f"The engine {_POD} does what risk.onBreach says: it only reduces, halts, or has sold everything. "
                "Whether it is to go on trading is a person's decision."
            ),
        ),
        Alert(
            name="TradingBotStrategyHalted",
            expr=f"max by (namespace, bot, pod) ({STRATEGY_HALTED}) == 1 {UNLESS_IDLE}",
            for_minutes=1,
            severity=Severity.CRITICAL,
            summary=f"The strategy of bot {_BOT} is no longer asked",
            description=(
                f"In {_POD} it failed too often in a row. Prices are taken and nothing is decided on them: positions are unattended "
                "until the engine starts anew, with a strategy that works."
            ),
        ),
    ),
)
