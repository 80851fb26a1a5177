"""What has to be done before a deleted bot goes, and when it may go: in any case within a minute of an operator.

`lifecycle.onDelete` asks for open orders to be cancelled, or positions to be sold, first. A finalizer holds the resource for that time.
It holds it as long as an engine may still do what is asked for, and never longer than :data:`TIMEOUT_SECONDS`.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.document import Activity
from tradingbot_operator.names import FINALIZER
from tradingbot_operator.operations import OnDelete

TIMEOUT_SECONDS: Final = 60.0
"""How long a deleted bot stays for the sake of its orders or positions, counted from when the operator saw its deletion."""
RECHECK_SECONDS: Final = 1.0
"""How often it is looked at meanwhile."""

_ACTIVITIES: Final = {OnDelete.CANCEL: Activity.CANCEL, OnDelete.FLATTEN: Activity.FLATTEN}


class EngineWord(Struct, frozen=True, kw_only=True):
    """What an engine says of itself, in a fresh report of the pod that there is now."""

    activity: str
    """The activity (:class:`Activity`) that it has carried out; empty before it trades."""
    open_orders: int | None
    """Orders that wait for their fill, and those of which it isn't known whether they exist; None: it doesn't say."""
    busy: frozenset[str] | None
    """Symbols with a position or an order; None: it doesn't say."""
    idle: bool = False
    """Whether it is fenced or refuses its document: it does nothing of what it is told."""


class DeletionFacts(Struct, frozen=True, kw_only=True):
    """What is known of one shard of a deleted bot."""

    name: str
    pod_exists: bool
    pod_expected: bool = False
    """Whether one that does not exist is about to be made: its StatefulSet wants it, and nothing stops that."""
    terminating: bool = False
    """Whether its pod is on its way out."""
    quarantined: bool = False
    """Whether the operator has fenced it, as its status says."""
    word: EngineWord | None = None
    """None: its engine doesn't say anything."""


class DeletionPlan(Struct, frozen=True, kw_only=True):
    """How far a deletion is."""

    activity: Activity | None
    """For the documents of all shards that are not quarantined; None: they stay as they are."""
    done: bool
    """Whether the finalizer may go, and the bot with it."""
    timed_out: bool = False
    """Whether it goes though not all was done (DeleteTimeout)."""
    message: str = ""
    """What is waited for, or what was not done; empty when there is nothing to say."""
    recheck_seconds: float | None = None
    """When to look again; None: there is no need to."""


def wanted_finalizers(on_delete: OnDelete, present: tuple[str, ...]) -> tuple[str, ...]:
    """Return the finalizers of a bot that is not being deleted: ours as `on_delete` says, others' where they are."""
    if on_delete is OnDelete.KEEP:
        return without_finalizer(present)
    return present if FINALIZER in present else (*present, FINALIZER)


def without_finalizer(present: tuple[str, ...]) -> tuple[str, ...]:
    """Return the finalizers of a bot that may go as far as we are concerned."""
    return tuple(finalizer for finalizer in present if finalizer != FINALIZER)


def plan_deletion(
    on_delete: OnDelete,
    *,
    seen_at: float,
    now: float,
    finalizers: tuple[str, ...],
    shards: tuple[DeletionFacts, ...],
    namespace_terminating: bool,
) -> DeletionPlan:
    """Return how far the deletion of a bot is.

    Args:
        on_delete: What the spec says now; it may be changed to let the bot go.
        seen_at: When it was seen that the bot is being deleted, in seconds since the epoch by the clock of `now`: engines that nobody told
            of it, because no operator was there, have had no time.
        now: Seconds since the epoch.
        finalizers: Those of the resource. Without ours nothing is waited for: the API server is already removing the bot.
        shards: One for each shard that has a pod, or should have one.
        namespace_terminating: Whether the whole namespace goes, and the pods with it whatever the operator does.
    """
    activity = _ACTIVITIES.get(on_delete)
    if activity is None or FINALIZER not in finalizers:
        return DeletionPlan(activity=None, done=True)
    pending = [shard for shard in shards if not _is_over(shard, activity, namespace_terminating=namespace_terminating)]
    if not pending:
        left = [shard for shard in shards if not _is_finished(shard, activity)]
        return DeletionPlan(activity=activity, done=True, message=_name(left, "not seen to, because no engine could do it"))
    waited = abs(now - seen_at)  # with a clock that was put back it would be hours
    if waited >= TIMEOUT_SECONDS:
        message = _name(pending, f"not seen to within {TIMEOUT_SECONDS:.0f} s")
        return DeletionPlan(activity=activity, done=True, timed_out=True, message=message)
    return DeletionPlan(
        activity=activity,
        done=False,
        message=_name(pending, "to be seen to"),
        recheck_seconds=min(RECHECK_SECONDS, TIMEOUT_SECONDS - waited),
    )


def _is_over(shard: DeletionFacts, activity: Activity, *, namespace_terminating: bool) -> bool:
    """Return whether there is nothing to wait for: its engine has done it, or none is there that will."""
    if not shard.pod_exists:
        return namespace_terminating or not shard.pod_expected
    if namespace_terminating and shard.terminating:
        return True
    return shard.quarantined or (shard.word is not None and shard.word.idle) or _is_finished(shard, activity)


def _is_finished(shard: DeletionFacts, activity: Activity) -> bool:
    word = shard.word
    if not shard.pod_exists or word is None or word.activity != activity.value:
        return False
    return word.open_orders == 0 and (activity is Activity.CANCEL or (word.busy is not None and not word.busy))


def _name(shards: list[DeletionFacts], what: str) -> str:
    return f"{', '.join(shard.name for shard in shards)}: orders or positions {what}" if shards else ""
