"""What remediation looks at, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tradingbot_contract.report import EngineStatus, FindingReason, ObserverReport, Severity
from tradingbot_operator.bot_status import Adjustment, Decision, Effort, Quarantine, RemediationRecord, Shard
from tradingbot_operator.operations import Remediation
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

    @property
    def rules(self) -> Remediation:
        return self.bot.spec.health.remediation


class Case(Struct, frozen=True, kw_only=True):
    """One engine that has a pod, with all that bears on it."""

    now: Situation
    shard: ShardSituation
    pod: PodFacts
    effort: Effort
    """What has been tried for it."""

    @property
    def rules(self) -> Remediation:
        return self.now.rules

    @property
    def report(self) -> ObserverReport | None:
        return self.shard.view.report

    @property
    def engine(self) -> EngineStatus | None:
        """The engine's last word to its observer."""
        return self.report.engine if self.report else None

    @property
    def adjustment(self) -> Adjustment:
        return self.shard.before.adjustment or Adjustment()

    @property
    def ended_container(self) -> str:
        """Container whose end is the last that is known in this pod; empty if none has ended."""
        return self.pod.engine.exit.container_id if self.pod.engine.exit else ""

    def lasts_seconds(self, reason: FindingReason, severity: Severity | None = None) -> float | None:
        """Return for how long the observer has found this, by its own clock; None: it does not, or nothing is known."""
        if self.report is None:
            return None
        lasted = [
            self.report.observed_at - finding.since
            for finding in self.report.findings
            if finding.reason is reason and (severity is None or finding.severity is severity)
        ]
        return max(lasted, default=None)


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
    """Set where people should hear of it: BudgetSpent, FleetSick, RemediationSkipped, ReconcilePaused, ExcludedPeriod,
    WaitingForPositions, Quarantined."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one sick engine."""

    shard: str
    cause: Cause
    hold: Hold | None
    decision: Decision | None
    """What was decided now; None while it is held back."""
    step: str = ""
    """What is done, or would be if nothing held it back; empty: nothing is left to try."""


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
    """The outcome whose pod is to be deleted now (RestartPod, RecreateElsewhere, and Quarantine of an engine that does not answer).
    It is one of `outcomes`, or has the decision of an earlier pass that was not carried out."""
    judged: tuple[Reason, ...] = ()
    """Helped or DidNotHelp, for results that became known in this pass: each is worth an Event."""
    recheck_seconds: float
    """When to look again even if nothing happens; infinity: no need."""
