"""Ages, steps and conditions as people read them. Times are seconds since the epoch; what isn't known is a question mark."""

from __future__ import annotations

import datetime as dt
from typing import Final

from tradingbot_cli.figures import UNKNOWN
from tradingbot_cli.output import Cell, Tone
from tradingbot_operator.bot_status import Condition, Decision, Phase
from tradingbot_operator.timestamp import parse_time

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

PHASE_TONES: Final = {
    Phase.RUNNING: Tone.GOOD,
    Phase.FINISHED: Tone.GOOD,
    Phase.PENDING: Tone.DOUBTFUL,
    Phase.STARTING: Tone.DOUBTFUL,
    Phase.DELETING: Tone.DOUBTFUL,
    Phase.PAUSED: Tone.DOUBTFUL,
    Phase.STOPPED: Tone.DOUBTFUL,
    Phase.UNHEALTHY: Tone.BAD,
    Phase.QUARANTINED: Tone.BAD,
    Phase.REFUSED: Tone.BAD,
    Phase.FAILED: Tone.BAD,
}
SEVERITY_TONES: Final = {"critical": Tone.BAD, "warning": Tone.DOUBTFUL, "info": Tone.QUIET}

STEPS: Final = {
    "ShrinkCaches": "shrink the caches of",
    "GrowMemory": "raise the memory limit of",
    "LowerMemoryMode": "lower the memory mode of",
    "RestartPod": "recreate pod",
    "RecreateElsewhere": "recreate, on another node if it can, pod",
    "Quarantine": "put in quarantine",
}
"""What the operator can do, before the name of whom it does it to."""


def duration(seconds: float) -> str:
    """Return how long, in two units at most: ``45s``, ``3m20s``, ``2d4h``."""
    whole = max(0, int(seconds))
    for unit, letter, next_unit, next_letter in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "m"), (_MINUTE, "m", 1, "s")):
        if whole >= unit:
            rest = whole % unit // next_unit
            return f"{whole // unit}{letter}" + (f"{rest}{next_letter}" if rest and whole < 10 * unit else "")
    return f"{whole}s"


def age(time: str, now: float) -> str:
    """Return how long ago a time (RFC 3339) was."""
    return duration(now - parse_time(time)) if time else UNKNOWN


def ago(time: str, now: float) -> str:
    return f"{age(time, now)} ago" if time else "at an unknown time"


def clock(seconds: float) -> str:
    """Return a moment that is near as a time of the day, UTC."""
    return f"{dt.datetime.fromtimestamp(seconds, tz=dt.UTC):%H:%M:%S} UTC"


def describe_decision(decision: Decision) -> str:
    """Return what was decided: the action, and for a rehearsal what it would have been."""
    return f"{decision.step} (dry run)" if decision.step else decision.action


def describe_result(decision: Decision) -> Cell:
    """Return what became of a decision."""
    match decision.result:
        case "Helped":
            return Cell("helped", Tone.GOOD)
        case "DidNotHelp":
            return Cell("did not help", Tone.BAD)
        case _:
            return Cell("nothing was done" if decision.step else "not known yet", Tone.QUIET)


def describe_condition(condition: Condition) -> Cell:
    """Return the status of a condition in the tone of what it means: Progressing is no fault, and no merit."""
    if condition.type == "Progressing":
        return Cell(condition.status.value, Tone.DOUBTFUL if condition.status.value == "True" else Tone.PLAIN)
    return Cell(condition.status.value, {"True": Tone.GOOD, "False": Tone.BAD}.get(condition.status.value, Tone.DOUBTFUL))
