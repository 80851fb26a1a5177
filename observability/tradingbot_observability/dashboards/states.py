"""Words that are exported as one series for each, as numbers of one row: what a state timeline plots.

A closed set of words has a fixed order, so a number means the same word in every panel and in every release that knows it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from tradingbot_contract.document import Activity
from tradingbot_contract.report import EngineState
from tradingbot_contract.resources import MemoryMode
from tradingbot_observability.dashboards.series import Named, Scope
from tradingbot_observability.dashboards.thresholds import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, YELLOW
from tradingbot_operator.bot_status import Phase

_Word = TypeVar("_Word", bound=enum.Enum)

PHASE_COLORS: Final[Mapping[Phase, str]] = {
    Phase.RUNNING: GREEN,
    Phase.FINISHED: BLUE,
    Phase.PENDING: YELLOW,
    Phase.STARTING: YELLOW,
    Phase.PAUSED: PURPLE,
    Phase.STOPPED: GREY,
    Phase.DELETING: GREY,
    Phase.UNHEALTHY: RED,
    Phase.QUARANTINED: ORANGE,
    Phase.REFUSED: RED,
    Phase.FAILED: RED,
}
STATE_COLORS: Final[Mapping[EngineState, str]] = {
    EngineState.RUNNING: GREEN,
    EngineState.STARTING: YELLOW,
    EngineState.FINISHED: BLUE,
    EngineState.REFUSED: RED,
    EngineState.FENCED: ORANGE,
    EngineState.STOPPING: GREY,
}
ACTIVITY_COLORS: Final[Mapping[Activity, str]] = {
    Activity.TRADE: GREEN,
    Activity.PAUSE: PURPLE,
    Activity.CANCEL: YELLOW,
    Activity.FLATTEN: YELLOW,
    Activity.FENCE: ORANGE,
}
Mapped = Mapping[str, tuple[str, str]]
"""Text and colour by value."""

YES_NO: Final[Mapped] = {"0": ("down", RED), "1": ("up", GREEN)}
WRONG: Final[Mapped] = {"0": ("well", GREEN), "1": ("wrong", RED)}
HELD_BACK: Final[Mapped] = {"0": ("free", GREEN), "1": ("held back", YELLOW)}
PASSED: Final[Mapped] = {"0": ("within", GREEN), "1": ("passed", RED)}
LEADS: Final[Mapped] = {"0": ("waits", BLUE), "1": ("leads", GREEN)}

MODES: Final = tuple(mode for mode in MemoryMode if mode is not MemoryMode.AUTO)
MODE_WORDS: Final[Mapped] = {
    str(number): (mode.value, color) for number, (mode, color) in enumerate(zip(MODES, (GREEN, YELLOW, ORANGE), strict=True), 1)
}


def numbered(scope: Scope, metric: Named, label: str, words: Iterable[enum.Enum], by: str) -> str:
    """Return one row for each value of `by`: the number of the word whose series is 1."""
    terms = (f"{number} * {scope.of(metric, **{label: word.value})}" for number, word in enumerate(words, 1))
    return f"max by ({by}) ({' or '.join(terms)})"


def mapped(colors: Mapping[_Word, str]) -> Mapped:
    """Return the words that :func:`numbered` has given numbers; the set must be that of the same enum, in its order."""
    (kind,) = {type(word) for word in colors}
    return {str(number): (word.value, colors[word]) for number, word in enumerate(kind, 1)}
