"""All that the status of one bot says, in sections for people and as one structure for programs."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from tradingbot_cli.bot_view import BotView
from tradingbot_cli.figures import UNKNOWN, count, money
from tradingbot_cli.output import Cell, Column, Table, Tone
from tradingbot_cli.words import SEVERITY_TONES, age, describe_condition, describe_decision, describe_result, duration
from tradingbot_operator.bot_status import Shard, render_status

NONE: Final = "-"
_NOT_IN_STRUCTURE: Final = frozenset({"selector", "claimed", "account"})


class Section(Struct, frozen=True):
    """A part of the report: a title with what there is to say at once, and a table where there is more."""

    title: str
    note: str = ""
    table: Table | None = None
    details: tuple[str, ...] = ()
    """A line below each row, for what is too long for a column."""


def build_structure(bot: BotView, now: float) -> dict[str, Any]:
    """Return the report for programs: the status in the resource's own words, and what follows from it now."""
    status = render_status(bot.status)
    budget = bot.budget(now)
    return {
        "namespace": bot.namespace,
        "name": bot.name,
        "generation": bot.generation,
        "observed": bot.is_current,
        "created": bot.created,
        "lifecycleState": bot.state,
        "strategy": bot.strategy,
        "symbols": list(bot.symbols),
        "phase": bot.phase,
        "worst": bot.worst,
        "budget": {"remaining": budget[0], "limit": budget[1], "nextStepSeconds": bot.next_step_seconds(now)} if budget else None,
        **{key: value for key, value in status.items() if key not in {"phase", "symbols"} | _NOT_IN_STRUCTURE},
    }


def build_sections(bot: BotView, now: float) -> list[Section]:
    """Return the report for people."""
    sections = [_conditions(bot, now), _shards(bot, now), _findings(bot, now), _tuning(bot), _remediation(bot, now), _exits(bot, now)]
    return [section for section in sections if section is not None]


def build_head(bot: BotView, now: float) -> list[str]:
    """Return the first lines: what it is, and where it has got to."""
    trading = bot.status.trading
    lines = [bot.status.message] if bot.status.message else []
    if bot.status.phase is None:
        lines = ["no operator has looked at it yet: is one running, and does it watch this namespace?"]
    elif not bot.is_current:
        seen = bot.status.observed_generation
        lines.append(f"what follows is about generation {seen}; the operator has not looked at generation {bot.generation} yet")
    about = [f"strategy {bot.strategy} on {', '.join(bot.symbols)}", f"generation {bot.generation}", f"created {age(bot.created, now)} ago"]
    if bot.state != "Running":
        about.insert(1, f"lifecycle.state {bot.state}")
    lines.append(", ".join(about))
    if trading is not None:
        held = f"{count(trading.open_positions, 'position')}, {count(trading.open_orders, 'order')} open"
        doubt = f", {trading.unknown_orders} in unknown state" if trading.unknown_orders else ""
        equity = f"equity {money(trading.equity, trading.currency)}, " if trading.equity is not None else ""
        lines.append(f"{equity}{held}{doubt}, {trading.fills:,} fills (as of {age(trading.at, now)} ago)")
    return lines


def _conditions(bot: BotView, now: float) -> Section:
    columns = (Column("CONDITION"), Column("STATUS"), Column("REASON"), Column("FOR"), Column("MESSAGE"))
    rows = [
        [
            Cell(condition.type),
            describe_condition(condition),
            Cell(condition.reason),
            Cell(age(condition.last_transition_time, now)),
            Cell(condition.message),
        ]
        for condition in bot.status.conditions
    ]
    return Section("Conditions", "" if rows else "none yet", Table(columns, rows) if rows else None)


def _shards(bot: BotView, now: float) -> Section:
    columns = (
        *(Column("SHARD"), Column("POD"), Column("READY"), Column("HEALTH"), Column("RESTARTS"), Column("LAST RESTART")),
        *(Column("GENERATION"), Column("MODE"), Column("NODE"), Column("SYMBOLS")),
    )
    rows = [
        [
            Cell(shard.name),
            Cell(shard.pod or "none", Tone.PLAIN if shard.pod else Tone.DOUBTFUL),
            Cell("yes", Tone.GOOD) if shard.ready else Cell("no", Tone.DOUBTFUL),
            Cell(shard.health or UNKNOWN),
            Cell(str(shard.restarts)),
            Cell(shard.last_restart_reason or NONE),
            Cell(UNKNOWN if shard.config_generation is None else str(shard.config_generation)),
            Cell(shard.memory_mode or NONE),
            Cell(shard.node or NONE),
            Cell(_symbols(shard)),
        ]
        for shard in bot.status.shards
    ]
    notes = [note for shard in bot.status.shards for note in _notes(shard, now)]
    memory = f"memory {bot.status.memory}" if bot.status.memory else ""
    return Section("Engines", "; ".join([*([memory] if memory else []), *notes]), Table(columns, rows) if rows else None)


def _symbols(shard: Shard) -> str:
    leaving = [f"{symbol} (leaving)" for symbol in dict.fromkeys([*shard.releasing, *shard.leaving])]
    return ",".join([*(symbol for symbol in shard.symbols if symbol not in shard.releasing), *leaving]) or NONE


def _notes(shard: Shard, now: float) -> list[str]:
    """Return what the operator has changed for an engine."""
    found = []
    changed = shard.adjustment
    if changed is not None:
        parts = [f"caches at {changed.cache_percent} %"] if changed.cache_percent < 100 else []
        parts += [f"memory limit {changed.memory_limit}"] if changed.memory_limit else []
        parts += [f"memory mode {changed.memory_mode}"] if changed.memory_mode else []
        parts += [f"away from node {changed.avoid_node}"] if changed.avoid_node else []
        if parts:
            found.append(f"{shard.name} has by remediation {', '.join(parts)}, for {age(changed.since, now)}")
    if shard.quarantine is not None:
        found.append(f"{shard.name} is in quarantine for {age(shard.quarantine.since, now)}: {shard.quarantine.message}")
    return found


def _findings(bot: BotView, now: float) -> Section:
    score = bot.status.health.score
    note = f"score {UNKNOWN if score is None else f'{score:.0f}'}"
    columns = (Column("FINDING"), Column("SEVERITY"), Column("FOR"), Column("MESSAGE"))
    rows = [
        [
            Cell(finding.reason),
            Cell(finding.severity, SEVERITY_TONES.get(finding.severity, Tone.PLAIN)),
            Cell(age(finding.since, now)),
            Cell(finding.message),
        ]
        for finding in bot.status.health.findings
    ]
    return Section("Health", note if rows else f"{note}, nothing is found", Table(columns, rows) if rows else None)


def _tuning(bot: BotView) -> Section | None:
    record = bot.status.tuning
    if not record.rung:
        return None
    how = {"LiveDocument": "live, without a restart", "InPlaceResize": "live, with the pod resized in place", "Restart": "by new pods"}
    state = f"not applied yet: {record.message}" if record.message else "applied"
    return Section("Tuning", f"generation {record.generation} {how.get(record.rung, record.rung)}: {state}")


def _remediation(bot: BotView, now: float) -> Section:
    budget = bot.budget(now)
    note = "nothing has been done"
    if budget is not None:
        waits = bot.next_step_seconds(now)
        note = f"{budget[0]} of {budget[1]} steps left" + (f", the next in {duration(waits)}" if waits else "")
    columns = (Column("WHEN"), Column("ACTION"), Column("ENGINE"), Column("REASON"), Column("RESULT"))
    rows = [
        [
            Cell(f"{age(decision.time, now)} ago"),
            Cell(describe_decision(decision)),
            Cell(decision.shard),
            Cell(decision.reason),
            describe_result(decision),
        ]
        for decision in bot.status.remediation.history
    ]
    known = tuple(decision.inputs for decision in bot.status.remediation.history)
    return Section("Remediation", note, Table(columns, rows) if rows else None, known)


def _exits(bot: BotView, now: float) -> Section | None:
    columns = (Column("ENGINE"), Column("ENDED"), Column("REASON"), Column("EXIT CODE"))
    rows = [
        [
            Cell(shard.name),
            Cell(f"{age(shard.last_exit.finished_at, now)} ago"),
            Cell(shard.last_exit.reason),
            Cell(str(shard.last_exit.exit_code)),
        ]
        for shard in bot.status.shards
        if shard.last_exit is not None
    ]
    return Section("Last exits", "", Table(columns, rows)) if rows else None
