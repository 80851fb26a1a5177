"""What is judged, and the judgement. Pure."""

from __future__ import annotations

import enum

from msgspec import Struct


class Source(enum.Enum):
    """Where a text comes from, which decides what judges it."""

    NEWS = "news"
    SOCIAL = "social"


class Passage(Struct, frozen=True):
    """A text to judge."""

    text: str
    source: Source = Source.NEWS


class Sentiment(Struct, frozen=True):
    """How good the news is. The three shares add up to 1."""

    positive: float
    negative: float
    neutral: float
    score: float
    """-1 (bad) to 1 (good): of a model the positive share less the negative, of the lexicon its own measure."""
    model: str
    """What judged: `finbert`, `social` or `lexicon`."""
