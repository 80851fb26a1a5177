"""Waiting for a cluster: ask again until it is so, and when it never is, say what was seen last.

A deadline here is a bound on how long a failing run takes, not a claim about speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def eventually(
    what: str,
    look: Callable[[], Seen | None],
    *,
    within_seconds: float = 90.0,
    every_seconds: float = 0.25,
    explain: Callable[[], str] | None = None,
) -> Seen:
    """Return the first thing that ``look`` gives that is true; an AssertionError in it counts as "not yet".

    Raises:
        AssertionError: the deadline has passed; the message holds what was seen last and what ``explain`` says.
    """
    started = time.monotonic()
    while True:
        last: object
        try:
            seen = look()
            if seen:
                return seen
            last = seen
        except AssertionError as error:
            last = error
        if time.monotonic() - started > within_seconds:
            story = f"\n{explain()}" if explain else ""
            raise AssertionError(f"not within {within_seconds:.0f} s: {what}; last seen: {last!r}{story}")
        time.sleep(every_seconds)
