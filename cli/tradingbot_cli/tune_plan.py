"""What a change of a bot's spec comes to, before it is made: which fields, which of them live, and what memory they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tradingbot_cli.errors import RefusedError
from tradingbot_cli.output import Cell, Column, Table, Tone
from tradingbot_cli.spec_fields import merge
from tradingbot_contract.budget import estimate_sections
from tradingbot_contract.document import SpecError
from tradingbot_contract.quantity import format_bytes_rounded, parse_bytes
from tradingbot_operator.desired.revision import is_read_at_start
from tradingbot_operator.resource import TradingBot, parse_bot

LIVE: Final = "live"
IN_PLACE: Final = "in place"
RESTART: Final = "restart"
_TONES: Final = {LIVE: Tone.GOOD, IN_PLACE: Tone.GOOD, RESTART: Tone.DOUBTFUL}
_NONE: Final = "default"


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field that becomes another."""

    field: str
    before: Any
    after: Any
    how: str
    """`live`, `in place` (the pod's memory and CPU), or `restart`."""


class Needs(Struct, frozen=True, kw_only=True, rename="camel"):
    """Memory that the engine needs by estimate, in bytes."""

    engine_bytes: int
    caches_bytes: int
    pools_bytes: int
    models_bytes: int
    total_bytes: int
    limit_bytes: int


class TunePlan(Struct, frozen=True, kw_only=True):
    """What comes of a change."""

    changes: tuple[FieldChange, ...]
    memory: Needs
    policy: str
    """`lifecycle.updatePolicy` then."""

    @property
    def restarts(self) -> bool:
        return any(change.how == RESTART for change in self.changes)


def plan_tuning(body: Mapping[str, Any], patch: Mapping[str, Any]) -> TunePlan:
    """Return what a patch of its spec does to a bot.

    Raises:
        RefusedError: the spec would not be valid; the message is the model's.
    """
    before = parse_bot(body)
    try:
        after = parse_bot({**body, "spec": merge(body["spec"], patch)})
    except SpecError as error:
        raise RefusedError(str(error)) from error
    changes = tuple(_differences(msgspec.to_builtins(before.spec), msgspec.to_builtins(after.spec), ()))
    return TunePlan(changes=changes, memory=_needs(after), policy=after.spec.lifecycle.update_policy.value)


def build_changes(plan: TunePlan) -> Table:
    """Return the changes as a table."""
    columns = (Column("FIELD"), Column("BEFORE"), Column("AFTER"), Column("HOW"))
    rows = [
        [Cell(change.field), Cell(_told(change.before)), Cell(_told(change.after)), Cell(change.how, _TONES[change.how])]
        for change in plan.changes
    ]
    return Table(columns, rows)


def describe_memory(needs: Needs) -> str:
    """Return the memory budget in a sentence."""
    parts = (("engine", needs.engine_bytes), ("caches", needs.caches_bytes), ("pools", needs.pools_bytes), ("models", needs.models_bytes))
    listed = ", ".join(f"{name} {format_bytes_rounded(count)}" for name, count in parts if count)
    return f"memory budget: {format_bytes_rounded(needs.total_bytes)} of {format_bytes_rounded(needs.limit_bytes)} ({listed})"


def describe_restart(plan: TunePlan) -> str:
    """Return what a restart means; empty where none is needed."""
    if not plan.restarts:
        return ""
    policies = {
        "Wait": "while positions are open it waits",
        "Proceed": "it does not wait for open positions",
        "Flatten": "positions are sold first",
    }
    return f"a restart is needed: one pod after the other is replaced, and {policies[plan.policy]} (lifecycle.updatePolicy {plan.policy})"


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[FieldChange]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from _differences(before.get(name), after.get(name), (*path, name))
        return
    yield FieldChange(field=".".join(path), before=before, after=after, how=_how(path))


def _how(path: tuple[str, ...]) -> str:
    if path[:2] == ("engine", "resources"):
        return IN_PLACE
    return RESTART if is_read_at_start(path) else LIVE


def _needs(bot: TradingBot) -> Needs:
    spec = bot.spec
    budget = estimate_sections(
        pool=spec.database.pool,
        redis=spec.redis.pool if spec.redis else None,
        cache=spec.cache,
        prediction=spec.prediction,
        memory_mode=spec.engine.memory_mode,
    )
    return Needs(
        engine_bytes=budget.engine,
        caches_bytes=budget.caches,
        pools_bytes=budget.pools,
        models_bytes=budget.models,
        total_bytes=budget.total,
        limit_bytes=parse_bytes(spec.engine.resources.limits.memory),
    )


def _told(value: Any) -> str:
    if value is None:
        return _NONE
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
