from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.spec_fields import Assignment, build_patch, field_names, merge, parse_assignment


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("database.pool.size=10", "database.pool.size", 10),
        ("spec.database.pool.size=10", "database.pool.size", 10),
        ("database.pool.prePing=false", "database.pool.prePing", False),
        ("cache.memoryLimit=200Mi", "cache.memoryLimit", "200Mi"),
        ("database.healthIntervalSeconds=1.5", "database.healthIntervalSeconds", 1.5),
        ("engine.memoryMode=Minimal", "engine.memoryMode", "Minimal"),
        ("health.remediation.mode=On", "health.remediation.mode", "On"),
        ("market.symbols=AAPL,MSFT", "market.symbols", ["AAPL", "MSFT"]),
        ("market.symbols=[AAPL, MSFT]", "market.symbols", ["AAPL", "MSFT"]),
        ("market.symbols=AAPL", "market.symbols", ["AAPL"]),
        ("strategy.parameters.fastPeriod=7", "strategy.parameters.fastPeriod", 7),
        ("engine.nodeSelector={disk: ssd}", "engine.nodeSelector", {"disk": "ssd"}),
        ("health.remediation.memoryCeiling=1Gi", "health.remediation.memoryCeiling", "1Gi"),
        ("health.remediation.memoryCeiling=", "health.remediation.memoryCeiling", None),
        ("database.urlSecretRef={name: pg, key: url}", "database.urlSecretRef", {"name": "pg", "key": "url"}),
    ],
)
def test_a_value_is_typed_by_the_field(text: str, path: str, value: Any) -> None:
    assert parse_assignment(text) == Assignment(tuple(path.split(".")), value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("database.pool.size", "give FIELD=VALUE"),
        ("=3", "give FIELD=VALUE"),
        ("database.pool.sise=10", "did you mean database.pool.size?"),
        ("pool.size=10", "did you mean database.pool.size?"),
        ("size=10", "database.pool.size"),
        ("memoryLimitt=1Gi", "did you mean cache.memoryLimit?"),
        ("database.pool.size.more=1", "there is no field database.pool.size.more"),
        ("database..size=1", "there is no field"),
        ("zzzzzz=1", "kubectl explain tb.spec"),
        ("lifecycle=x", "is a section: give one of lifecycle.state, lifecycle.updatePolicy, lifecycle.onDelete"),
        ("database.pool.size=ten", "'ten' does not fit: give a whole number from 1 to 100"),
        ("database.pool.size=1000", "give a whole number from 1 to 100"),
        ("database.pool.prePing=perhaps", "give true or false"),
        ("risk.onBreach=Sell", "give one of Halt, Reduce, Flatten"),
        ("cache.memoryLimit=lots", "give a quantity"),
    ],
)
def test_what_does_not_fit_is_answered_with_what_does(text: str, said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_assignment(text)
    assert said in refused.value.message


def test_several_fields_make_one_patch_and_an_empty_value_takes_a_field_away() -> None:
    fields = ("database.pool.size=10", "database.pool.maxOverflow=", "cache.memoryLimit=1Mi")
    assert build_patch(map(parse_assignment, fields)) == {
        "database": {"pool": {"size": 10, "maxOverflow": None}},
        "cache": {"memoryLimit": "1Mi"},
    }


def test_every_field_can_be_named() -> None:
    names = field_names()
    assert len(names) > 80
    assert len(set(names)) == len(names)
    assert {"lifecycle.state", "engine.resources.limits.memory", "redis.pool.maxConnections"} <= set(names)


_JSON = st.recursive(
    st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)
_PATCH = st.recursive(
    st.integers() | st.none(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
).filter(lambda patch: patch is not None)


@given(before=_JSON, patch=_PATCH)
def test_a_patch_that_is_applied_twice_changes_nothing_more(before: Any, patch: Any) -> None:
    once = merge(before, patch)
    assert merge(once, patch) == once


@given(before=_JSON)
def test_an_empty_patch_changes_no_object(before: Any) -> None:
    assert merge(before, {}) == (before if isinstance(before, dict) else {})
