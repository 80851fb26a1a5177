"""The highest of the last n numbers, in constant time amortised.

Kept are the numbers that may still become the highest: a number goes when a later one is at least as high. So they stand in falling order,
the highest first. The lowest is the highest of the negatives.
"""

from __future__ import annotations

from collections import deque
from typing import Any


class Highest:
    """See the module."""

    __slots__ = ("_candidates", "_period", "_seen")

    def __init__(self, period: int) -> None:
        self._period = period
        self._seen = 0
        self._candidates: deque[tuple[int, float]] = deque()
        """Each with its place in the sequence."""

    def add(self, number: float) -> float | None:
        """Take the next number; return the highest of the last `period`, None until there were as many."""
        candidates = self._candidates
        self._seen = seen = self._seen + 1
        while candidates and candidates[-1][1] <= number:
            candidates.pop()
        candidates.append((seen, number))
        if candidates[0][0] <= seen - self._period:
            candidates.popleft()
        return candidates[0][1] if seen >= self._period else None

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"seen": self._seen, "candidates": list(self._candidates)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self._seen = state["seen"]
        self._candidates = deque(state["candidates"])
