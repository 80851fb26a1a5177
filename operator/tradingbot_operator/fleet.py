"""How all bots of the operator are, in numbers: what each bot's last pass found.

A bot of which nothing is known counts neither as well nor as sick. An operator that begins says how many it has yet to look at, for some
seconds at most: it must not act on the first sick bots of a fleet before it has seen that most of it is sick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from tradingbot_operator.cache import BotKey
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.world import FleetFacts

FIRST_LOOK_SECONDS: Final = 10.0
"""How long the first look at every bot may take; a bot whose pass fails again and again must not hold up the others for ever."""


class Fleet:
    """Counts the bots that are judged, and those that are sick."""

    def __init__(self, metrics: OperatorMetrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._unseen: set[BotKey] = set()
        self._began_at = -FIRST_LOOK_SECONDS
        self._judged: set[BotKey] = set()
        self._sick: set[BotKey] = set()

    def begin(self, keys: Iterable[BotKey]) -> None:
        """Begin to act: these bots are there, and none has been looked at."""
        self._unseen = set(keys)
        self._began_at = self._clock()

    def note(self, key: BotKey, *, judged: bool, sick: bool) -> None:
        """Note what a pass found.

        Args:
            key: the bot.
            judged: whether its health is known, good or bad.
            sick: whether there is a cause for remediation; one that is not judged is not sick.
        """
        self._unseen.discard(key)
        _set(self._judged, key, member=judged)
        _set(self._sick, key, member=judged and sick)
        self._metrics.show_fleet(judged=len(self._judged), sick=len(self._sick))

    def forget(self, key: BotKey) -> None:
        """Forget a bot that is gone."""
        self.note(key, judged=False, sick=False)

    def facts(self, key: BotKey) -> FleetFacts:
        """Return the numbers for a pass over a bot, which counts as sick: else each one that falls sick would miss itself."""
        is_first_look = self._clock() - self._began_at < FIRST_LOOK_SECONDS
        return FleetFacts(
            judged=len(self._judged) + (key not in self._judged),
            sick=len(self._sick) + (key not in self._sick),
            unseen=len(self._unseen) if is_first_look else 0,
        )


def _set(keys: set[BotKey], key: BotKey, *, member: bool) -> None:
    if member:
        keys.add(key)
    else:
        keys.discard(key)
