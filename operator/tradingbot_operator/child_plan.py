"""Which children have to be applied or removed.

A child is applied only when it is not there, when the hash of its rendering differs from the one it carries, or when somebody
changed a field of ours. So a second pass over the world that a plan made plans nothing.

Somebody who keeps changing a child back (a second operator, a tool that syncs from Git) would start an endless fight that rolls the
pod with every blow. So the same rendering is applied again ever more slowly.

A child that is being deleted, or that still belongs to an earlier bot of the same name, is left alone: the garbage collector is at
work, and the object's end wakes the bot again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from tradingbot_operator.actions import Action, ApplyChild, DeleteChild
from tradingbot_operator.drift import controller_uid, differences
from tradingbot_operator.kinds import key_of
from tradingbot_operator.names import DESIRED_HASH
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import World

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 300.0


class ChildPlan(Struct, frozen=True):
    """What has to be done about the children."""

    actions: tuple[Action, ...]
    pending: bool
    """Whether some child is still on its way to what it should be."""
    late: frozenset[str]
    """Kinds of which a child is not yet as it should be."""
    recheck_seconds: float
    """When a repair that is put off is due."""
    put_off: bool = False
    """Whether something waits for something else that this plan, or the cluster, does first."""


def pause_seconds(times: int) -> float:
    """Return how long to wait after the same rendering was applied so often."""
    return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (min(times, 16) - 1)) if times else 0.0


def plan_children(world: World, desired: tuple[dict[str, Any], ...]) -> ChildPlan:
    """Return what has to be done about the children."""
    wanted = {key_of(manifest): manifest for manifest in desired}
    actions: list[Action] = []
    late: set[str] = set()
    recheck_seconds = LONGEST_PAUSE_SECONDS
    for key, manifest in wanted.items():
        live = world.children.get(key)
        if live is not None and _is_leaving(live, world):
            late.add(key.kind)
            continue
        action = _apply(manifest, live, world)
        if action is None:
            continue
        late.add(key.kind)
        left_seconds = _pause_left(manifest, world)
        if left_seconds > 0:
            recheck_seconds = min(recheck_seconds, left_seconds)
        else:
            actions.append(action)
    for key, live in world.children.items():
        if key not in wanted and controller_uid(live) == world.bot.metadata.uid and not _is_leaving(live, world):
            actions.append(DeleteChild(key, live["metadata"]["uid"]))
    return ChildPlan(tuple(actions), bool(late or actions), frozenset(late), recheck_seconds)


def _apply(manifest: dict[str, Any], live: Mapping[str, Any] | None, world: World) -> ApplyChild | None:
    if live is None:
        return ApplyChild(manifest, Reason.CREATED)
    settled = world.settled.get(key_of(manifest), ())
    drift = tuple(difference for difference in differences(manifest, live) if difference not in settled)
    version = live["metadata"].get("resourceVersion", "")
    if (live["metadata"].get("annotations") or {}).get(DESIRED_HASH) != manifest["metadata"]["annotations"][DESIRED_HASH]:
        return ApplyChild(manifest, Reason.CHANGED, drift, version)
    return ApplyChild(manifest, Reason.DRIFTED, drift, version) if drift else None


def _pause_left(manifest: dict[str, Any], world: World) -> float:
    applied = world.applied.get(key_of(manifest))
    if applied is None or applied.hash != manifest["metadata"]["annotations"][DESIRED_HASH]:
        return 0.0
    return applied.at + pause_seconds(applied.times) - world.now


def _is_leaving(live: Mapping[str, Any], world: World) -> bool:
    owner = controller_uid(live)
    return "deletionTimestamp" in live["metadata"] or (owner is not None and owner != world.bot.metadata.uid)
