"""What remediation looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tradingbot_operator.bot_status import Adjustment, Decision, Quarantine, RemediationRecord, Shard
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.world import FleetFacts, PodFacts, ReportView


class ShardSituation(Struct, frozen=True, kw_only=True):
    """One engine of the bot."""

    name: str
    before: Shard
    """As the status has it: adjustment, quarantine, measured time of a start."""
    pod: PodFacts | None
    view: ReportView
    rolling_out: bool
    """Whether its pod is being replaced, or is about to be."""


class Situation(Struct, frozen=True, kw_only=True):
    """A bot, its engines, and what of the fleet concerns it."""

    bot: TradingBot
    shards: tuple[ShardSituation, ...]
    record: RemediationRecord
    """As the status has it: history and budget."""
    fleet: FleetFacts
    max_unhealthy_percent: float
    now: float


class Cause(Struct, frozen=True):
    """What is wrong with an engine, in one reason."""

    reason: Reason
    message: str


class Hold(Struct, frozen=True):
    """Why nothing is done although there is a cause."""

    message: str
    seconds: float | None
    """When to look again; None: only when something changes."""
    reason: Reason | None = None
    """Set where people should hear of it: BudgetSpent, FleetSick, RemediationSkipped, ExcludedPeriod, Quarantined."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one sick engine."""

    shard: str
    cause: Cause
    hold: Hold | None
    decision: Decision | None
    """What was decided now; None while it is held back."""


class Remedy(Struct, frozen=True, kw_only=True):
    """The answer for a bot. At most one outcome has a decision that is not a dry run."""

    outcomes: tuple[Outcome, ...]
    record: RemediationRecord
    """With the results of earlier decisions, the new one, and the budget. It is equal to the one before when nothing has changed."""
    adjustments: Mapping[str, Adjustment | None]
    """By shard, for every shard: what its document, pod and limit take in place of the spec."""
    quarantines: Mapping[str, Quarantine | None]
    """By shard, for every shard."""
    restart: Outcome | None
    """The outcome whose pod is to be deleted now (RestartPod, RecreateElsewhere, and Quarantine of an engine that does not answer)."""
    judged: tuple[Reason, ...] = ()
    """Helped or DidNotHelp, for results that became known in this pass: each is worth an Event."""
    recheck_seconds: float
    """When to look again even if nothing happens; infinity: no need."""
