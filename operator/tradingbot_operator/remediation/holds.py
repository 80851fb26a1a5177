"""The brakes: every reason to do nothing about a sick engine, in order. The first that holds is told to people.

An engine that is dead, or does not answer, trades nothing, so what protects a trading engine (roll-out, excluded periods, open
positions) does not hold for it. What protects against the operator itself (mode, annotations, quarantine, the fleet breaker, budget,
pauses, one step at a time) holds for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from tradingbot_contract.report import FindingReason, Severity
from tradingbot_operator.bot_status import Budget, Decision
from tradingbot_operator.names import PAUSED, SKIP_REMEDIATION
from tradingbot_operator.operations import RemediationMode, UpdatePolicy
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.budget import seconds_until_step
from tradingbot_operator.remediation.causes import PLIGHTS, Plight
from tradingbot_operator.remediation.efforts import MINIMUM_HEALTHY_SECONDS
from tradingbot_operator.remediation.ladder import DELETING, Step
from tradingbot_operator.remediation.periods import excluded_seconds
from tradingbot_operator.remediation.results import SETTLED_SECONDS
from tradingbot_operator.remediation.situation import Case, Cause, Hold
from tradingbot_operator.timestamp import parse_time

PATIENCE_SECONDS: Final = 10.0
"""How much longer than `silentAfterSeconds` the operator waits for the kubelet to restart the engine."""
STABILISATION_SECONDS: Final = 30.0
"""How long an engine is left alone after its container started, at least."""
STABILISATION_STARTS: Final = 2.0
"""And this many times what its slowest start of late took."""
SICK_AT_LEAST: Final = 3
"""So many bots must be sick before the fleet counts as sick: two of three say little about a shared cause."""
FIRST_LOOK_PAUSE_SECONDS: Final = 1.0
"""How soon it is looked again at a sick bot when the operator has yet to look at others."""
OTHERS_SECONDS: Final = 10.0
"""How often it is looked again at what no event of this bot's tells of: the other bots, and positions."""


class Intent(Struct, frozen=True, kw_only=True):
    """What would be done about one engine if nothing held it back."""

    case: Case
    cause: Cause
    step: Step | None
    """None: nothing is left to try."""
    in_flight: Decision | None
    """A step of this bot of which it is not known yet whether it helped."""
    is_quarantined: bool
    budget: Budget | None

    @property
    def plight(self) -> Plight:
        return PLIGHTS[self.cause.reason]

    @property
    def now(self) -> float:
        return self.case.now.now


def mode_is_off(intent: Intent) -> Hold | None:
    """Hold what the user has switched off."""
    return Hold("spec.health.remediation.mode is Off", None) if intent.case.rules.mode is RemediationMode.OFF else None


def is_skipped(intent: Intent) -> Hold | None:
    """Hold while a person holds the operator off sick engines."""
    return _annotated(intent, SKIP_REMEDIATION, Reason.REMEDIATION_SKIPPED)


def is_paused(intent: Intent) -> Hold | None:
    """Hold while a person holds the operator off the bot."""
    return _annotated(intent, PAUSED, Reason.RECONCILE_PAUSED)


def is_quarantined(intent: Intent) -> Hold | None:
    """Hold what has been given up."""
    message = "the engine is in quarantine until the spec or the annotation tradingbot.dev/restart changes"
    return Hold(message, None, Reason.QUARANTINED) if intent.is_quarantined else None


def rolls_out(intent: Intent) -> Hold | None:
    """Hold while the pod of a trading engine is being replaced anyway."""
    return Hold("a roll-out replaces the pod", None) if intent.plight is Plight.ALIVE and intent.case.shard.rolling_out else None


def document_refused(intent: Intent) -> Hold | None:
    """Hold what a restart would not help."""
    refused = intent.case.lasts_seconds(FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL) is not None
    return Hold("the engine refuses its document", None) if refused else None


def nothing_is_left(intent: Intent) -> Hold | None:
    """Hold when every step that makes sense was tried."""
    return Hold("nothing is left to try: raise the limits, or look at the engine", None) if intent.step is None else None


def stabilises(intent: Intent) -> Hold | None:
    """Hold while the engine may still be coming up: until its startup probe has passed that is the kubelet's to judge."""
    since = intent.case.pod.engine.running_since
    if intent.plight is Plight.DEAD or since is None:
        return None
    if not intent.case.pod.engine.started:
        return Hold("the engine is starting", None)
    seconds = max(STABILISATION_SECONDS, STABILISATION_STARTS * (intent.case.shard.before.start_seconds or 0.0))
    return _until("the engine has only been started", since + seconds, intent.now)


def kubelet_is_first(intent: Intent) -> Hold | None:
    """Hold until the kubelet has had its time; both times are the observer's, so clocks need not agree."""
    if intent.plight is not Plight.HUNG:
        return None
    lasted = intent.case.lasts_seconds(FindingReason(intent.cause.reason.value)) or 0.0
    # EngineSilent is only found once `silentAfterSeconds` have passed, EngineGone at once.
    is_gone = intent.cause.reason is Reason.ENGINE_GONE
    needed = PATIENCE_SECONDS + (intent.case.now.bot.spec.health.silent_after_seconds if is_gone else 0.0)
    return _until("the kubelet comes first", intent.now + needed - lasted, intent.now)


def is_excluded(intent: Intent) -> Hold | None:
    """Hold off engines that trade while the user wants them left alone."""
    seconds = excluded_seconds(intent.case.rules.excluded_periods, intent.now) if intent.plight is Plight.ALIVE else None
    return None if seconds is None else Hold("spec.health.remediation.excludedPeriods: not now", seconds, Reason.EXCLUDED_PERIOD)


def fleet_is_unseen(intent: Intent) -> Hold | None:
    """Hold while an operator that has just begun does not know the fleet, of which this bot may be one of many sick ones."""
    unseen = intent.case.now.fleet.unseen
    # The bot that is being looked at is one of them.
    return Hold(f"{unseen} bots have not been looked at yet", FIRST_LOOK_PAUSE_SECONDS) if unseen > 1 else None


def fleet_is_sick(intent: Intent) -> Hold | None:
    """Hold while so many are sick that the cause must be shared. The kubelet goes on starting those that are dead."""
    fleet, percent = intent.case.now.fleet, intent.case.now.max_unhealthy_percent
    if fleet.sick < SICK_AT_LEAST or fleet.sick * 100.0 <= percent * fleet.judged:
        return None
    message = f"{fleet.sick} of {fleet.judged} bots are sick at once, more than {percent:g} %: the cause must be one that they share"
    return Hold(message, OTHERS_SECONDS, Reason.FLEET_SICK)


def positions_are_open(intent: Intent) -> Hold | None:
    """Hold the restart of an engine that trades while it has, or may have, positions that the user wants seen to first."""
    policy = intent.case.now.bot.spec.lifecycle.update_policy
    if intent.plight is not Plight.ALIVE or intent.step is None or intent.step.value not in DELETING or policy is UpdatePolicy.PROCEED:
        return None
    open_positions = intent.case.engine.open_positions if intent.case.engine else None
    if open_positions == 0:
        return None
    message = f"a restart waits for {'unknown' if open_positions is None else open_positions} open positions (spec.lifecycle.updatePolicy)"
    return Hold(message, OTHERS_SECONDS, Reason.WAITING_FOR_POSITIONS)


def budget_is_spent(intent: Intent) -> Hold | None:
    """Hold when the period has had its steps."""
    rules = intent.case.rules
    seconds = seconds_until_step(intent.budget, rules, intent.now)
    if not seconds:
        return None
    message = f"all {rules.max_actions} steps that spec.health.remediation allows within {rules.per_seconds} s are taken"
    return Hold(message, seconds, Reason.BUDGET_SPENT)


def backs_off(intent: Intent) -> Hold | None:
    """Hold for n² + n units after the n-th step in a row that did not help."""
    effort, history = intent.case.effort, intent.case.now.record.history
    if intent.case.rules.mode is RemediationMode.DRY_RUN:
        # Nothing was done, so nothing can have helped: each time that it was said counts.
        said = [
            decision
            for decision in history
            if (decision.action, decision.shard, decision.reason) == (Reason.DRY_RUN.value, effort.shard, intent.cause.reason.value)
            and parse_time(decision.time) > intent.now - MINIMUM_HEALTHY_SECONDS
        ]
        count, last = len(said), said[-1].time if said else ""
    else:
        count, last = effort.failures, effort.at
    if not count or not last:
        return None
    pause_seconds = (count * count + count) * intent.case.rules.backoff_seconds
    return _until(f"a pause after {count} steps that did not help", parse_time(last) + pause_seconds, intent.now)


def one_at_a_time(intent: Intent) -> Hold | None:
    """Hold until it is known whether the last step helped."""
    history = intent.case.now.record.history
    if intent.case.rules.mode is RemediationMode.DRY_RUN and history and history[-1].action == Reason.DRY_RUN.value:
        # The time that a step has to be in flight at least.
        return _until("one step at a time, in a dry run, too", parse_time(history[-1].time) + SETTLED_SECONDS, intent.now)
    step = intent.in_flight
    if step is None:
        return None
    return Hold(f"{step.action} of {step.shard} is in flight: it is not known yet whether it helped", None)


HOLDS: Final[tuple[Callable[[Intent], Hold | None], ...]] = (
    mode_is_off,
    is_skipped,
    is_paused,
    is_quarantined,
    rolls_out,
    document_refused,
    nothing_is_left,
    stabilises,
    kubelet_is_first,
    is_excluded,
    fleet_is_unseen,
    fleet_is_sick,
    positions_are_open,
    budget_is_spent,
    backs_off,
    one_at_a_time,
)

STANDING_HOLDS: Final = (
    mode_is_off,
    is_skipped,
    is_paused,
    rolls_out,
    document_refused,
    is_excluded,
    fleet_is_unseen,
    fleet_is_sick,
    positions_are_open,
)
"""Those that hold a step, too, that was decided and not carried out."""


def find_hold(intent: Intent) -> Hold | None:
    """Return the first brake that holds, or None."""
    return next((hold for check in HOLDS if (hold := check(intent))), None)


def is_still_wanted(intent: Intent, decision: Decision) -> bool:
    """Return whether a step that was decided, and that nothing shows to have been carried out, is still to be."""
    again = msgspec.structs.replace(intent, step=Step(decision.action))
    is_on = intent.case.rules.mode is RemediationMode.ON
    return is_on and PLIGHTS[Reason(decision.reason)] is intent.plight and all(check(again) is None for check in STANDING_HOLDS)


def _annotated(intent: Intent, name: str, reason: Reason) -> Hold | None:
    is_set = intent.case.now.bot.metadata.annotations.get(name) == "true"
    return Hold(f"the annotation {name} is set", None, reason) if is_set else None


def _until(message: str, moment: float, now: float) -> Hold | None:
    seconds = moment - now
    return Hold(message, float(math.ceil(seconds))) if seconds > 0.0 else None
