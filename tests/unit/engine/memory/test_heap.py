from __future__ import annotations

import subprocess
import sys

from tradingbot_engine.memory.heap import trim_heap

PROGRAM = """
import os
from tradingbot_engine.memory.heap import trim_heap
from tradingbot_engine.telemetry.process import read_memory_bytes
kept = [bytes(20_000) for _ in range(3000)]
full = read_memory_bytes()
kept = kept[1::2]
freed = read_memory_bytes()
trim_heap()
print(full, freed, read_memory_bytes())
"""


def test_what_was_freed_between_what_is_kept_goes_back_to_the_kernel() -> None:
    # In a process of its own: the heap of this one is that of all tests.
    answer = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env={"PYTHONPATH": "engine"})
    full, freed, trimmed = map(int, answer.stdout.split())
    assert full - freed < 10_000_000
    assert full - trimmed > 20_000_000


def test_it_may_be_called_again_and_again() -> None:
    assert {trim_heap() for _ in range(3)} <= {True, False}
