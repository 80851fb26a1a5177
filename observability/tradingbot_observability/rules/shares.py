"""How much of what counted was bad, over the windows that burn rates are taken from: for each bot, and for all bots together.

The longer windows are looked at less often: they move slowly, and each look reads a sample for each minute of the window.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_observability.rules.objectives import ALL, BAD, LEAST_COUNTED
from tradingbot_observability.rules.rule import Group, RecordingRule


class Window(Struct, frozen=True):
    """A time over which a share is taken."""

    name: str
    least: str
    """Condition on what counted, for the share to say something."""


_SHORT: Final = "> 0"
_LONG: Final = f">= {LEAST_COUNTED}"
QUICK_WINDOWS: Final = (Window("5m", _SHORT), Window("30m", _SHORT), Window("1h", _LONG))
SLOW_WINDOWS: Final = (Window("2h", _LONG), Window("6h", _LONG), Window("1d", _LONG), Window("3d", _LONG))


def bot_share(window: str) -> str:
    """Return the name of the bad share of a bot over a window."""
    return f"namespace_bot_objective:tradingbot_objective_bad:ratio_{window}"


def fleet_share(window: str) -> str:
    """Return the name of the bad share of all bots together."""
    return f"objective:tradingbot_objective_bad:ratio_{window}"


def _shares(window: Window) -> tuple[RecordingRule, ...]:
    bad, counted = f"sum_over_time({BAD}[{window.name}])", f"sum_over_time({ALL}[{window.name}])"
    return (
        RecordingRule(bot_share(window.name), f"{bad} / ({counted} {window.least})"),
        RecordingRule(fleet_share(window.name), f"sum by (objective) ({bad}) / (sum by (objective) ({counted}) {window.least})"),
    )


QUICK_SHARES: Final = Group("tradingbot-shares-quick", 60, tuple(rule for each in QUICK_WINDOWS for rule in _shares(each)))
SLOW_SHARES: Final = Group("tradingbot-shares-slow", 120, tuple(rule for each in SLOW_WINDOWS for rule in _shares(each)))
