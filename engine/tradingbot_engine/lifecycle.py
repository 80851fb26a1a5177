"""Where the engine is in its life, and where it may go from there: the table is the whole truth.

A move that the table doesn't have is a bug: it raises, and changes nothing.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.report import EngineState

TRANSITIONS: Final[dict[EngineState, frozenset[EngineState]]] = {
    EngineState.STARTING: frozenset(
        {EngineState.RUNNING, EngineState.FINISHED, EngineState.REFUSED, EngineState.FENCED, EngineState.STOPPING}
    ),
    # Refused while it runs: another engine has taken its journal.
    EngineState.RUNNING: frozenset({EngineState.FINISHED, EngineState.REFUSED, EngineState.FENCED, EngineState.STOPPING}),
    # An activity is carried out after the end of the feed, too, and written to the journal: another engine may have it by then.
    EngineState.FINISHED: frozenset({EngineState.REFUSED, EngineState.FENCED, EngineState.STOPPING}),
    # What was refused because something was missing (a lock that another process holds) is tried again.
    EngineState.REFUSED: frozenset({EngineState.STARTING, EngineState.STOPPING}),
    # Another document is there, which may be one to be refused, or to stay fenced by.
    EngineState.FENCED: frozenset({EngineState.STARTING, EngineState.STOPPING}),
    EngineState.STOPPING: frozenset(),
}


class IllegalTransitionError(RuntimeError):
    """The engine tried to go where it can't go from here."""


class Lifecycle:
    """The engine's state; starts as STARTING."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = EngineState.STARTING

    @property
    def state(self) -> EngineState:
        return self._state

    def move(self, target: EngineState) -> None:
        """Go to `target`.

        Raises:
            IllegalTransitionError: the table has no such move; the state is as before.
        """
        if target not in TRANSITIONS[self._state]:
            raise IllegalTransitionError(f"{self._state.value} → {target.value}")
        self._state = target
