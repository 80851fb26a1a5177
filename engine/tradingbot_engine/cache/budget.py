"""How the caches share one memory limit: each may use what the others don't, and none can starve another.

A quarter of the limit is guaranteed, in equal parts. The rest follows use: a cache keeps what it holds beyond its guaranteed part, and
what nobody holds is for all of them equally. The parts never add up to more than the limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_GUARANTEED: Final = 0.25


def split_memory(limit_bytes: int, held_bytes: Sequence[int]) -> list[int]:
    """Return what each cache may take, for caches that hold this much now."""
    count = len(held_bytes)
    guaranteed = int(limit_bytes * _GUARANTEED / count)
    rest = limit_bytes - guaranteed * count
    beyond = [max(0, held - guaranteed) for held in held_bytes]
    wanted = sum(beyond)
    if wanted > rest:
        return [guaranteed + rest * part // wanted for part in beyond]
    return [guaranteed + part + (rest - wanted) // count for part in beyond]
