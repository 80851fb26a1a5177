"""What a period of an indicator may be: checked where it is made, so that the call that makes the mistake is the one that fails."""

from __future__ import annotations


def check_period(period: int, name: str = "period", least: int = 1) -> int:
    """Return `period`, a number of bars.

    Raises:
        ValueError: it is no whole number, or below `least`.
    """
    if not isinstance(period, int) or period < least:
        raise ValueError(f"{name} is {period!r}: it must be a whole number of bars, {least} or more")
    return period
