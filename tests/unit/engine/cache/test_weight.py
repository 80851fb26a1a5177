"""What a value weighs: its own memory and that of all that hangs on it."""

from __future__ import annotations

import enum
import tracemalloc
from dataclasses import dataclass
from sys import getsizeof

import pytest
from msgspec import Struct

from tradingbot_engine.cache.store import Store
from tradingbot_engine.cache.weight import weigh, weigh_value


class Colour(enum.Enum):
    RED = "red"


class Judgement(Struct):
    text: str
    score: float


@dataclass
class Plain:
    text: str


class Slotted:
    __slots__ = ("empty", "text")

    def __init__(self, text: str) -> None:
        self.text = text


TEXT = "x" * 1000


@pytest.mark.parametrize("value", [b"", b"x" * 100, "", "text", "täxt", "文" * 9, 0, 10**30, 1.5, None, True])
def test_what_has_no_parts_weighs_what_the_interpreter_says(value: object) -> None:
    assert weigh_value(value) == getsizeof(value)
    assert weigh("key", value) == getsizeof("key") + getsizeof(value)


@pytest.mark.parametrize(
    "value",
    [[TEXT], (TEXT,), {TEXT}, frozenset({TEXT}), {1: TEXT}, {TEXT: 1}, [[TEXT]], Judgement(TEXT, 0.5), Plain(TEXT), Slotted(TEXT)],
    ids=lambda value: type(value).__name__,
)
def test_what_has_parts_weighs_more_than_they(value: object) -> None:
    assert getsizeof(TEXT) < weigh_value(value) < getsizeof(TEXT) + 1000


def test_what_is_there_once_counts_once() -> None:
    assert weigh_value([TEXT, TEXT]) == getsizeof([TEXT, TEXT]) + getsizeof(TEXT)


def test_a_ring_ends() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert weigh_value(ring) == getsizeof(ring)


@pytest.mark.parametrize("value", [Colour.RED, Judgement, getsizeof, enum])
def test_what_all_values_share_weighs_nothing(value: object) -> None:
    assert weigh_value(value) == 0


@pytest.mark.parametrize("entries", [700, 1000, 5000])
def test_a_store_takes_no_more_memory_than_it_says(entries: int) -> None:
    tracemalloc.start()
    try:
        store: Store[str, bytes] = Store(max_entries=entries, max_bytes=10**9, ttl_seconds=1.0, timer=lambda: 0.0)
        for number in range(2 * entries):
            store.put(f"key {number}", b"x" * 100 + b"%d" % number)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.8 * store.size_bytes < taken < 1.02 * store.size_bytes
