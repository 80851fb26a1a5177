"""Cases of the alerts on objectives: every pair of windows for one of them, and for each when it fires and what it overlooks."""

from __future__ import annotations

from collections.abc import Mapping

from rule_case import ENGINE, OBSERVER, OF_BOT, PAUSED, WHO, Case, Firing

HOUR, SIX_HOURS = {"long": "1h", "short": "5m"}, {"long": "6h", "short": "30m"}
DAY, THREE_DAYS = {"long": "1d", "short": "2h"}, {"long": "3d", "short": "6h"}

UP = f"tradingbot_observer_engine_up{{{OBSERVER}}}"
RUNNING = {
    f'tradingbot_bot_phase{{{OF_BOT}, phase="Running"}}': "1x600",
    f'tradingbot_bot_shards{{{OF_BOT}, state="desired"}}': "1x600",
    f'tradingbot_bot_shards{{{OF_BOT}, state="quarantined"}}': "0x600",
}
"""What the operator says of a bot that should trade."""


def firing(objective: str, severity: str, windows: Mapping[str, str], value: str) -> tuple[Firing, ...]:
    return (Firing({**WHO, "objective": objective, "severity": severity, **windows}, value),)


def one_bad_in(minutes: int, *, good: str = "1", bad: str = "0", first: int = 10, length: int = 240) -> str:
    """Return values of which every so many-th is bad."""
    return " ".join(bad if minute % minutes == first else good for minute in range(length))


def of_phase(word: str) -> dict[str, str]:
    return {series.replace("Running", word): values for series, values in RUNNING.items()}


AVAILABILITY = (
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="the engine does not answer: known after twenty minutes, and for two",
        series=RUNNING | {UP: "0x60"},
        at_minutes=21,
        fires=firing("availability", "critical", HOUR, "100%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="the engine does not answer, a minute before",
        series=RUNNING | {UP: "0x60"},
        at_minutes=20,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="there is no pod, so that nobody observes it, and the operator says so",
        series=of_phase("Pending"),
        at_minutes=25,
        fires=firing("availability", "critical", HOUR, "100%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="one of four engines is in quarantine, up and fenced",
        series={
            f'tradingbot_bot_phase{{{OF_BOT}, phase="Quarantined"}}': "1x60",
            f'tradingbot_bot_shards{{{OF_BOT}, state="desired"}}': "4x60",
            f'tradingbot_bot_shards{{{OF_BOT}, state="quarantined"}}': "1x60",
        }
        | {UP.replace("momentum-0", f"momentum-{shard}"): "1x60" for shard in range(4)},
        at_minutes=10,
        fires=firing("availability", "critical", HOUR, "25%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="every twentieth minute is bad",
        series=RUNNING | {UP: one_bad_in(20)},
        at_minutes=40,
        fires=firing("availability", "critical", SIX_HOURS, "4.878%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="every fiftieth is",
        series=RUNNING | {UP: one_bad_in(50)},
        at_minutes=90,
        fires=firing("availability", "warning", DAY, "2.198%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="every hundredth is",
        series=RUNNING | {UP: one_bad_in(100)},
        at_minutes=209,
        fires=firing("availability", "warning", THREE_DAYS, "0.9524%"),
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="one restart in four hours",
        series=RUNNING | {UP: one_bad_in(600, first=30)},
        at_minutes=235,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="it was bad, and is over",
        series=RUNNING | {UP: "0x20 1x60"},
        at_minutes=28,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="nobody observes an engine that runs, for all that the operator knows",
        series=RUNNING,
        at_minutes=30,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="the operator is gone, so that nobody knows whether it should run",
        series={UP: "0x60"},
        at_minutes=30,
    ),
    Case(alert="TradingBotAvailabilityBudgetBurn", when="it is paused", series=of_phase("Paused") | {UP: "0x60"} | PAUSED, at_minutes=30),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="somebody pauses it because of the alert",
        series={
            f'tradingbot_bot_lifecycle{{{OF_BOT}, state="Running"}}': "1x25 stale",
            f'tradingbot_bot_lifecycle{{{OF_BOT}, state="Paused"}}': "_x26 1x60",
            f'tradingbot_bot_phase{{{OF_BOT}, phase="Unhealthy"}}': "1x60",
            f'tradingbot_bot_shards{{{OF_BOT}, state="desired"}}': "1x60",
            UP: "0x60",
        },
        at_minutes=27,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="it was paused, and its engine died",
        series=of_phase("Unhealthy") | {UP: "0x60"} | PAUSED,
        at_minutes=30,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="its feed has ended",
        series=of_phase("Finished") | {UP: "0x60"},
        at_minutes=30,
    ),
    Case(
        alert="TradingBotAvailabilityBudgetBurn",
        when="the engine starts slowly, once",
        series={
            f'tradingbot_bot_phase{{{OF_BOT}, phase="Starting"}}': "1x3 stale",
            f'tradingbot_bot_phase{{{OF_BOT}, phase="Running"}}': "_x3 1x60",
            f'tradingbot_bot_shards{{{OF_BOT}, state="desired"}}': "1x60",
            UP: "_x3 1x60",
        },
        at_minutes=30,
    ),
)


def operations(good: str, errors: str) -> dict[str, str]:
    return {
        f'tradingbot_operations_total{{{ENGINE}, component="feed"}}': good,
        f'tradingbot_operations_total{{{ENGINE}, component="orders"}}': "0+10x600",
        f'tradingbot_errors_total{{{ENGINE}, component="orders"}}': errors,
    }


ERRORS = (
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="a fifth of its operations fails",
        series=operations("0+90x60", "0+20x60"),
        at_minutes=10,
        fires=firing("errors", "critical", HOUR, "20%"),
    ),
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="one in eight does: within the quick limit, above that of six hours",
        series=operations("0+90x60", "0+12x60"),
        at_minutes=30,
        fires=firing("errors", "critical", SIX_HOURS, "12%"),
    ),
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="one in two hundred does",
        series=operations("0+190x300", "0+1x300"),
        at_minutes=120,
    ),
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="nothing has ever failed, so that there is no such series",
        series={f'tradingbot_operations_total{{{ENGINE}, component="feed"}}': "0+90x60"},
        at_minutes=30,
    ),
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="the first of a handful of operations fails",
        series={
            f'tradingbot_operations_total{{{ENGINE}, component="feed"}}': "0x10 0+1x8 8x60",
            f'tradingbot_errors_total{{{ENGINE}, component="feed"}}': "0x10 0+1x3 3x60",
        },
        at_minutes=40,
    ),
    Case(
        alert="TradingBotErrorBudgetBurn",
        when="the bot is paused",
        series=operations("0+90x60", "0+50x60") | PAUSED,
        at_minutes=30,
    ),
)


def orders(count: str, quick: str) -> dict[str, str]:
    return {
        f"tradingbot_order_duration_seconds_count{{{ENGINE}}}": count,
        f'tradingbot_order_duration_seconds_bucket{{{ENGINE}, le="0.5"}}': "0x600",
        f'tradingbot_order_duration_seconds_bucket{{{ENGINE}, le="1.0"}}': quick,
        f'tradingbot_order_duration_seconds_bucket{{{ENGINE}, le="+Inf"}}': count,
    }


LATENCY = (
    Case(
        alert="TradingBotLatencyBudgetBurn",
        when="four of five orders take longer than a second",
        series=orders("0+10x60", "0+2x60"),
        at_minutes=10,
        fires=firing("latency", "critical", HOUR, "80%"),
    ),
    Case(
        alert="TradingBotLatencyBudgetBurn",
        when="one of thirty does",
        series=orders("0+30x300", "0+29x300"),
        at_minutes=120,
    ),
    Case(
        alert="TradingBotLatencyBudgetBurn",
        when="a few orders in an hour are all slow: too few for a percentile",
        series=orders("0x10 0+1x15 15x60", "0x100"),
        at_minutes=40,
    ),
    Case(alert="TradingBotLatencyBudgetBurn", when="it sends no orders", series=orders("7x60", "7x60"), at_minutes=40),
    Case(
        alert="TradingBotLatencyBudgetBurn",
        when="the bot is paused",
        series=orders("0+10x60", "0x60") | PAUSED,
        at_minutes=40,
    ),
)


def strain(alert: str, objective: str, series: str, *, good: str, bad: str) -> tuple[Case, ...]:
    """Return the cases of an objective that is a share of time."""
    name = f"{series}{{{OBSERVER}}}"
    return (
        Case(
            alert=alert,
            when="it is bad all the time",
            series={name: f"{bad}x60"},
            at_minutes=25,
            fires=firing(objective, "warning", HOUR, "100%"),
        ),
        Case(alert=alert, when="it is bad in every fortieth minute", series={name: one_bad_in(40, good=good, bad=bad)}, at_minutes=60),
        Case(alert=alert, when="it is at the limit", series={name: f"{good}x60"}, at_minutes=30),
        Case(alert=alert, when="it is not known", series={f"tradingbot_observer_score{{{OBSERVER}}}": "100x60"}, at_minutes=30),
        Case(alert=alert, when="the bot is paused", series={name: f"{bad}x60"} | PAUSED, at_minutes=30),
    )


MEMORY = f"tradingbot_observer_engine_memory_utilization{{{OBSERVER}}}"
PATIENT = (
    Case(
        alert="TradingBotMemoryBudgetBurn",
        when="it is bad in every tenth minute, for hours",
        series={MEMORY: one_bad_in(10, good="0.5", bad="0.8", first=5)},
        at_minutes=209,
        fires=firing("memory", "info", THREE_DAYS, "10%"),
    ),
    Case(
        alert="TradingBotMemoryBudgetBurn",
        when="it is bad in every thirtieth, for hours",
        series={MEMORY: one_bad_in(30, good="0.5", bad="0.8")},
        at_minutes=235,
    ),
)

FLEET_OF_TWO = {
    f"tradingbot_observer_engine_memory_utilization{{{OBSERVER}}}": "0.9x60",
    'tradingbot_observer_engine_memory_utilization{namespace="trading", bot="carry", pod="carry-0"}': "0.2x60",
}
"""One bot is always above the limit, the other never."""

BUDGET_CASES = (
    *AVAILABILITY,
    *ERRORS,
    *LATENCY,
    *PATIENT,
    *strain(
        "TradingBotMemoryBudgetBurn",
        "memory",
        "tradingbot_observer_engine_memory_utilization",
        good="0.7",
        bad="0.71",
    ),
    *strain("TradingBotCPUBudgetBurn", "cpu", "tradingbot_observer_engine_cpu_utilization", good="0.6", bad="0.61"),
    *strain("TradingBotCacheHitBudgetBurn", "cache-hits", "tradingbot_observer_engine_cache_hit_ratio", good="0.8", bad="0.79"),
)
