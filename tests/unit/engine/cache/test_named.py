"""The cache: bounded in entries and age, and bound to a version of the data."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tradingbot_contract.resources import Cache
from tradingbot_engine.cache.named import NamedCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_entry_is_found_again() -> None:
    cache: NamedCache[int] = NamedCache("views", Cache())
    assert cache.get("a", 1) is None
    cache.put("a", 1, 5)
    assert cache.get("a", 1) == 5
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)


def test_an_entry_of_older_data_is_a_miss() -> None:
    cache: NamedCache[int] = NamedCache("views", Cache())
    cache.put("a", 1, 5)
    assert cache.get("a", 2) is None
    cache.put("a", 2, 6)
    assert cache.get("a", 2) == 6
    assert len(cache) == 1


def test_an_entry_ages() -> None:
    clock = Clock()
    cache: NamedCache[int] = NamedCache("views", Cache(ttl_seconds=10.0), timer=clock)
    cache.put("a", 1, 5)
    clock.now = 9.9
    assert cache.get("a", 1) == 5
    clock.now = 10.1
    assert cache.get("a", 1) is None
    assert len(cache) == 0


def test_the_least_recently_used_goes() -> None:
    cache: NamedCache[int] = NamedCache("views", Cache(max_entries=2))
    cache.put("a", 1, 1)
    cache.put("b", 1, 2)
    cache.get("a", 1)
    cache.put("c", 1, 3)
    assert [cache.get(key, 1) for key in "abc"] == [1, None, 3]


class CacheLaws(RuleBasedStateMachine):
    """It never returns anything but what was last put for the key and the version, not too old; and never holds too many."""

    @initialize(entries=st.integers(1, 4), seconds=st.floats(1.0, 20.0))
    def begin(self, entries: int, seconds: float) -> None:
        self.clock = Clock()
        self.cache: NamedCache[int] = NamedCache("views", Cache(max_entries=entries, ttl_seconds=seconds), timer=self.clock)
        self.entries, self.seconds = entries, seconds
        self.known: dict[str, tuple[int, int, float]] = {}
        self.looked_up = self.value = 0

    @rule(key=st.sampled_from("abcdef"), version=st.integers(0, 2))
    def put(self, key: str, version: int) -> None:
        self.value += 1
        self.cache.put(key, version, self.value)
        self.known[key] = (version, self.value, self.clock.now)

    @rule(key=st.sampled_from("abcdef"), version=st.integers(0, 2))
    def get(self, key: str, version: int) -> None:
        self.looked_up += 1
        value = self.cache.get(key, version)
        if value is not None:
            known_version, known_value, at = self.known[key]
            assert (version, value) == (known_version, known_value)
            assert self.clock.now - at <= self.seconds

    @rule(seconds=st.floats(0.0, 10.0))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def bounded_and_counted(self) -> None:
        if hasattr(self, "cache"):
            assert len(self.cache) <= self.entries
            assert self.cache.hits + self.cache.misses == self.looked_up


CacheLaws.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestCacheLaws = CacheLaws.TestCase


@pytest.mark.parametrize("value", [0, ""])
def test_an_empty_value_is_a_value(value: object) -> None:
    cache: NamedCache[object] = NamedCache("views", Cache())
    cache.put("a", 1, value)
    assert cache.get("a", 1) == value
