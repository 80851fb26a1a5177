"""Cases of the alerts about healing."""

from __future__ import annotations

from rule_case import OF_BOT, OPERATOR, PAUSED, STOPPED, WHERE, WHO, Case, critical, warning


def held(reason: str, values: str = "1x60", of_bot: str = OF_BOT) -> dict[str, str]:
    return {f'tradingbot_bot_remediation_held{{{of_bot}, reason="{reason}"}}': values}


def results(result: str, values: str) -> dict[str, str]:
    return {f'tradingbot_operator_decision_results_total{{{OPERATOR}, action="RestartPod", result="{result}"}}': values}


def quarantined(values: str) -> dict[str, str]:
    return {f'tradingbot_bot_shards{{{OF_BOT}, state="quarantined"}}': values}


SUPPRESSED = (
    Case(
        alert="TradingBotRemediationSuppressed",
        when="three bots are left alone because the fleet is sick",
        series=held("FleetSick")
        | held("FleetSick", of_bot=OF_BOT.replace("momentum", "carry"))
        | held("FleetSick", of_bot=OF_BOT.replace("momentum", "breakout")),
        at_minutes=1,
        fires=critical(WHERE, "3"),
    ),
    Case(
        alert="TradingBotRemediationSuppressed",
        when="they are well again within a minute",
        series=held("FleetSick", "1 stale"),
        at_minutes=0,
    ),
    Case(
        alert="TradingBotRemediationSuppressed",
        when="one bot is held back for another reason",
        series=held("WaitingForPositions"),
        at_minutes=10,
    ),
)

BUDGET_EXHAUSTED = (
    Case(
        alert="TradingBotRemediationBudgetExhausted",
        when="a step is due and the budget is spent",
        series=held("BudgetSpent"),
        at_minutes=2,
        fires=critical(WHO),
    ),
    Case(
        alert="TradingBotRemediationBudgetExhausted",
        when="the budget has a step again in time",
        series=held("BudgetSpent", "1x1 stale"),
        at_minutes=1,
    ),
    Case(
        alert="TradingBotRemediationBudgetExhausted",
        when="the budget is spent and nothing is due",
        series={f"tradingbot_bot_remediation_budget_remaining{{{OF_BOT}}}": "0x60"},
        at_minutes=30,
    ),
    Case(alert="TradingBotRemediationBudgetExhausted", when="it is paused", series=held("BudgetSpent") | PAUSED, at_minutes=30),
)

HELD = (
    Case(
        alert="TradingBotRemediationHeld",
        when="positions stay open",
        series=held("WaitingForPositions"),
        at_minutes=30,
        fires=warning(WHO | {"reason": "WaitingForPositions"}),
    ),
    Case(
        alert="TradingBotRemediationHeld",
        when="they are closed in time",
        series=held("WaitingForPositions", "1x29 stale"),
        at_minutes=29,
    ),
    Case(
        alert="TradingBotRemediationHeld",
        when="the reason has an alert of its own",
        series=held("BudgetSpent") | held("FleetSick") | held("Quarantined"),
        at_minutes=45,
    ),
    Case(alert="TradingBotRemediationHeld", when="it is stopped", series=held("RemediationSkipped") | STOPPED, at_minutes=45),
)

QUARANTINED = (
    Case(
        alert="TradingBotQuarantined",
        when="two of its engines are fenced",
        series=quarantined("0x5 2x60"),
        at_minutes=7,
        fires=critical(WHO, "2"),
    ),
    Case(alert="TradingBotQuarantined", when="a person ends it at once", series=quarantined("0x5 1 0x60"), at_minutes=6),
    Case(alert="TradingBotQuarantined", when="none is", series=quarantined("0x60"), at_minutes=30),
    Case(alert="TradingBotQuarantined", when="the bot is stopped", series=quarantined("1x60") | STOPPED, at_minutes=30),
)

DID_NOT_HELP = (
    Case(
        alert="TradingBotRemediationDidNotHelp",
        when="four restarts in vain within the hour",
        series=results("DidNotHelp", "1x20 2x5 3x5 4x5 5x60"),
        at_minutes=61,
        fires=warning(WHERE | {"action": "RestartPod"}, "4"),
    ),
    Case(
        alert="TradingBotRemediationDidNotHelp",
        when="two",
        series=results("DidNotHelp", "1x20 2x5 3x60"),
        at_minutes=61,
    ),
    Case(
        alert="TradingBotRemediationDidNotHelp",
        when="many, and all helped",
        series=results("Helped", "0+1x90"),
        at_minutes=61,
    ),
)

REMEDIATION_CASES = (*SUPPRESSED, *BUDGET_EXHAUSTED, *HELD, *QUARANTINED, *DID_NOT_HELP)
