"""What was done and isn't in the journal yet: how much, for how long, and whether that is all that may be. Pure: the clock is an argument.

There are two parts: the group that is being written, and what has been done since. What can't be written grows only in the second, so
an outage leads to two groups at most, and what is repeated after a crash is bounded, as is the memory.
"""

from __future__ import annotations

from typing import NamedTuple


class Bounds(NamedTuple):
    """What a backlog may grow to before trading waits for the journal."""

    steps: int = 250_000
    """Of the feed: what a crash repeats, within a second."""
    rows: int = 10_000
    """Of orders, fills and equity: the memory, less than a kilobyte each."""
    seconds: float = 600.0
    """Age of the oldest step: for longer nobody should trade who can't say what he did."""


class Backlog:
    """See the module. Times are seconds of a monotonic clock."""

    __slots__ = ("_bounds", "_ordered_at", "_since", "_steps", "_written_ordered_at", "_written_since", "_written_steps")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._steps = 0
        self._since: float | None = None
        self._ordered_at: float | None = None
        self._written_steps = 0
        self._written_since: float | None = None
        self._written_ordered_at: float | None = None

    @property
    def steps(self) -> int:
        """Steps of the feed that aren't in the journal."""
        return self._steps + self._written_steps

    @property
    def new_steps(self) -> int:
        """Those of them that nobody writes yet."""
        return self._steps

    def behind_seconds(self, now: float) -> float:
        """Return how long the oldest step has waited; 0 when there is none."""
        since = self._since if self._written_since is None else self._written_since
        return 0.0 if since is None else max(0.0, now - since)

    def is_full(self, new_rows: int, now: float) -> bool:
        """Return whether no further step may be taken; `new_rows` are those that nobody writes yet."""
        bounds = self._bounds
        return self._steps >= bounds.steps or new_rows >= bounds.rows or self.behind_seconds(now) >= bounds.seconds

    def took(self, steps: int, began_at: float, *, ordered: bool) -> None:
        """Note steps that were taken from `began_at` on, and whether there is something to write now, as there may be without a step."""
        if (steps or ordered) and self._since is None:
            self._since = began_at
        self._steps += steps
        if ordered and self._ordered_at is None:
            self._ordered_at = began_at

    def hand_over(self) -> None:
        """Note that all there is is being written."""
        self._written_steps, self._written_since, self._written_ordered_at = self._steps, self._since, self._ordered_at
        self._steps, self._since, self._ordered_at = 0, None, None

    def written(self, now: float) -> float | None:
        """Note that what was handed over is in the journal; return how long its first order has waited, None if it had none."""
        ordered_at = self._written_ordered_at
        self._written_steps, self._written_since, self._written_ordered_at = 0, None, None
        return None if ordered_at is None else now - ordered_at
