"""How the caches share one memory limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_engine.cache.budget import split_memory


@pytest.mark.parametrize(
    ("limit", "held", "parts"),
    [
        (800, [0, 0], [400, 400]),
        (800, [100, 100], [400, 400]),
        (800, [300, 0], [500, 300]),
        (800, [700, 100], [700, 100]),
        (800, [700, 0], [700, 100]),
        (400, [700, 100], [328, 71]),
        (0, [10, 0], [0, 0]),
        (1, [0, 0], [0, 0]),
    ],
)
def test_parts(limit: int, held: list[int], parts: list[int]) -> None:
    assert split_memory(limit, held) == parts


@given(limit=st.integers(0, 10**12), held=st.lists(st.integers(0, 10**12), min_size=1, max_size=6))
def test_laws(limit: int, held: list[int]) -> None:
    parts = split_memory(limit, held)
    guaranteed = int(limit * 0.25 / len(held))
    assert len(parts) == len(held)
    assert sum(parts) <= limit
    assert all(part >= guaranteed for part in parts)
    if sum(max(0, one - guaranteed) for one in held) <= limit - guaranteed * len(held):
        assert all(part >= one for part, one in zip(parts, held, strict=True))
