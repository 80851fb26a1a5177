"""What of carrying out a plan can be told without an API server; the rest is tested on a real one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_operator.act import _escape, _merge_patch, _only_over, _owned_by_somebody_else
from tradingbot_operator.resource import Metadata

LEAVES = st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.lists(st.integers(0, 2), max_size=2))
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.one_of(LEAVES, inner), max_size=3),
    max_leaves=6,
)


def merged(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch as RFC 7386 has it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(OBJECTS, OBJECTS)
def test_the_patch_of_a_status_gives_the_new_one_and_is_no_larger_than_it_must_be(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch = _merge_patch(old, new)
    assert merged(old, patch) == new
    assert bool(patch) == (old != new)


@pytest.mark.parametrize(
    ("metadata", "somebody"),
    [
        ({"ownerReferences": [{"uid": "ours", "controller": True}]}, ""),
        ({"labels": {"app.kubernetes.io/managed-by": "tradingbot-operator"}}, ""),
        ({}, "somebody else"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, "somebody else"),
        ({"ownerReferences": [{"uid": "x", "controller": True, "kind": "Deployment", "name": "web"}]}, "Deployment web"),
        ({"ownerReferences": [{"uid": "x", "controller": False, "kind": "Deployment", "name": "web"}]}, "somebody else"),
    ],
)
def test_only_what_is_ours_or_nobodys_may_be_taken(metadata: dict[str, Any], somebody: str) -> None:
    assert _owned_by_somebody_else({"metadata": metadata}, Metadata(name="calm", uid="ours")) == somebody


def test_a_label_with_a_slash_can_stand_in_a_pointer() -> None:
    assert _escape("app.kubernetes.io/name~x") == "app.kubernetes.io~1name~0x"


def test_documents_and_templates_are_applied_only_over_what_was_judged() -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "calm-config"}}
    assert _only_over(config, "7")["metadata"] == {"name": "calm-config", "resourceVersion": "7"}
    assert config["metadata"] == {"name": "calm-config"}
    assert _only_over(config, "") is config, "what is not there has no version"
    service = {"kind": "Service", "metadata": {"name": "calm"}}
    assert _only_over(service, "7") is service
