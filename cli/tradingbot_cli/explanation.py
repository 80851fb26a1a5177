"""Why a bot is in its state, and what the operator would do next, in plain sentences.

They come from the facts and from the operator's own judgement; nothing here decides. Causes, steps and brakes are those of
:func:`tradingbot_operator.judgement.judge`. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_cli.advice import build_advice
from tradingbot_cli.cluster import event_time
from tradingbot_cli.figures import size
from tradingbot_cli.situation import Situation
from tradingbot_cli.words import STEPS, age, ago, clock, describe_decision, describe_result, duration
from tradingbot_contract.report import ObserverReport
from tradingbot_operator.bot_status import Decision, TradingBotStatus
from tradingbot_operator.judgement import Judgement, judge
from tradingbot_operator.plan import RECHECK_SECONDS
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import Outcome
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.timestamp import format_time, parse_time
from tradingbot_operator.world import World

MOST_MOMENTS: Final = 15
_RESULTS: Final = frozenset({Reason.HELPED.value, Reason.DID_NOT_HELP.value})


class Moment(Struct, frozen=True):
    """Something that happened."""

    time: str
    """RFC 3339."""
    text: str


class Step(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the operator would do about one engine."""

    shard: str
    cause: str
    step: str = ""
    """Empty: nothing is left to try."""
    held_by: str = ""
    """The brake; empty: it is done now."""
    held_reason: str = ""
    held_until: str = ""
    """When it is looked at again, RFC 3339; empty: when something changes."""


class Explanation(Struct, frozen=True, kw_only=True):
    """The answer."""

    namespace: str
    name: str
    phase: str
    why: tuple[str, ...]
    happened: tuple[Moment, ...]
    """Oldest first."""
    steps: tuple[Step, ...]
    next: tuple[str, ...]
    advice: tuple[str, ...]
    """What a person can do."""
    unknown: tuple[str, ...]


def explain(situation: Situation, world: World) -> Explanation:
    """Return why a bot is as it is."""
    judged = judge(world, situation.settings)
    status, metadata = world.status, world.bot.metadata
    outcomes = judged.remedy.outcomes if judged.remedy else ()
    return Explanation(
        namespace=metadata.namespace,
        name=metadata.name,
        phase=status.phase.value if status.phase else "Unseen",
        why=tuple(_why(situation, world, judged)),
        happened=tuple(_happened(situation, status)),
        steps=tuple(_step(outcome, world.now) for outcome in outcomes),
        next=tuple(_next(world, judged)),
        advice=build_advice(metadata.name, metadata.namespace, _reasons(status, judged)),
        unknown=situation.unknown,
    )


def explain_refused(situation: Situation, namespace: str, name: str) -> Explanation:
    """Return what there is to say of a stored resource that can't be read."""
    return Explanation(
        namespace=namespace,
        name=name,
        phase="Refused",
        why=(f"The stored resource can't be read: {situation.problem}.",),
        happened=(),
        steps=(),
        next=("Nothing: its children stay as they are until the resource is corrected.",),
        advice=(f"correct it: kubectl -n {namespace} edit tb {name} (an operator of another release may know the field)",),
        unknown=situation.unknown,
    )


def _why(situation: Situation, world: World, judged: Judgement) -> Iterator[str]:
    status, metadata, operator = world.status, world.bot.metadata, situation.operator
    if status.phase is None:
        yield "No operator has looked at it yet."
    elif status.message:
        yield f"{_sentence(status.message)}"
    if operator.found and not operator.ready:
        yield f"The operator {operator.where} is not running (no pod of it is ready): engines trade on, and nothing else happens."
    if status.observed_generation not in {0, metadata.generation}:
        yield f"The operator has not looked at generation {metadata.generation} yet; what it says is about {status.observed_generation}."
    for condition in status.conditions:
        if _is_news(condition.type, condition.status.value) and condition.message not in status.message:
            lasts = age(condition.last_transition_time, world.now)
            yield f"{condition.type} is {condition.status.value} for {lasts} ({condition.reason}): {condition.message}."
    for shard in judged.expected:
        yield from _describe_shard(shard, world.now)


def _describe_shard(shard: ShardView, now: float) -> Iterator[str]:
    report = shard.view.report
    if report is None:
        if shard.verdict.reason not in {Reason.NOT_STARTED, Reason.OBSERVER_UNREACHABLE}:
            yield f"{shard.name}: {shard.verdict.reason.value}: {shard.verdict.message}."
        return
    yield _describe_engine(shard, report, now)
    for finding in report.findings:
        lasts = duration(report.observed_at - finding.since)
        yield f"The observer of {shard.name} finds {finding.reason.value} ({finding.severity.value}) for {lasts}: {finding.message}."


def _is_news(kind: str, status: str) -> bool:
    return status != ("False" if kind == "Progressing" else "True")


def _describe_engine(shard: ShardView, report: ObserverReport, now: float) -> str:
    engine, sample = report.engine, report.sample
    parts = [] if report.score is None else [f"score {report.score:.0f}"]
    if sample is not None and sample.memory_bytes is not None:
        limit = f" of {size(sample.memory_limit_bytes)}" if sample.memory_limit_bytes else ""
        parts.append(f"{size(sample.memory_bytes)}{limit} of memory")
    if engine is None:
        return f"The engine of {shard.name} has not answered its observer yet{''.join(f', {part}' for part in parts)}."
    if shard.engine is None:
        return f"The engine of {shard.name} does not answer; the last that it said is that it was {engine.state.value}."
    if engine.last_bar_at is not None:
        parts.append(f"last bar {duration(now - engine.last_bar_at)} ago")
    parts.append(f"runs generation {engine.generation}")
    said = f" ({engine.message})" if engine.message else ""
    down = [f"{each.name} is down: {each.message}" for each in engine.dependencies if each.up is False]
    return f"The engine of {shard.name} is {engine.state.value}{said}, {', '.join(parts + down)}."


def _happened(situation: Situation, status: TradingBotStatus) -> list[Moment]:
    """Return what happened, in order: decisions with what became of them, ends of engines, and what the Events tell beside."""
    told = {event.get("reason") for event in situation.events}
    moments = [
        Moment(shard.last_exit.finished_at, f"{shard.last_exit.reason} of {shard.name}, exit code {shard.last_exit.exit_code}")
        for shard in status.shards
        if shard.last_exit is not None and shard.last_exit.reason not in told
    ]
    # Within one second what happened comes before what was done about it.
    moments += [_describe_event(event) for event in situation.events if not _is_of_decision(event)]
    moments += [Moment(decision.time, _describe_taken(decision)) for decision in status.remediation.history]
    known = [moment for moment in moments if moment.time]
    return sorted(known, key=lambda moment: parse_time(moment.time))[-MOST_MOMENTS:]


def _describe_taken(decision: Decision) -> str:
    what, result = describe_decision(decision), describe_result(decision).text
    return f"{what} of {decision.shard}, because of {decision.reason}: {result}"


def _is_of_decision(event: Mapping[str, Any]) -> bool:
    """Return whether an Event only repeats what stands in the history of decisions."""
    starts = ("shrinks the caches of", "raises the memory limit of", "lowers the memory mode of", "recreates", "puts in quarantine")
    return event.get("reason") in _RESULTS or str(event.get("message", "")).startswith(starts)


def _describe_event(event: Mapping[str, Any]) -> Moment:
    """Return an Event at its first time: what came again and again began before what followed from it."""
    times, first, last = int(event.get("count") or 1), event.get("firstTimestamp"), event_time(event)
    often = f" ({times} times until {clock(parse_time(last))})" if times > 1 and first and last else ""
    return Moment(first or last, f"{event.get('reason', '')}: {event.get('message', '')}{often}")


def _next(world: World, judged: Judgement) -> Iterator[str]:
    before = len(judged.remedy.outcomes) if judged.remedy else 0
    found = [*_of_the_whole(judged), *_of_sick_engines(world, judged), *_of_the_rollout(judged)]
    yield from found
    if found:
        return
    wrong = sorted({shard.verdict.reason.value for shard in judged.expected if shard.verdict.status.value == "False"})
    if wrong and not before:
        yield f"Nothing: against {', '.join(wrong)} no step of the operator helps; it waits until that ends."
    elif not judged.expected:
        yield "Nothing: there is to be no pod."
    elif world.status.phase is None:
        yield "It makes the bot's StatefulSet, documents and what else belongs to it, as soon as an operator looks at the bot."
    elif not judged.is_known:
        yield "Nothing: how the engines are is not known, and what is not known causes no action."
    else:
        yield f"Nothing: it is as it should be. It looks again when something changes, and every {RECHECK_SECONDS:.0f} s."


def _of_the_whole(judged: Judgement) -> Iterator[str]:
    if judged.held_off:
        yield "Nothing, whatever happens: the annotation tradingbot.dev/paused holds it off."
    if judged.deletion is not None:
        yield f"The bot is being deleted: {judged.deletion.message or 'it goes as soon as its orders and positions have been seen to'}."
    rival = judged.ownership.rival
    if rival is not None:
        yield f"It makes no pod while {rival.namespace}/{rival.name} trades account {rival.account} with a symbol of this bot."


def _of_sick_engines(world: World, judged: Judgement) -> Iterator[str]:
    outcomes = judged.remedy.outcomes if judged.remedy else ()
    for outcome in outcomes:
        yield f"{outcome.shard} is sick ({outcome.cause.reason.value}): {outcome.cause.message}."
        yield _describe_outcome(outcome, world.now)
    for decision in judged.record.history:
        if not decision.result and not decision.step:
            yield f"It waits to see whether {decision.action} of {decision.shard}, decided {ago(decision.time, world.now)}, helps."


def _describe_outcome(outcome: Outcome, now: float) -> str:
    would = f"{STEPS[outcome.step]} {outcome.shard} ({outcome.step})" if outcome.step else ""
    if outcome.decision is not None:
        rehearsal = " It is a dry run: nothing is done." if outcome.decision.step else ""
        return f"Next step, now: {would}.{rehearsal}"
    hold = outcome.hold
    if hold is None:
        return f"Next step: {would}." if would else "Nothing is left to try."
    until = (
        "until that changes"
        if hold.seconds is None
        else f"for {duration(hold.seconds)}, until {clock(now + hold.seconds)}; then it looks again"
    )
    brake = f"held back, {until}: {hold.message}"
    return f"Next step: {would}; {brake}." if would else f"No step: {brake}."


def _of_the_rollout(judged: Judgement) -> Iterator[str]:
    rollout = judged.rollout
    if rollout.restart is not None:
        yield f"It replaces pod {rollout.restart.name} now ({rollout.restart.reason.value})."
    for number, reason in rollout.outdated.items():
        name = judged.shards[number].name
        if rollout.restart is None or rollout.restart.name != name:
            yield f"Pod {name} has to be replaced ({reason.value})."
    if rollout.standstill is not None:
        yield f"The roll-out waits ({rollout.standstill.reason.value}): {rollout.standstill.message}."
    for number in judged.grants.moving:
        yield f"{judged.shards[number].name} gives up symbols; another engine gets them when it has said that it is done with them."
    for shard, resize in zip(judged.expected, judged.resizes, strict=False):
        if resize.message:
            yield f"Size of {shard.name}: {resize.message}."


def _step(outcome: Outcome, now: float) -> Step:
    hold = outcome.hold
    return Step(
        shard=outcome.shard,
        cause=outcome.cause.reason.value,
        step=outcome.step,
        held_by=hold.message if hold else "",
        held_reason=hold.reason.value if hold and hold.reason else "",
        held_until=format_time(now + hold.seconds) if hold and hold.seconds is not None else "",
    )


def _reasons(status: TradingBotStatus, judged: Judgement) -> list[str]:
    """Return the words for what is wrong, the most telling first."""
    outcomes = judged.remedy.outcomes if judged.remedy else ()
    found = [outcome.hold.reason.value for outcome in outcomes if outcome.hold and outcome.hold.reason]
    found += [outcome.cause.reason.value for outcome in outcomes]
    found += [condition.reason for condition in status.conditions if _is_news(condition.type, condition.status.value)]
    found += [finding.reason for finding in status.health.findings]
    return list(dict.fromkeys(found))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
