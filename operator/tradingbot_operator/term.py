"""How long this process may act: the one thing that keeps two operators from acting at once.

It is extended by whoever holds the lease, and read before every call that changes something. It is a time and not a flag, so that
a process that was stopped for a minute, or whose loop hung, does not act in the moment in which it goes on.
"""

from __future__ import annotations

import math
import time


class Term:
    """Ends at a time of the monotonic clock, unless it is extended before."""

    def __init__(self) -> None:
        self._acts_until = -math.inf
        self._calls_until = -math.inf

    @property
    def is_leading(self) -> bool:
        """Whether this process may act now."""
        return self.seconds_left() > 0.0

    def seconds_left(self) -> float:
        """Return how long this process may begin something; 0 when it may not."""
        return max(0.0, self._acts_until - time.monotonic())

    def call_seconds(self) -> float:
        """Return how long a call that changes something may take at the most; 0 when none may be made."""
        return self._calls_until - time.monotonic() if self.is_leading else 0.0

    def extend(self, *, acts_until: float, calls_until: float) -> None:
        """Let nothing begin after the one time, and nothing go on after the other."""
        self._acts_until = acts_until
        self._calls_until = calls_until

    def end(self) -> None:
        self.extend(acts_until=-math.inf, calls_until=-math.inf)


def endless_term() -> Term:
    """Return the term of an operator that is alone."""
    term = Term()
    term.extend(acts_until=math.inf, calls_until=math.inf)
    return term
