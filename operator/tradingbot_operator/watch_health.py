"""Does a watch still live? A dead one looks like a quiet one, until a list shows what it did not bring.

A change that a list shows, and that the watch has not brought some seconds later, was missed. Once may be a watch that was just being
opened anew; twice in a row, with nothing seen to come in between without a miss, and the watch is dead: then the process has to start anew.
No list at all (an API server that does not answer) says nothing about the watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

DEAD_AFTER: Final = 2
"""Lists in a row with something missed."""
SECOND_LOOK_SECONDS: Final = 5.0
"""What a watch is given to bring a change that a list already shows."""


class WatchKey(Struct, frozen=True, order=True):
    """Which watch."""

    kind: str
    namespace: str | None
    """None: of all namespaces."""

    def __str__(self) -> str:
        return f"{self.kind} in {self.namespace}" if self.namespace else self.kind


class WatchState(Struct, frozen=True, kw_only=True):
    """What is known of one watch."""

    missed_in_row: int = 0
    """Lists in a row with something missed; lists with no change at all do not count."""
    missed: str = ""
    """What was missed last, for people."""
    came: int = 0
    """Events since the last list."""


def add_event(before: WatchState) -> WatchState:
    """Return the state after the watch has brought something."""
    return replace(before, came=before.came + 1)


def judge_listing(before: WatchState, *, missed: str) -> WatchState:
    """Return the state after a list was compared.

    Args:
        before: the state so far.
        missed: what the list had and the watch had not brought after a second look; empty for nothing.
    """
    if missed:
        return WatchState(missed_in_row=before.missed_in_row + 1, missed=missed)
    # With nothing missed, only a watch that brought something has shown that it lives.
    return WatchState() if before.came else before


def find_dead(states: Mapping[WatchKey, WatchState]) -> tuple[WatchKey, ...]:
    """Return the watches that are dead."""
    return tuple(sorted((key for key, state in states.items() if state.missed_in_row >= DEAD_AFTER), key=str))


def is_suspicious(states: Mapping[WatchKey, WatchState]) -> bool:
    """Return whether another list should come soon."""
    return any(state.missed_in_row for state in states.values())
