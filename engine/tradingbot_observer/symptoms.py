"""What a check looks at, and what it returns: the situation of an engine, and one symptom in it.

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
    observer_started_at: float
    process_started_at: float | None
    """When the engine process that is there now started; None: there is none, or processes can't be seen."""
    process_was_seen: bool
    """Whether this observer has ever seen an engine process."""
    process_has_answered: bool
    """Whether the process that is there now has ever answered."""
    last_answer_at: float | None
    engine: EngineStatus | None
    """The last answer."""
    sample: Sample | None
    """The newest sample."""
    document_error: str = ""
    """Why the observer's own document is not the one that it goes by; empty when it is."""

    @property
    def measured(self) -> Sample:
        """The newest sample, or one that knows nothing."""
        return self.sample or Sample(at=self.at)

    @property
    def told(self) -> EngineStatus | None:
        """The engine's last answer, if it is fresh enough to be believed."""
        return self.engine if self.answers else None

    @property
    def answers(self) -> bool:
        """Whether the engine's last answer is fresh enough to be believed."""
        return self.last_answer_at is not None and self.at - self.last_answer_at <= self.health.silent_after_seconds


class Symptom(NamedTuple):
    """A finding without its history."""

    reason: FindingReason
    severity: Severity
    message: str


Check = Callable[[Situation], Symptom | None]
