from __future__ import annotations

from typing import Any

import pytest

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.spec_fields import build_patch, parse_assignment
from tradingbot_cli.tune_plan import TunePlan, build_changes, describe_memory, describe_restart, plan_tuning
from tradingbot_contract.document import VERSION


def body(**sections: Any) -> dict[str, Any]:
    spec = {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["AAPL", "MSFT"]}} | sections
    return {"apiVersion": VERSION, "kind": "TradingBot", "metadata": {"name": "trend"}, "spec": spec}


def plan(*fields: str, **sections: Any) -> TunePlan:
    return plan_tuning(body(**sections), build_patch(map(parse_assignment, fields)))


@pytest.mark.parametrize(
    ("field", "how"),
    [
        ("database.pool.size=10", "live"),
        ("cache.memoryLimit=200Mi", "live"),
        ("health.remediation.maxActions=3", "live"),
        ("risk.maxOpenOrders=3", "live"),
        ("engine.memoryMode=Minimal", "live"),
        ("lifecycle.state=Paused", "live"),
        ("engine.resources.limits.memory=600Mi", "in place"),
        ("strategy.parameters.fastPeriod=7", "restart"),
        ("market.symbols=AAPL", "restart"),
        ("market.warmupBars=10", "restart"),
        ("engine.podLabels.team=quant", "restart"),
        ("redis={urlSecretRef: {name: redis}}", "restart"),
    ],
)
def test_each_field_says_how_it_arrives(field: str, how: str) -> None:
    changed = plan(field)
    assert {change.how for change in changed.changes} == {how}
    assert changed.restarts is (how == "restart")
    assert bool(describe_restart(changed)) is changed.restarts


def test_a_change_to_what_is_there_already_is_none() -> None:
    assert plan("cache.memoryLimit=100Mi").changes == ()


def test_the_memory_that_results_is_told_by_what_needs_it() -> None:
    told = describe_memory(plan("database.pool.size=10", "cache.memoryLimit=200Mi").memory)
    assert told == "memory budget: 288Mi of 512Mi (engine 64Mi, caches 200Mi, pools 24Mi)"


@pytest.mark.parametrize(("policy", "said"), [("Wait", "it waits"), ("Proceed", "does not wait"), ("Flatten", "sold first")])
def test_a_restart_says_what_happens_to_positions(policy: str, said: str) -> None:
    assert said in describe_restart(plan("strategy.parameters.fastPeriod=7", lifecycle={"updatePolicy": policy}))


def test_rules_between_fields_hold_before_anything_is_asked() -> None:
    with pytest.raises(RefusedError, match=r"memory: 2\.1Gi are needed .*the limit is 512Mi"):
        plan("cache.memoryLimit=2Gi")


def test_a_field_without_a_value_has_its_default() -> None:
    (row,) = build_changes(plan("database.pool.size=10")).rows
    assert [cell.text for cell in row] == ["database.pool.size", "default", "10", "live"]
