"""The list of bots: one row each, with why it is as it is."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_cli.bot_view import BotView
from tradingbot_cli.figures import UNKNOWN, money
from tradingbot_cli.output import Cell, Column, Table, Tone
from tradingbot_cli.words import PHASE_TONES, SEVERITY_TONES, age, ago, describe_decision, describe_result

NONE: Final = "-"
_COLUMNS: Final = (
    Column("NAME"),
    Column("PHASE"),
    Column("READY"),
    Column("HEALTH"),
    Column("WORST"),
    Column("LAST ACTION"),
    Column("BUDGET"),
    Column("MEMORY"),
    Column("RESTARTS"),
    Column("AGE"),
    Column("SYMBOLS", wide=True),
    Column("EQUITY", wide=True),
    Column("STRATEGY", wide=True),
    Column("NODE", wide=True),
    Column("MESSAGE", wide=True),
)


class BotRow(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the list says of a bot, for programs."""

    namespace: str
    name: str
    phase: str
    message: str = ""
    ready: int
    replicas: int
    score: float | None = None
    worst: str = ""
    last_action: str = ""
    last_action_at: str = ""
    last_result: str = ""
    budget_remaining: int | None = None
    budget_limit: int | None = None
    memory: str = ""
    restarts: int
    symbols: tuple[str, ...] = ()
    equity: float | None = None
    currency: str = ""
    strategy: str = ""
    nodes: tuple[str, ...] = ()
    created: str = ""


def build_row(bot: BotView, now: float) -> BotRow:
    """Return what the list says of a bot."""
    ready, wanted = bot.ready
    decision, budget, trading = bot.last_decision, bot.budget(now), bot.status.trading
    return BotRow(
        namespace=bot.namespace,
        name=bot.name,
        phase=bot.phase,
        message=bot.status.message,
        ready=ready,
        replicas=wanted,
        score=bot.status.health.score,
        worst=bot.worst,
        last_action=describe_decision(decision) if decision else "",
        last_action_at=decision.time if decision else "",
        last_result=decision.result if decision else "",
        budget_remaining=budget[0] if budget else None,
        budget_limit=budget[1] if budget else None,
        memory=bot.status.memory,
        restarts=bot.status.restarts,
        symbols=bot.symbols,
        equity=trading.equity if trading else None,
        currency=trading.currency if trading else "",
        strategy=bot.strategy,
        nodes=tuple(sorted({shard.node for shard in bot.status.shards if shard.node})),
        created=bot.created,
    )


def build_list(bots: list[BotView], now: float, *, with_namespace: bool) -> Table:
    """Return the list as a table."""
    head = (Column("NAMESPACE"), *_COLUMNS) if with_namespace else _COLUMNS
    return Table(head, [([Cell(bot.namespace)] if with_namespace else []) + _cells(bot, now) for bot in bots])


def _cells(bot: BotView, now: float) -> list[Cell]:
    row = build_row(bot, now)
    score = UNKNOWN if row.score is None else f"{row.score:.0f}"
    return [
        Cell(row.name),
        Cell(row.phase, PHASE_TONES[bot.status.phase] if bot.status.phase else Tone.QUIET),
        Cell(f"{row.ready}/{row.replicas}", Tone.PLAIN if row.ready == row.replicas else Tone.DOUBTFUL),
        Cell(score if row.replicas else NONE),
        _worst(bot),
        _last_action(bot, now),
        _budget(row),
        Cell(row.memory or NONE),
        Cell(str(row.restarts)),
        Cell(age(row.created, now)),
        Cell(bot.status.symbols or ",".join(row.symbols)),
        Cell(money(row.equity, row.currency) if row.equity is not None else NONE),
        Cell(row.strategy),
        Cell(",".join(row.nodes) or NONE),
        Cell(row.message or NONE),
    ]


def _worst(bot: BotView) -> Cell:
    finding = bot.worst_finding
    tone = SEVERITY_TONES[finding.severity] if finding else Tone.BAD
    return Cell(bot.worst, tone) if bot.worst else Cell(NONE)


def _last_action(bot: BotView, now: float) -> Cell:
    decision = bot.last_decision
    if decision is None:
        return Cell(NONE)
    result = describe_result(decision)
    return Cell(f"{describe_decision(decision)} {ago(decision.time, now)} ({result.text})", result.tone)


def _budget(row: BotRow) -> Cell:
    if row.budget_remaining is None:
        return Cell(NONE)
    return Cell(f"{row.budget_remaining}/{row.budget_limit}", Tone.PLAIN if row.budget_remaining else Tone.BAD)
