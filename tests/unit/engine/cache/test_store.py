"""What a store keeps, for how long, and which entries leave it."""

from __future__ import annotations

import random
from collections import OrderedDict
from itertools import accumulate, pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tradingbot_engine.cache.store import Store, Version
from tradingbot_engine.cache.weight import ENTRY_BYTES

PLENTY = 10**9


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def weigh_value_only(_key: object, value: object) -> int:
    assert isinstance(value, int)
    return value


def build(clock: Clock | None = None, *, max_entries: int = 1000, max_bytes: int = PLENTY, ttl_seconds: float = 10.0) -> Store[str, int]:
    """A store in which a value weighs as much as it is, beside its `ENTRY_BYTES`."""
    return Store(max_entries=max_entries, max_bytes=max_bytes, ttl_seconds=ttl_seconds, timer=clock or Clock(), weigher=weigh_value_only)


def causes(store: Store[str, int]) -> dict[str, int]:
    return {cause: count for cause, count in store._evictions.items() if count}


def keys(store: Store[str, int]) -> str:
    return "".join(sorted(store._entries))


def test_what_was_put_is_found() -> None:
    store = build()
    assert store.get("a") is None
    store.put("a", 5)
    assert store.get("a") == 5
    assert store.get("b", None, "nothing") == "nothing"
    assert (store.hits, store.misses, len(store)) == (1, 2, 1)


@pytest.mark.parametrize("value", [0, "", False, None, ()])
def test_an_empty_value_is_a_value(value: object) -> None:
    store: Store[str, object] = Store(max_entries=2, max_bytes=PLENTY, ttl_seconds=1.0, timer=Clock())
    store.put("a", value)
    assert store.get("a", None, "nothing") == value


def test_a_new_value_takes_the_place_of_the_old_one() -> None:
    store = build()
    store.put("a", 5)
    store.put("a", 6)
    assert store.get("a") == 6
    assert (len(store), store.size_bytes, causes(store)) == (1, ENTRY_BYTES + 6, {})


class TestVersions:
    def test_an_entry_of_other_data_is_a_miss_and_leaves(self) -> None:
        store = build()
        store.put("a", 5, 1)
        assert store.get("a", 2) is None
        assert (len(store), store.size_bytes, causes(store)) == (0, 0, {"version": 1})
        assert store.get("a", 1) is None

    def test_none_is_a_version_of_its_own(self) -> None:
        store = build()
        store.put("a", 5, 0)
        assert store.get("a") is None

    def test_a_put_of_newer_data_replaces(self) -> None:
        store = build()
        store.put("a", 5, "monday")
        store.put("a", 6, "tuesday")
        assert store.get("a", "tuesday") == 6
        assert causes(store) == {}


class TestAge:
    def test_an_entry_that_is_too_old_is_a_miss_and_leaves(self) -> None:
        clock = Clock()
        store = build(clock, ttl_seconds=10.0)
        store.put("a", 5)
        clock.now = 9.9
        assert store.get("a") == 5
        clock.now = 10.0
        assert store.get("a") is None
        assert (len(store), causes(store)) == (0, {"expired": 1})

    def test_an_entry_may_have_a_time_of_its_own(self) -> None:
        clock = Clock()
        store = build(clock, ttl_seconds=10.0)
        store.put("short", 5, ttl_seconds=1.0)
        store.put("long", 5, ttl_seconds=20.0)
        clock.now = 15.0
        assert (store.get("short"), store.get("long")) == (None, 5)

    def test_another_time_to_live_is_for_those_that_are_there_too(self) -> None:
        clock = Clock()
        store = build(clock, ttl_seconds=10.0)
        store.put("a", 5)
        store.put("own", 5, ttl_seconds=10.0)
        clock.now = 5.0
        store.ttl_seconds = 4.0
        assert (store.get("a"), store.get("own")) == (None, 5)

    def test_a_sweep_removes_what_is_too_old(self) -> None:
        clock = Clock()
        store = build(clock, ttl_seconds=10.0)
        for number in range(700):
            store.put(f"old {number}", 1)
        clock.now = 5.0
        for number in range(300):
            store.put(f"new {number}", 1)
        clock.now = 12.0
        slices = len(list(store.sweep()))
        assert (len(store), causes(store), slices) == (300, {"expired": 700}, 10)

    def test_a_store_may_change_between_the_slices_of_a_sweep(self) -> None:
        clock = Clock()
        store = build(clock, ttl_seconds=10.0)
        for number in range(900):
            store.put(str(number), 1)
        clock.now = 11.0
        sweep = store.sweep()
        next(sweep)
        for number in range(850, 950):
            store.put(str(number), 1)
        assert len(list(sweep)) == 8
        assert sorted(store._entries, key=int) == [str(number) for number in range(850, 950)]


class TestWhoLeaves:
    def test_who_was_not_used(self) -> None:
        store = build(max_entries=3)
        for key in "abc":
            store.put(key, 1)
        store.get("a")
        store.put("d", 1)
        assert (keys(store), causes(store)) == ("acd", {"size": 1})

    def test_who_comes_back_soon_is_not_taken_for_somebody_new(self) -> None:
        store = build(max_entries=10)
        for key in "abcdefghijk":
            store.put(key, 1)
        assert "a" not in keys(store)
        store.put("a", 1)
        for number in range(100):
            store.put(f"passing by {number}", 1)
        assert store.get("a") == 1

    def test_who_is_too_old_goes_first_however_much_used(self) -> None:
        clock = Clock()
        store = build(clock, max_entries=2, ttl_seconds=10.0)
        store.put("a", 1)
        store.get("a")
        clock.now = 9.0
        store.put("b", 1)
        clock.now = 11.0
        store.put("c", 1)
        assert (keys(store), causes(store)) == ("bc", {"expired": 1})

    def test_even_if_all_are_used_somebody_leaves(self) -> None:
        store = build(max_entries=500)
        for number in range(500):
            store.put(str(number), 1)
        for _ in range(20):
            for number in range(500):
                store.get(str(number))
        store.put("new", 1)
        assert len(store) == 500
        assert store.get("new") == 1


class TestBytes:
    def test_as_many_leave_as_a_large_one_needs(self) -> None:
        store = build(max_bytes=4 * (ENTRY_BYTES + 100))
        for key in "abcd":
            store.put(key, 100)
        store.put("e", ENTRY_BYTES + 200)
        assert (keys(store), causes(store), store.size_bytes) == ("cde", {"bytes": 2}, 4 * (ENTRY_BYTES + 100))

    def test_what_is_larger_than_the_store_is_not_kept_nor_what_it_replaces(self) -> None:
        store = build(max_bytes=1000)
        store.put("a", 1)
        store.put("b", 1)
        store.put("a", 1000)
        assert (keys(store), causes(store)) == ("b", {"bytes": 1})

    def test_a_value_that_grows_stays_and_others_leave(self) -> None:
        store = build(max_bytes=3 * (ENTRY_BYTES + 100))
        for key in "abc":
            store.put(key, 100)
        store.put("a", ENTRY_BYTES + 200)
        assert (keys(store), store.size_bytes) == ("ac", 3 * (ENTRY_BYTES + 100))


class TestLoweredLimits:
    def fill(self, count: int) -> Store[str, int]:
        store = build(max_entries=count)
        for number in range(count):
            store.put(str(number), 1)
        return store

    @pytest.mark.parametrize("pressed", [False, True])
    def test_what_is_too_much_leaves_in_slices(self, pressed: bool) -> None:
        store = self.fill(2000)
        store.limit(300, PLENTY, pressed=pressed)
        assert len(store) == 2000
        sizes = [len(store), *(len(store) for _ in store.trim())]
        assert sizes[-1] == 300
        assert all(0 < before - after <= 100 for before, after in pairwise(sizes))
        assert causes(store) == {"pressure" if pressed else "size": 1700}

    def test_by_bytes_as_well(self) -> None:
        store = self.fill(10)
        store.limit(10, 3 * (ENTRY_BYTES + 1), pressed=False)
        list(store.trim())
        assert (len(store), causes(store)) == (3, {"bytes": 7})

    def test_a_put_helps_and_does_little(self) -> None:
        store = self.fill(2000)
        store.limit(300, PLENTY, pressed=True)
        store.put("new", 1)
        assert 300 < len(store) < 2000
        for number in range(300):
            store.put(f"new {number}", 1)
        assert len(store) == 300
        assert sum(causes(store).values()) == 2001

    def test_after_that_nobody_leaves_because_of_pressure(self) -> None:
        store = self.fill(10)
        store.limit(7, PLENTY, pressed=True)
        list(store.trim())
        store.put("new", 1)
        assert causes(store) == {"pressure": 3, "size": 1}

    def test_limits_can_be_raised(self) -> None:
        store = self.fill(10)
        store.limit(1000, PLENTY, pressed=False)
        for number in range(1000):
            store.put(str(number), 1)
        assert (len(store), causes(store)) == (1000, {})


class StoreLaws(RuleBasedStateMachine):
    """Beside a dict that forgets nothing: what is found is what was last put; the limits hold; the figures add up."""

    @initialize(entries=st.integers(1, 6), room=st.integers(1, 6), seconds=st.floats(1.0, 20.0))
    def begin(self, entries: int, room: int, seconds: float) -> None:
        self.clock = Clock()
        self.seconds = seconds
        self.store = build(self.clock, max_entries=entries, max_bytes=room * ENTRY_BYTES, ttl_seconds=seconds)
        self.known: dict[str, tuple[Version, int, float, float | None]] = {}
        self.lookups = self.came = self.value = 0
        self.most = (0, 0)

    @rule(
        key=st.sampled_from("abcdefgh"),
        version=st.sampled_from([None, 0, 1, "x"]),
        weight=st.integers(0, 3 * ENTRY_BYTES),
        ttl=st.none() | st.floats(0.5, 30.0),
    )
    def put(self, key: str, version: Version, weight: int, ttl: float | None) -> None:
        self.came += key not in self.store._entries
        self.store.put(key, weight, version, ttl)
        self.known[key] = (version, weight, self.clock.now, ttl)
        assert (key in self.store._entries) == (ENTRY_BYTES + weight <= self.store.max_bytes)

    @rule(key=st.sampled_from("abcdefgh"), version=st.sampled_from([None, 0, 1, "x"]))
    def get(self, key: str, version: Version) -> None:
        self.lookups += 1
        found = self.store.get(key, version)
        if found is not None:
            known_version, weight, put_at, ttl = self.known[key]
            assert (version, found) == (known_version, weight)
            assert self.clock.now - put_at < (self.seconds if ttl is None else ttl)
        elif key in self.store._entries:
            raise AssertionError("a miss leaves an entry behind")

    @rule(seconds=st.floats(0.0, 10.0))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def sweep(self) -> None:
        list(self.store.sweep())
        for entry in self.store._entries.values():
            assert self.clock.now - entry.put_at < (self.seconds if entry.ttl_seconds is None else entry.ttl_seconds)

    @rule(entries=st.integers(1, 6), room=st.integers(0, 6), pressed=st.booleans(), at_once=st.booleans())
    def resize(self, entries: int, room: int, pressed: bool, at_once: bool) -> None:
        self.store.limit(entries, room * ENTRY_BYTES, pressed=pressed)
        if at_once:
            list(self.store.trim())
            assert len(self.store) <= entries
            assert self.store.size_bytes <= room * ENTRY_BYTES

    @invariant()
    def bounded(self) -> None:
        if hasattr(self, "store"):
            store = self.store
            most_entries, most_bytes = self.most  # of the step before: what is above a lowered limit only ever gets less
            assert len(store) <= max(store.max_entries, most_entries)
            assert store.size_bytes <= max(store.max_bytes, most_bytes)
            self.most = (len(store), store.size_bytes)

    @invariant()
    def adds_up(self) -> None:
        if hasattr(self, "store"):
            store = self.store
            entries = store._entries.values()
            assert store.hits + store.misses == self.lookups
            assert len(entries) == self.came - sum(store._evictions.values())
            assert store.size_bytes == sum(entry.weight_bytes for entry in entries)
            assert store._small.count + store._main.count == len(entries)
            assert store._small.count == sum(entry.queue is store._small for entry in entries)


StoreLaws.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStoreLaws = StoreLaws.TestCase


def trace(*, requests: int, seed: int) -> list[int]:
    """Zipf's law (0.9 over 20,000 keys), and 1000 keys in a row that never come again after every 4000 requests."""
    chance = random.Random(seed)  # noqa: S311 - the same trace each time is what is wanted
    weights = list(accumulate(1 / rank**0.9 for rank in range(1, 20_001)))
    drawn = chance.choices(range(20_000), cum_weights=weights, k=requests)
    polluted: list[int] = []
    for at, key in enumerate(drawn):
        polluted.append(key)
        if at % 4000 == 3999:
            polluted.extend(range(10**6 + at, 10**6 + at + 1000))
    return polluted


def test_it_finds_more_than_a_store_that_lets_the_least_recently_used_go() -> None:
    store: Store[int, int] = Store(max_entries=400, max_bytes=PLENTY, ttl_seconds=10.0, timer=Clock())
    recent: OrderedDict[int, None] = OrderedDict()
    recent_hits = 0
    for key in trace(requests=40_000, seed=1):
        if store.get(key) is None:
            store.put(key, 1)
        if key in recent:
            recent_hits += 1
            recent.move_to_end(key)
        else:
            recent[key] = None
            if len(recent) > 400:
                recent.popitem(last=False)
    assert store.hits > 1.25 * recent_hits
