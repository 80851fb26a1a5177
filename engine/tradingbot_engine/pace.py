"""How many steps of a replay are due, at so many a second. Pure: the clock is an argument.

Steps that could not be taken in time are caught up on, but never more than a second's worth: a process that was stopped for an hour
goes on at its pace instead of rushing through the hour.
"""

from __future__ import annotations

from typing import Final

UNLIMITED: Final = 1_000_000_000
"""More steps than anyone takes in one turn."""
_CATCH_UP_SECONDS: Final = 1.0
_OVERDUE_SECONDS: Final = 1.0


class Pace:
    """Times are seconds of a monotonic clock. A speed of 0 has no limit."""

    __slots__ = ("_next_at", "_seconds_per_step", "_speed")

    def __init__(self, steps_per_second: float, now: float) -> None:
        self._speed = steps_per_second
        self._seconds_per_step = 1.0 / steps_per_second if steps_per_second > 0 else 0.0
        self._next_at = now

    def due(self, now: float) -> int:
        """Return how many steps may be taken now."""
        if not self._speed:
            return UNLIMITED
        late = now - self._next_at
        if late < 0:
            return 0
        if late > _CATCH_UP_SECONDS:
            self._next_at = now - _CATCH_UP_SECONDS
            late = _CATCH_UP_SECONDS
        return 1 + int(late * self._speed)

    def took(self, steps: int) -> None:
        """Note that so many were taken."""
        self._next_at += steps * self._seconds_per_step

    def expects_step(self, now: float) -> bool:
        """Whether it is a bad sign that no step was taken: at a slow pace only when one is overdue."""
        return self._seconds_per_step <= _OVERDUE_SECONDS or now > self._next_at + _OVERDUE_SECONDS

    def wait_seconds(self, now: float) -> float:
        """Return how long until the next step is due."""
        return max(0.0, self._next_at - now) if self._speed else 0.0
