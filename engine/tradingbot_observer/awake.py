"""How long the observer has looked on: a clock that nobody sets, and that stands still while the observer itself does not run.

What was frozen with its node, or had no CPU, has heard nothing of the engine for a minute, and that says nothing of the engine; nor does a
clock that was put forward by a minute. So silence is measured by this one.

Invariant: from one look to the next no more time passes than lies between two looks when nothing holds them up.
"""

from __future__ import annotations


class AwakeClock:
    """See the module; times are of a monotonic clock."""

    def __init__(self, now: float, most_seconds: float) -> None:
        """Begin at 0; when all is well there is a look each `most_seconds` at least."""
        self.seconds = 0.0
        """How much has passed until the last look."""
        self._most_seconds = most_seconds
        self._looked_at = now

    def look(self, now: float) -> float:
        """Return how much has passed until now."""
        self.seconds += min(max(0.0, now - self._looked_at), self._most_seconds)
        self._looked_at = now
        return self.seconds
