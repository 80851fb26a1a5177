"""What a check looks at, and what it returns: the situation of an engine, or one sample of it, and one symptom.

What is not known is no symptom: only *Unknown*, which is for the operator to tell from the age of what the report holds. Times are
seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from tradingbot_contract.report import EngineStatus, FindingReason, Sample, Severity
from tradingbot_contract.spec import Health


class Situation(Struct, frozen=True, kw_only=True):
    """Everything that a check may look at."""

    at: float
    health: Health
    process_started_at: float | None
    """When the engine process that is there now started; None: there is none, or processes can't be seen."""
    process_was_seen: bool
    """Whether this observer has ever seen an engine process."""
    process_has_answered: bool
    """Whether the process that is there now has ever answered."""
    silent_seconds: float | None
    """For how long the engine has not answered an observer that looked on; None: it has never answered."""
    watched_seconds: float
    """For how long the observer has looked on since it first saw the process that is there now, since its own start if it saw none."""
    engine: EngineStatus | None
    """The last answer."""
    samples: tuple[Sample, ...] = ()
    """The newest samples of the process that is there now, oldest first: as many as a window may have."""
    document_error: str = ""
    """Why the observer's own document is not the one that it goes by; empty when it is."""

    @property
    def told(self) -> EngineStatus | None:
        """The engine's last answer, if it is fresh enough to be believed."""
        return self.engine if self.answers else None

    @property
    def answers(self) -> bool:
        """Whether the engine's last answer is fresh enough to be believed."""
        return self.silent_seconds is not None and self.silent_seconds <= self.health.silent_after_seconds


class Symptom(NamedTuple):
    """A finding without its history."""

    reason: FindingReason
    severity: Severity
    message: str
    since: float | None = None
    """When it began, where the engine says so; else it is for whoever sees it first to tell."""


Check = Callable[[Situation], Symptom | None]
SampleCheck = Callable[[Sample, Health], Symptom | None]
"""Compares one figure of one sample with its limit."""
