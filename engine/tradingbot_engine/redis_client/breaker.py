"""Whether to ask a server at all: after a failure not for a while, then one request tries it for all.

Invariant: while the server is down, at most one request per pause is let through, and the pauses grow up to a limit. Times are of one
monotonic clock, in seconds.
"""

from __future__ import annotations

from typing import Final

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
GROWTH: Final = 2.0


class Breaker:
    """Closed at first: every request passes."""

    __slots__ = ("_ask_again_at", "_opened_at", "_pause_seconds")

    def __init__(self) -> None:
        self._opened_at: float | None = None
        self._ask_again_at = 0.0
        self._pause_seconds = 0.0

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def allows(self, now: float) -> bool:
        """Whether a request may go out; if the pause is over, this one is the only one of the next pause."""
        if self._opened_at is None:
            return True
        if now < self._ask_again_at:
            return False
        self._ask_again_at = now + self._pause_seconds
        return True

    def remaining_seconds(self, now: float) -> float:
        """How long no request passes."""
        return max(0.0, self._ask_again_at - now) if self.is_open else 0.0

    def succeeded(self) -> None:
        """The server answered."""
        self._opened_at = None
        self._pause_seconds = 0.0

    def failed(self, began_at: float, now: float) -> None:
        """A request that began at that time got no answer.

        Of many that were under way when the server went, the first counts: the others are of the same failure.
        """
        if self._opened_at is not None and began_at < self._opened_at:
            return
        self._pause_seconds = min(self._pause_seconds * GROWTH or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._opened_at = now
        self._ask_again_at = now + self._pause_seconds
