"""What a trading session sees of news: what waits, up to which time of the market nothing is missing, and what has been delivered.

The rule: news of time t reaches the strategy before the bars of the first step whose time is t or later. At that step's time t has
passed, so nothing is known early; an order that follows fills at the next bar's opening, as every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from tradingbot_engine.news.item import News
from tradingbot_engine.prediction.sentiment import Passage, Sentiment

NEVER_MS: Final = 2**62
"""Later than any time of a market."""


class Scorer(Protocol):
    """Judges texts: :class:`tradingbot_engine.prediction.service.PredictionService`."""

    async def score(self, passages: Sequence[Passage]) -> list[Sentiment]: ...


class NewsSource(Protocol):
    """Judged news. The session reads the two times before each group of steps, and takes what is due within."""

    @property
    def next_ms(self) -> int:
        """Time of the earliest that waits; NEVER_MS when none does."""

    @property
    def known_ms(self) -> int:
        """All news up to this time of the market is here, or was delivered: no step later than it may be taken."""

    def take(self, until_ms: int) -> Sequence[News]:
        """Deliver what waits up to and with `until_ms`, by time."""

    def begin_lap(self) -> None:
        """The market begins anew, and so does its news."""

    def hurry(self) -> None:
        """The market stands still: a step can't be taken before more is known."""

    def seen(self) -> str:
        """Return what a checkpoint has to keep so that the next process delivers nothing twice."""


class NoNews:
    """There is none."""

    next_ms = NEVER_MS
    known_ms = NEVER_MS

    def take(self, until_ms: int) -> Sequence[News]:  # noqa: ARG002 - the interface's
        return ()

    def begin_lap(self) -> None:
        """Nothing begins."""

    def hurry(self) -> None:
        """Nothing is missing."""

    def seen(self) -> str:
        return ""
