"""From all that is known of a bot's engines to what is done about the sick ones: at most one step, written down before it is taken.

It looks in this order: which quarantines have ended, whether the last step helped, what is wrong with each engine, which step is next,
and what holds it back. Everything that it remembers stands in the record and the shards that it is given and answers, so that a second
look at the same world, by this operator or its successor, decides nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from tradingbot_contract.quantity import format_bytes_rounded
from tradingbot_operator.bot_status import HISTORY_LENGTH, Adjustment, Budget, Decision, Effort, Quarantine, RemediationRecord
from tradingbot_operator.operations import RemediationMode
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import quarantine
from tradingbot_operator.remediation.budget import carry_on, current_level, draw
from tradingbot_operator.remediation.causes import find_cause
from tradingbot_operator.remediation.efforts import after_result, after_step, at_new_trouble, is_forgotten
from tradingbot_operator.remediation.holds import Intent, find_hold, is_still_wanted
from tradingbot_operator.remediation.ladder import DELETING, Step, adjust, describe_step, limit_bytes, next_step
from tradingbot_operator.remediation.relaxation import relax, relaxes_in
from tradingbot_operator.remediation.results import has_died_anew, judge, pending
from tradingbot_operator.remediation.situation import Case, Cause, Hold, Outcome, Remedy, ShardSituation, Situation
from tradingbot_operator.timestamp import format_time, parse_time

WATCH_SECONDS: Final = 2.0
"""How often it is looked whether a step has helped."""


class _Memory(Struct, frozen=True, kw_only=True):
    """What is remembered from one pass to the next."""

    history: list[Decision]
    efforts: dict[str, Effort]
    quarantines: dict[str, Quarantine | None]
    judged: tuple[Reason, ...] = ()


def remediate(now: Situation) -> Remedy:
    """Return what is done about a bot's engines."""
    memory = _judge_last(now, _recall(now))
    adjustments = {shard.name: relax(now, shard) for shard in now.shards}
    budget = carry_on(now.record.budget, now.rules, now.now)
    intents, efforts = _look(now, memory, adjustments, budget)
    # The worst off comes first; the others wait until it is known whether its step helped.
    chosen = next(
        (intent for intent in sorted(intents, key=lambda intent: intent.plight.value) if intent.step and find_hold(intent) is None), None
    )
    outcomes = tuple(_outcome(intent, chosen) for intent in intents)
    decided = next((outcome for outcome in outcomes if outcome.decision), None)
    history, quarantines = memory.history, dict(memory.quarantines)
    restart = _unfinished(now, memory, intents) if chosen is None else None
    if chosen is not None and chosen.step is not None and decided is not None and decided.decision is not None:
        history = [*history, decided.decision][-HISTORY_LENGTH:]
        budget = draw(budget, now.rules, now.now)
        if decided.decision.action != Reason.DRY_RUN.value:
            name, case = chosen.case.shard.name, chosen.case
            efforts[name] = after_step(case.effort, decided.decision, case.ended_container)
            adjustment = adjust(case.adjustment, chosen.step, case)
            adjustments[name] = adjustment if adjustment != Adjustment() else None
            quarantines[name] = quarantine.begin(case, chosen.cause) if chosen.step is Step.QUARANTINE else None
            restart = decided if decided.decision.action in DELETING else None
    return Remedy(
        outcomes=outcomes,
        record=RemediationRecord(history=history, budget=budget, efforts=[efforts[name] for name in sorted(efforts)]),
        adjustments=adjustments,
        quarantines=quarantines,
        restart=restart,
        judged=memory.judged,
        recheck_seconds=_recheck(now, outcomes, history, adjustments.values()),
    )


def _recall(now: Situation) -> _Memory:
    """Return what is remembered of the engines that there are; a quarantine that has ended takes what led to it along."""
    names = {shard.name for shard in now.shards}
    efforts = {effort.shard: effort for effort in now.record.efforts if effort.shard in names}
    quarantines: dict[str, Quarantine | None] = {}
    for shard in now.shards:
        kept = shard.before.quarantine
        if kept is not None and quarantine.has_ended(kept, now.bot.metadata):
            kept = None
            efforts.pop(shard.name, None)
        quarantines[shard.name] = kept
    return _Memory(history=list(now.record.history), efforts=efforts, quarantines=quarantines)


def _judge_last(now: Situation, memory: _Memory) -> _Memory:
    place = pending(memory.history, now.shards)
    if place is None:
        return memory
    decision = memory.history[place]
    shard = next(shard for shard in now.shards if shard.name == decision.shard)
    effort = memory.efforts.get(shard.name, Effort(shard=shard.name))
    case = _case(now, shard, effort)
    # A quarantine that a person has ended is not waited for.
    is_over = decision.action == Step.QUARANTINE.value and memory.quarantines[shard.name] is None
    result = Reason.DID_NOT_HELP if is_over else judge(case, shard, decision, now.now)
    if result is None:
        return memory
    history = list(memory.history)
    history[place] = msgspec.structs.replace(decision, result=result.value)
    shown_by = case.ended_container if case and has_died_anew(case) else ""
    efforts = memory.efforts
    if shard.name in efforts:
        efforts = efforts | {shard.name: after_result(effort, decision, result, shown_by)}
    return msgspec.structs.replace(memory, history=history, efforts=efforts, judged=(result,))


def _look(
    now: Situation, memory: _Memory, adjustments: dict[str, Adjustment | None], budget: Budget
) -> tuple[list[Intent], dict[str, Effort]]:
    """Return what would be done about each sick engine, and what counts as tried for all."""
    efforts = dict(memory.efforts)
    place = pending(memory.history, now.shards)
    intents: list[Intent] = []
    for shard in now.shards:
        adjusted = msgspec.structs.replace(shard, before=msgspec.structs.replace(shard.before, adjustment=adjustments[shard.name]))
        case = _case(now, adjusted, efforts.get(shard.name, Effort(shard=shard.name)))
        cause = find_cause(case) if case else None
        is_quarantined = memory.quarantines[shard.name] is not None
        if case is None or cause is None:
            if case is not None and shard.name in efforts and not is_quarantined and is_forgotten(case.effort, case):
                del efforts[shard.name]
            continue
        if shard.name in efforts and not is_quarantined:
            efforts[shard.name] = at_new_trouble(case.effort, case, cause)
            case = msgspec.structs.replace(case, effort=efforts[shard.name])
        step = next_step(case, cause)
        intents.append(
            Intent(
                case=case,
                # What is left after an OOM kill is what is left for any engine that dies.
                cause=Cause(Reason.CRASH_LOOPING, cause.message) if _is_out_of_memory_steps(cause, step) else cause,
                step=step,
                in_flight=None if place is None else memory.history[place],
                is_quarantined=is_quarantined,
                budget=budget,
            )
        )
    return intents, efforts


def _is_out_of_memory_steps(cause: Cause, step: Step | None) -> bool:
    return cause.reason is Reason.OOM_KILLED and step is not None and step.value in DELETING


def _case(now: Situation, shard: ShardSituation, effort: Effort) -> Case | None:
    return Case(now=now, shard=shard, pod=shard.pod, effort=effort) if shard.pod else None


def _outcome(intent: Intent, chosen: Intent | None) -> Outcome:
    name = intent.case.shard.name
    if intent is chosen and intent.step is not None:
        return Outcome(shard=name, cause=intent.cause, hold=None, decision=_decision(intent, intent.step), step=intent.step.value)
    hold = find_hold(intent)
    if hold is None and chosen is not None:
        hold = Hold(f"one step at a time: {chosen.case.shard.name} comes first", None)
    return Outcome(shard=name, cause=intent.cause, hold=hold, decision=None, step=intent.step.value if intent.step else "")


def _decision(intent: Intent, step: Step) -> Decision:
    case = intent.case
    is_rehearsal = case.rules.mode is RemediationMode.DRY_RUN
    return Decision(
        time=format_time(intent.now),
        action=Reason.DRY_RUN.value if is_rehearsal else step.value,
        step=step.value if is_rehearsal else "",
        reason=intent.cause.reason.value,
        shard=case.shard.name,
        pod=case.pod.name,
        pod_uid=case.pod.uid,
        inputs=_inputs(intent, step)[:1024],
    )


def _inputs(intent: Intent, step: Step) -> str:
    """Return what was known when the step was decided, and what limits it."""
    case, fleet = intent.case, intent.case.now.fleet
    engine, effort, rules = case.pod.engine, case.effort, case.rules
    used = case.report.sample.memory_bytes if case.report and case.report.sample else None
    memory = "unknown" if used is None else format_bytes_rounded(used)
    said = (
        intent.cause.message,
        describe_step(step, case),
        f"engine {engine.waiting_reason or ('running' if engine.running_since else 'ended')}, {engine.restarts} restarts in this pod",
        f"memory {memory} of {format_bytes_rounded(limit_bytes(case))}",
        f"{effort.failures} steps in a row did not help, {effort.restarts} of {rules.quarantine_after} restarts",
        f"budget {current_level(intent.budget, rules, intent.now):.2f} of {rules.max_actions}",
        f"fleet {fleet.sick} sick of {fleet.judged}",
    )
    return "; ".join(said)


def _unfinished(now: Situation, memory: _Memory, intents: list[Intent]) -> Outcome | None:
    """Return the last step if its pod is still there and as sick: the operator, or the API server, failed between decision and deletion.

    It is the same action, on the pod with the same uid, so it can't happen twice; the first moments are left to whoever decided it.
    """
    place = pending(memory.history, now.shards)
    if place is None:
        return None
    decision = memory.history[place]
    if decision.action not in DELETING or now.now - parse_time(decision.time) < WATCH_SECONDS:
        return None
    for intent in intents:
        case = intent.case
        if (case.shard.name, case.pod.uid) == (decision.shard, decision.pod_uid) and is_still_wanted(intent, decision):
            cause = Cause(Reason(decision.reason), intent.cause.message)
            return Outcome(shard=decision.shard, cause=cause, hold=None, decision=decision)
    return None


def _recheck(now: Situation, outcomes: tuple[Outcome, ...], history: list[Decision], adjustments: Iterable[Adjustment | None]) -> float:
    moments = [outcome.hold.seconds for outcome in outcomes if outcome.hold and outcome.hold.seconds is not None]
    if pending(history, now.shards) is not None or any(outcome.decision for outcome in outcomes):
        moments.append(WATCH_SECONDS)
    moments.extend(relaxes_in(adjustment, now.now) for adjustment in adjustments)
    return max(1.0, min(moments, default=float("inf")))
