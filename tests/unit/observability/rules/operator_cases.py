"""Cases of the alerts about the operator."""

from __future__ import annotations

from rule_case import OPERATOR, WHERE, Case, critical, warning

UP = f"up{{{OPERATOR}}}"
UP_OTHER = f"up{{{OPERATOR.replace('operator-1', 'operator-2')}}}"
LEADER = f"tradingbot_operator_leader{{{OPERATOR}}}"
LEADER_OTHER = f"tradingbot_operator_leader{{{OPERATOR.replace('operator-1', 'operator-2')}}}"
LAG = f"tradingbot_operator_event_loop_lag_seconds{{{OPERATOR}}}"


def reconciles(result: str, values: str) -> dict[str, str]:
    return {f'tradingbot_operator_reconciles_total{{{OPERATOR}, result="{result}"}}': values}


def missed(values: str) -> dict[str, str]:
    return {f'tradingbot_operator_watch_missed_total{{{OPERATOR}, kind="Pod"}}': values}


def calls(code: str, values: str) -> dict[str, str]:
    return {f'tradingbot_operator_api_calls_total{{{OPERATOR}, verb="get", code="{code}"}}': values}


def reports(result: str, values: str) -> dict[str, str]:
    return {f'tradingbot_operator_reports_total{{{OPERATOR}, source="prometheus", result="{result}"}}': values}


def monitoring(state: str, values: str) -> dict[str, str]:
    return {f'tradingbot_operator_monitoring_objects{{{OPERATOR}, kind="PrometheusRule", state="{state}"}}': values}


OPERATOR_CASES = (
    Case(
        alert="TradingBotOperatorDown",
        when="both are gone, one as a target that is down",
        series={UP: "1x5 0x60", UP_OTHER: "1x5 stale"},
        at_minutes=21,
        fires=critical({}),
    ),
    Case(alert="TradingBotOperatorDown", when="one of two is", series={UP: "1x60", UP_OTHER: "0x60"}, at_minutes=30),
    Case(alert="TradingBotOperatorDown", when="they are back in time", series={UP: "1x5 0x14 1x60"}, at_minutes=20),
    Case(
        alert="TradingBotOperatorNoLeader",
        when="two wait for each other",
        series={LEADER: "0x60", LEADER_OTHER: "0x60"},
        at_minutes=5,
        fires=critical(WHERE),
    ),
    Case(alert="TradingBotOperatorNoLeader", when="one leads", series={LEADER: "0x60", LEADER_OTHER: "1x60"}, at_minutes=30),
    Case(
        alert="TradingBotOperatorNoLeader",
        when="the other takes over in time",
        series={LEADER: "1x5 0x60", LEADER_OTHER: "0x10 1x60"},
        at_minutes=10,
    ),
    Case(
        alert="TradingBotOperatorReconcileErrors",
        when="a pass fails again and again",
        series=reconciles("error", "0x5 1+1x60"),
        at_minutes=25,
        fires=warning(WHERE, "10"),
    ),
    Case(
        alert="TradingBotOperatorReconcileErrors",
        when="passes are put off because the API server does not answer",
        series=reconciles("unavailable", "0+1x60") | reconciles("error", "3x60"),
        at_minutes=40,
    ),
    Case(
        alert="TradingBotOperatorReconcileErrors",
        when="one failed, once",
        series=reconciles("error", "0x5 1x60"),
        at_minutes=25,
    ),
    Case(
        alert="TradingBotOperatorWatchStale",
        when="it misses something at each list",
        series=missed("0x5 1x4 2x4 3x4 4x4 5x60"),
        at_minutes=30,
        fires=warning(WHERE | {"pod": "operator-1", "kind": "Pod"}),
    ),
    Case(alert="TradingBotOperatorWatchStale", when="it missed something once, long ago", series=missed("0x2 1x90"), at_minutes=30),
    Case(
        alert="TradingBotOperatorEventLoopSlow",
        when="it is one and a half seconds late, for long",
        series={LAG: "1.5x60"},
        at_minutes=10,
        fires=warning(WHERE | {"pod": "operator-1"}, "1.5s"),
    ),
    Case(alert="TradingBotOperatorEventLoopSlow", when="it was late for nine minutes", series={LAG: "1.5x60"}, at_minutes=9),
    Case(alert="TradingBotOperatorEventLoopSlow", when="it was late once", series={LAG: "0.01x5 4 0.01x60"}, at_minutes=12),
    Case(alert="TradingBotOperatorEventLoopSlow", when="it is half a second late", series={LAG: "0.5x60"}, at_minutes=30),
    Case(
        alert="TradingBotOperatorAPIErrors",
        when="every tenth call fails: no answer, too many requests, or an error",
        series=calls("200", "0+90x60") | calls("0", "0+4x60") | calls("429", "0+3x60") | calls("503", "0+3x60"),
        at_minutes=20,
        fires=warning(WHERE, "10%"),
    ),
    Case(
        alert="TradingBotOperatorAPIErrors",
        when="one in fifty does, and many ask for what is not there",
        series=calls("200", "0+50x60") | calls("404", "0+40x60") | calls("409", "0+8x60") | calls("503", "0+2x60"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotOperatorAPIErrors",
        when="it is over in time",
        series=calls("200", "0+10x60") | calls("0", "0+10x10 100x60"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotOperatorPrometheusUnreachable",
        when="no round is answered",
        series=reports("unreachable", "0+4x60") | reports("answered", "100x60"),
        at_minutes=12,
        fires=warning(WHERE),
    ),
    Case(
        alert="TradingBotOperatorPrometheusUnreachable",
        when="some are",
        series=reports("unreachable", "0+1x60") | reports("answered", "0+30x60"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotOperatorPrometheusUnreachable",
        when="it takes its reports from the observers themselves",
        series={f'tradingbot_operator_reports_total{{{OPERATOR}, source="direct", result="unreachable"}}': "0+9x60"},
        at_minutes=30,
    ),
    Case(
        alert="TradingBotOperatorMonitoringFailing",
        when="the API server refuses the rules",
        series=monitoring("failed", "1x60") | monitoring("present", "0x60"),
        at_minutes=30,
        fires=warning(WHERE | {"kind": "PrometheusRule", "state": "failed"}),
    ),
    Case(
        alert="TradingBotOperatorMonitoringFailing",
        when="it takes them in time",
        series=monitoring("failed", "1x29 0x60") | monitoring("present", "0x29 1x60"),
        at_minutes=29,
    ),
    Case(
        alert="TradingBotOperatorMonitoringFailing",
        when="the cluster has no such kind",
        series=monitoring("unsupported", "1x60"),
        at_minutes=45,
    ),
)
