"""Cases of the alerts about single bots."""

from __future__ import annotations

from rule_case import BOT, DELETED, ENGINE, OBSERVER, OF_BOT, PAUSED, RESUMED, SAID_PAUSE, STOPPED, WHICH, WHO, Case, critical, warning


def phase(word: str, values: str = "1x60") -> dict[str, str]:
    return {f'tradingbot_bot_phase{{{OF_BOT}, phase="{word}"}}': values}


def condition(kind: str, status: str, reason: str, values: str = "1x60") -> dict[str, str]:
    return {f'tradingbot_bot_condition{{{OF_BOT}, condition="{kind}", status="{status}", reason="{reason}"}}': values}


def shards(state: str, values: str) -> dict[str, str]:
    return {f'tradingbot_bot_shards{{{OF_BOT}, state="{state}"}}': values}


def finding(reason: str, severity: str, values: str = "1x60") -> dict[str, str]:
    return {f'tradingbot_observer_findings{{{OBSERVER}, reason="{reason}", severity="{severity}"}}': values}


def up(container: str, pod: str, values: str) -> dict[str, str]:
    return {f'up{{job="tradingbot", container="{container}", {BOT}, pod="{pod}"}}': values}


def found(alert: str, reason: str, severity: str, minutes: int) -> tuple[Case, ...]:
    """Return the cases of an alert that rests on a finding: it lasts; it is over before; nobody wants the bot to trade."""
    fires = critical if alert in {"TradingBotFeedStale", "TradingBotDatabaseDown"} else warning
    return (
        Case(
            alert=alert,
            when="it is found for long enough",
            series=finding(reason, severity),
            at_minutes=minutes,
            fires=fires(WHICH | {"reason": reason}),
        ),
        Case(
            alert=alert,
            when="a minute before",
            series=finding(reason, severity),
            at_minutes=minutes - 1,
        ),
        Case(alert=alert, when="the bot is paused", series=finding(reason, severity) | PAUSED, at_minutes=minutes + 5),
        Case(alert=alert, when="something else is found", series=finding("CacheCold", "info"), at_minutes=minutes + 5),
    )


NOT_READY = (
    Case(
        alert="TradingBotNotReady",
        when="it is stuck, for one reason after the other",
        series=phase("Pending", "1x8 stale")
        | phase("Starting", "_x8 1x60")
        | condition("Ready", "False", "PodPending", "1x8 stale")
        | condition("Ready", "False", "CrashLooping", "_x8 1x60"),
        at_minutes=15,
        fires=warning(WHO),
    ),
    Case(
        alert="TradingBotNotReady",
        when="it comes up after 14 minutes",
        series=phase("Starting", "1x14 stale") | condition("Ready", "False", "EngineStarting", "1x14 stale"),
        at_minutes=14,
    ),
    Case(
        alert="TradingBotNotReady",
        when="its engines trade and wait for their turn in a roll-out",
        series=phase("Running") | condition("Ready", "False", "RollingOut"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotNotReady",
        when="it is stopped",
        series=STOPPED | condition("Ready", "False", "Stopped"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotNotReady",
        when="it was paused, and its engine died",
        series=phase("Failed") | condition("Ready", "False", "CrashLooping") | PAUSED,
        at_minutes=30,
    ),
)

UNHEALTHY = (
    Case(
        alert="TradingBotUnhealthy",
        when="what is wrong changes and it stays sick",
        series=condition("Healthy", "False", "EngineSilent", "1x5 stale") | condition("Healthy", "False", "CrashLooping", "_x5 1x60"),
        at_minutes=10,
        fires=warning(WHO),
    ),
    Case(
        alert="TradingBotUnhealthy",
        when="it is mended in time",
        series=condition("Healthy", "False", "EngineSilent", "1x9 stale") | condition("Healthy", "True", "Healthy", "_x10 1x60"),
        at_minutes=9,
    ),
    Case(
        alert="TradingBotUnhealthy",
        when="what is wrong has an alert of its own",
        series=condition("Healthy", "False", "DatabaseDown"),
        at_minutes=20,
    ),
    Case(alert="TradingBotUnhealthy", when="it is paused", series=condition("Healthy", "False", "ScoreLow") | PAUSED, at_minutes=20),
)

HEALTH_UNKNOWN = (
    Case(
        alert="TradingBotHealthUnknown",
        when="the observer can't be reached, and then says the same for ever",
        series=condition("Healthy", "Unknown", "ObserverUnreachable", "1x8 stale")
        | condition("Healthy", "Unknown", "ReportStale", "_x8 1x60"),
        at_minutes=15,
        fires=warning(WHO),
    ),
    Case(
        alert="TradingBotHealthUnknown",
        when="reports come again in time",
        series=condition("Healthy", "Unknown", "ObserverUnreachable", "1x14 stale"),
        at_minutes=14,
    ),
    Case(
        alert="TradingBotHealthUnknown",
        when="there is no engine to report on",
        series=condition("Healthy", "Unknown", "NotStarted"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotHealthUnknown",
        when="it is stopped",
        series=STOPPED | condition("Healthy", "Unknown", "ObserverUnreachable"),
        at_minutes=30,
    ),
)

METRICS_ABSENT = (
    Case(
        alert="TradingBotMetricsAbsent",
        when="nobody scrapes its pod",
        series=shards("ready", "1x60"),
        at_minutes=15,
        fires=(*warning(WHO | {"container": "engine"}, "1"), *warning(WHO | {"container": "observer"}, "1")),
    ),
    Case(
        alert="TradingBotMetricsAbsent",
        when="of two engines one is scraped, and its observer, too; the other's engine is a target that is down",
        series=shards("ready", "2x60")
        | up("engine", "momentum-0", "1x60")
        | up("engine", "momentum-1", "0x60")
        | up("observer", "momentum-0", "1x60")
        | up("observer", "momentum-1", "1x60"),
        at_minutes=15,
        fires=warning(WHO | {"container": "engine"}, "2"),
    ),
    Case(
        alert="TradingBotMetricsAbsent",
        when="the new pod is found in time",
        series=shards("ready", "1x60") | up("engine", "momentum-0", "_x15 1x60") | up("observer", "momentum-0", "_x15 1x60"),
        at_minutes=14,
    ),
    Case(
        alert="TradingBotMetricsAbsent",
        when="there is no pod to scrape",
        series=shards("desired", "1x60") | shards("ready", "0x60"),
        at_minutes=30,
    ),
    Case(alert="TradingBotMetricsAbsent", when="it is paused", series=shards("ready", "1x60") | PAUSED, at_minutes=30),
)

RESTART_STORM = (
    Case(
        alert="TradingBotRestartStorm",
        when="six restarts in half an hour",
        series={f"tradingbot_bot_restarts_total{{{OF_BOT}}}": "3x29 4x4 5x4 6x4 7x4 8x4 9x60"},
        at_minutes=80,
        fires=warning(WHO, "6"),
    ),
    Case(
        alert="TradingBotRestartStorm",
        when="five",
        series={f"tradingbot_bot_restarts_total{{{OF_BOT}}}": "3x30 4x5 5x5 6x5 7x5 8x60"},
        at_minutes=60,
    ),
    Case(
        alert="TradingBotRestartStorm",
        when="another operator takes the lead and counts what the status says",
        series={
            f"tradingbot_bot_restarts_total{{{OF_BOT}}}": "40x20 stale",
            f"tradingbot_bot_restarts_total{{{OF_BOT.replace('operator-1', 'operator-2')}}}": "_x20 40x60",
        },
        at_minutes=50,
    ),
    Case(
        alert="TradingBotRestartStorm",
        when="the bot is stopped",
        series={f"tradingbot_bot_restarts_total{{{OF_BOT}}}": "3+1x60"} | STOPPED,
        at_minutes=50,
    ),
)

NOT_ACCEPTED = (
    Case(
        alert="TradingBotNotAccepted",
        when="another bot has the account",
        series=phase("Refused") | condition("Accepted", "False", "AccountConflict"),
        at_minutes=5,
        fires=warning(WHO | {"reason": "AccountConflict"}),
    ),
    Case(
        alert="TradingBotNotAccepted",
        when="it is put right at once",
        series=condition("Accepted", "False", "SpecInvalid", "1x4 stale") | condition("Accepted", "True", "Accepted", "_x5 1x60"),
        at_minutes=4,
    ),
    Case(
        alert="TradingBotNotAccepted",
        when="the engine refuses the document, which is another alert",
        series=condition("Accepted", "False", "DocumentRefused"),
        at_minutes=20,
    ),
    Case(
        alert="TradingBotNotAccepted",
        when="it is stopped",
        series=STOPPED | condition("Accepted", "False", "AccountConflict"),
        at_minutes=20,
    ),
)

CONFIG_REFUSED = (
    *found("TradingBotConfigRefused", "DocumentRefused", "warning", 5),
    Case(
        alert="TradingBotConfigRefused",
        when="there is no earlier document to go on with",
        series=finding("DocumentRefused", "critical") | phase("Refused"),
        at_minutes=5,
        fires=warning(WHICH | {"reason": "DocumentRefused"}),
    ),
)

ROLLOUT_STALLED = (
    Case(
        alert="TradingBotRolloutStalled",
        when="a pod of the new spec does not come up",
        series=phase("Failed") | condition("Progressing", "False", "RolloutStalled"),
        at_minutes=5,
        fires=warning(WHO | {"reason": "RolloutStalled"}),
    ),
    Case(
        alert="TradingBotRolloutStalled",
        when="the old spec is applied in time",
        series=condition("Progressing", "False", "RolloutStalled", "1x4 stale")
        | condition("Progressing", "True", "RollingOut", "_x5 1x60"),
        at_minutes=4,
    ),
    Case(
        alert="TradingBotRolloutStalled",
        when="nothing is to be done",
        series=condition("Progressing", "False", "UpToDate"),
        at_minutes=30,
    ),
    Case(
        alert="TradingBotRolloutStalled",
        when="it is paused",
        series=PAUSED | condition("Progressing", "False", "ChildRefused"),
        at_minutes=30,
    ),
)

DEPENDENCY_DOWN = (
    *found("TradingBotDependencyDown", "RedisDown", "warning", 10),
    Case(
        alert="TradingBotDependencyDown",
        when="news can't be reached",
        series=finding("DependencyDown", "warning"),
        at_minutes=10,
        fires=warning(WHICH | {"reason": "DependencyDown"}),
    ),
    Case(
        alert="TradingBotDependencyDown",
        when="only the collector of metrics can't be reached",
        series=finding("DependencyDown", "info"),
        at_minutes=30,
    ),
)

ORDERS_UNKNOWN = (
    Case(
        alert="TradingBotOrdersUnknown",
        when="two orders stay unknown",
        series={f"tradingbot_observer_engine_orders_unknown{{{OBSERVER}}}": "0x5 2x60"},
        at_minutes=11,
        fires=critical(WHICH, "2"),
    ),
    Case(
        alert="TradingBotOrdersUnknown",
        when="they are found at the broker in time",
        series={f"tradingbot_observer_engine_orders_unknown{{{OBSERVER}}}": "0x5 2x4 0x60"},
        at_minutes=10,
    ),
    Case(
        alert="TradingBotOrdersUnknown",
        when="the engine does not say",
        series={f"tradingbot_observer_engine_up{{{OBSERVER}}}": "1x60"},
        at_minutes=30,
    ),
    Case(
        alert="TradingBotOrdersUnknown",
        when="the bot is paused",
        series={f"tradingbot_observer_engine_orders_unknown{{{OBSERVER}}}": "2x60"} | PAUSED,
        at_minutes=30,
    ),
)

RISK_BREACHED = (
    Case(
        alert="TradingBotRiskBreached",
        when="the drawdown passes its limit",
        series={f'tradingbot_risk_breached{{{ENGINE}, limit="risk.maxDrawdownPercent"}}': "0x5 1x60"},
        at_minutes=7,
        fires=critical(WHICH | {"limit": "risk.maxDrawdownPercent"}),
    ),
    Case(
        alert="TradingBotRiskBreached",
        when="it is back within a minute",
        series={f'tradingbot_risk_breached{{{ENGINE}, limit="risk.maxDailyLossPercent"}}': "0x5 1 0x60"},
        at_minutes=6,
    ),
    Case(
        alert="TradingBotRiskBreached",
        when="the bot was resumed, and its engine has not said so yet",
        series={f'tradingbot_risk_breached{{{ENGINE}, limit="risk.maxDrawdownPercent"}}': "0x5 1x60"} | SAID_PAUSE | RESUMED,
        at_minutes=7,
        fires=critical(WHICH | {"limit": "risk.maxDrawdownPercent"}),
    ),
    Case(
        alert="TradingBotRiskBreached",
        when="the bot was paused because of it",
        series={f'tradingbot_risk_breached{{{ENGINE}, limit="risk.maxDrawdownPercent"}}': "1x60"} | PAUSED,
        at_minutes=7,
    ),
    Case(
        alert="TradingBotRiskBreached",
        when="the bot was paused because of it, and there is no operator to say so",
        series={f'tradingbot_risk_breached{{{ENGINE}, limit="risk.maxDrawdownPercent"}}': "1x60"} | SAID_PAUSE,
        at_minutes=7,
    ),
)

STRATEGY_HALTED = (
    Case(
        alert="TradingBotStrategyHalted",
        when="the strategy is no longer asked",
        series={f"tradingbot_strategy_halted{{{ENGINE}}}": "0x5 1x60"},
        at_minutes=7,
        fires=critical(WHICH),
    ),
    Case(
        alert="TradingBotStrategyHalted",
        when="it has only just been halted",
        series={f"tradingbot_strategy_halted{{{ENGINE}}}": "0x5 1x60"},
        at_minutes=6,
    ),
    Case(
        alert="TradingBotStrategyHalted",
        when="the bot is being deleted",
        series={f"tradingbot_strategy_halted{{{ENGINE}}}": "1x60"} | DELETED,
        at_minutes=30,
    ),
    Case(
        alert="TradingBotStrategyHalted",
        when="the bot is stopped",
        series={f"tradingbot_strategy_halted{{{ENGINE}}}": "1x60"} | STOPPED,
        at_minutes=30,
    ),
)

BOT_CASES = (
    *NOT_READY,
    *UNHEALTHY,
    *HEALTH_UNKNOWN,
    *METRICS_ABSENT,
    *RESTART_STORM,
    *NOT_ACCEPTED,
    *CONFIG_REFUSED,
    *ROLLOUT_STALLED,
    *found("TradingBotFeedStale", "FeedStale", "critical", 5),
    *found("TradingBotDatabaseDown", "DatabaseDown", "critical", 2),
    *DEPENDENCY_DOWN,
    *found("TradingBotPoolExhausted", "PoolExhausted", "warning", 5),
    *found("TradingBotJournalBehind", "JournalBehind", "warning", 5),
    *found("TradingBotMemoryNearLimit", "MemoryHigh", "warning", 10),
    *ORDERS_UNKNOWN,
    *RISK_BREACHED,
    *STRATEGY_HALTED,
)
