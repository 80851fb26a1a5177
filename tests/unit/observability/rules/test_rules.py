from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from bot_cases import BOT_CASES
from budget_cases import BUDGET_CASES, FLEET_OF_TWO
from operator_cases import OPERATOR_CASES
from promtool import promtool
from remediation_cases import REMEDIATION_CASES
from rule_case import PAUSED, STOPPED, render_cases, rules_of

from tradingbot_observability.coverage import FILES
from tradingbot_observability.rules.render import ALERTS, GROUPS, RECORDING_RULES, render_rules
from tradingbot_observability.rules.rule import Severity

RULES = FILES / "rules.yaml"
FAMILIES = {"bots": BOT_CASES, "budgets": BUDGET_CASES, "operator": OPERATOR_CASES, "remediation": REMEDIATION_CASES}
CASES = tuple(case for cases in FAMILIES.values() for case in cases)


def test_the_operator_ships_the_rules_that_stand_in_the_code() -> None:
    assert RULES.read_text() == render_rules(), "run: make generate"


def test_promtool_takes_the_rules_and_finds_none_twice() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)


@pytest.mark.parametrize("family", FAMILIES)
def test_alerts_fire_when_they_should_and_only_then(family: str, tmp_path: Path) -> None:
    files = []
    for name in sorted({case.alert for case in FAMILIES[family]}):
        rules = tmp_path / f"{name}.rules.yaml"
        rules.write_text(render_rules(rules_of(name)))
        files.append(tmp_path / f"{name}.test.yaml")
        cases = [case for case in FAMILIES[family] if case.alert == name]
        files[-1].write_text(json.dumps(render_cases(cases, str(rules))))
    promtool("test", "rules", *files)


def test_the_share_of_the_fleet_is_that_of_all_bots_together(tmp_path: Path) -> None:
    share = 'objective:tradingbot_objective_bad:ratio_1h{objective="memory"}'
    look = {"expr": share, "eval_time": "40m", "exp_samples": [{"labels": share, "value": 0.5}]}
    world = render_cases((), str(RULES)) | {
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values} for series, values in FLEET_OF_TWO.items()],
                "promql_expr_test": [look],
            }
        ]
    }
    cases = tmp_path / "fleet.yaml"
    cases.write_text(json.dumps(world))
    promtool("test", "rules", cases)


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_every_alert_is_shown_to_fire_and_to_keep_quiet(name: str) -> None:
    fires = [case for case in CASES if case.alert == name and case.fires]
    quiet = [case for case in CASES if case.alert == name and not case.fires]
    assert fires, f"no case in which {name} fires"
    assert quiet, f"no case in which {name} does not fire"


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS if not alert.name.startswith("TradingBotOperator")}))
def test_no_alert_about_a_bot_fires_for_one_that_a_person_has_paused_or_stopped(name: str) -> None:
    about_fleet = {"TradingBotRemediationSuppressed", "TradingBotRemediationDidNotHelp"}
    idle = {*PAUSED, *STOPPED}
    shown = [case for case in CASES if case.alert == name and not case.fires and idle & case.series.keys()]
    assert shown or name in about_fleet


def test_every_case_is_of_an_alert_and_no_two_have_one_name() -> None:
    assert {case.alert for case in CASES} == {alert.name for alert in ALERTS}
    twice = [name for name, count in Counter((case.alert, case.when) for case in CASES).items() if count > 1]
    assert not twice


def test_names_of_rules_follow_the_convention() -> None:
    for alert in ALERTS:
        assert alert.name.isalnum()
        assert alert.name.startswith("TradingBot")
    for rule in RECORDING_RULES:
        level, _, operation = rule.record.split(":")
        assert level, rule.record
        assert operation, rule.record


def test_only_what_trading_feels_may_wake_somebody() -> None:
    critical = {alert.name for alert in ALERTS if alert.severity is Severity.CRITICAL}
    assert critical == {
        "TradingBotAvailabilityBudgetBurn",
        "TradingBotErrorBudgetBurn",
        "TradingBotLatencyBudgetBurn",
        "TradingBotFeedStale",
        "TradingBotDatabaseDown",
        "TradingBotOrdersUnknown",
        "TradingBotRiskBreached",
        "TradingBotStrategyHalted",
        "TradingBotQuarantined",
        "TradingBotRemediationBudgetExhausted",
        "TradingBotRemediationSuppressed",
        "TradingBotOperatorDown",
        "TradingBotOperatorNoLeader",
    }


def test_groups_are_evaluated_in_an_order_in_which_each_finds_what_it_reads() -> None:
    loaded = yaml.safe_load(RULES.read_text())["groups"]
    assert [group["name"] for group in loaded] == [group.name for group in GROUPS]
