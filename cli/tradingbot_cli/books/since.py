"""Since when, as people say it: a date, a time, or how long before the newest."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from tradingbot_cli.errors import RefusedError

_AGE: Final = re.compile(r"(\d{1,5})([mhdwy])")
_SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0, "y": 365.25 * 86_400.0}


def parse_since(text: str | None, newest: float | None) -> int | None:
    """Return a time of the market in whole seconds; None for no beginning. `newest` is what an age is taken from.

    Raises:
        RefusedError: it is none of the three, or an age of what has not begun.
    """
    if text is None:
        return None
    age = _AGE.fullmatch(text)
    if age is not None:
        if newest is None:
            raise RefusedError(f"--since {text}: the bot has seen no price yet, so there is nothing to count back from")
        return max(0, int(newest - int(age[1]) * _SECONDS[age[2]]))
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(f"--since {text}: write a date (2024-05-01), a time (2024-05-01T15:30), or an age (90d, 12h)") from error
    return max(0, int((time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp()))
