"""What is made from a schema: valid values keep every bound, mutants break exactly the one that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from generated_specs import applied_defaults, mutants, specs, walk
from tradingbot_operator.schema import build_schema

ROOT: Final = Path(__file__).resolve().parents[3]
SCHEMA: Final = build_schema()["properties"]["spec"]
WHOLE: Final = yaml.safe_load((ROOT / "manifests" / "samples" / "every-field.yaml").read_text())["spec"]
SMALL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 4, "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1},
        "kind": {"type": "string", "enum": ["A", "B"], "default": "A"},
        "days": {"type": "array", "maxItems": 2, "x-kubernetes-list-type": "set", "items": {"type": "string", "enum": ["Mon", "Tue"]}},
    },
}
GIVEN: Final = {"name": "abc", "count": 2, "share": 0.5, "kind": "B", "days": ["Mon"]}


def test_each_bound_of_a_small_schema_is_broken_once() -> None:
    broken = {mutant.what for mutant in mutants(SMALL, GIVEN) if mutant.breaks}
    assert {
        "spec.count: beyond its minimum",
        "spec.count: beyond its maximum",
        "spec.count: with a fraction",
        "spec.share: at its minimum",
        "spec.share: beyond its maximum",
        "spec.name: shorter than allowed",
        "spec.name: longer than allowed",
        "spec.name: 'abc\\n', which its pattern excludes",
        "spec.kind: not one of its values",
        "spec.days: with an element twice",
        "spec.days: with too many elements",
        "spec.name: missing",
        "spec: an unknown field",
    } <= broken
    kept = {mutant.what for mutant in mutants(SMALL, GIVEN) if not mutant.breaks}
    assert {"spec.count: at its minimum", "spec.share: at its maximum", "spec.kind: its value A"} <= kept


def test_a_mutant_differs_in_one_place_only() -> None:
    for mutant in mutants(SMALL, GIVEN):
        if isinstance(mutant.spec, dict):
            assert sum(mutant.spec.get(name) != GIVEN.get(name) for name in {*GIVEN, *mutant.spec}) <= 1, mutant.what


def test_defaults_that_were_due_are_told() -> None:
    stored = {"name": "abc", "count": 3, "kind": "A"}
    assert list(applied_defaults(SMALL, {"name": "abc"}, stored)) == [("spec.count", 3, 3), ("spec.kind", "A", "A")]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs(SMALL))
def test_a_value_made_by_chance_keeps_the_bounds(value: Any) -> None:
    assert value["name"].isascii()
    assert 1 <= len(value["name"]) <= 4
    assert 1 <= value.get("count", 1) <= 9
    assert 0 < value.get("share", 1) <= 1
    assert len(set(value.get("days", ()))) == len(value.get("days", ()))


@pytest.mark.parametrize("node", list(walk(SCHEMA)), ids=lambda node: node.name)
def test_every_place_of_the_schema_has_a_mutant(node: Any) -> None:
    assert any(mutant.what.startswith((f"{node.name}:", f"{node.name}.")) for mutant in _all()), node.name


def _all() -> list[Any]:
    if not _MUTANTS:
        _MUTANTS.extend(mutants(SCHEMA, WHOLE))
    return _MUTANTS


_MUTANTS: Final[list[Any]] = []
