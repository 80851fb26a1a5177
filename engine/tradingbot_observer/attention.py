"""How soon an engine is asked again: each second, and every 50 ms while it is about to say something that somebody waits for.

That is so when the document has changed, when another engine answers, or when the engine runs another document than the one that is
there: until both are of one generation (or the engine has refused it), and not for longer than some seconds, because a document may
ask for what only a new process can do.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineStatus

PROBE_SECONDS: Final = 1.0
ATTENTIVE_PROBE_SECONDS: Final = 0.05
LEAST_SECONDS: Final = 0.5
"""How long attention lasts at least: not every change of a document changes its generation."""
MOST_SECONDS: Final = 5.0


class Subject(Struct, frozen=True, kw_only=True):
    """What attention is paid to; when any of it changes, it begins anew."""

    document: int = 0
    """Which document is there, by count."""
    document_generation: int | None = None
    """Of the last good one; None: there was none."""
    engine_started_at: float | None = None
    engine_generation: int | None = None
    """Which one it says that it runs; None: it has not answered yet."""
    refused_generation: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the engine has answered for the document that is there, or there is nothing to compare."""
        if self.document_generation is None or self.engine_generation is None:
            return True
        return self.document_generation in {self.engine_generation, self.refused_generation}


class Attention(Struct, frozen=True):
    """What it is paid to, and since when, in seconds of a clock that nobody sets."""

    subject: Subject
    since: float


def follow(before: Attention, subject: Subject, now: float) -> Attention:
    """Return the attention after a look at the document or an answer of the engine."""
    return before if subject == before.subject else Attention(subject, now)


def pause_seconds(attention: Attention, now: float) -> float:
    """Return how long to wait between two questions to the engine."""
    seconds = now - attention.since
    attentive = seconds < (LEAST_SECONDS if attention.subject.is_settled else MOST_SECONDS)
    return ATTENTIVE_PROBE_SECONDS if attentive else PROBE_SECONDS


def has_acknowledged(engine: EngineStatus | None, generation: int) -> bool:
    """Return whether an engine says that it runs a document of this generation or a later one, or that it refuses to."""
    if engine is None:
        return False
    return engine.generation >= generation or (engine.refused_generation is not None and engine.refused_generation >= generation)
