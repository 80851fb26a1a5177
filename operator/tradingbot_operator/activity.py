"""What each engine may do now: the strongest of what is wanted of it."""

from __future__ import annotations

from msgspec import Struct

from tradingbot_contract.document import Activity
from tradingbot_operator.operations import LifecycleState


class Circumstances(Struct, frozen=True, kw_only=True):
    """What bears on one engine."""

    quarantined: bool
    has_nothing: bool
    """Whether no symbol is its own now."""
    deletion: Activity | None
    """What `lifecycle.onDelete` asks for, for a bot that is being deleted."""
    flatten: bool
    """Whether it has to sell its positions before its pod is replaced."""
    state: LifecycleState


def choose_activity(now: Circumstances) -> Activity:
    """Return what the engine is told."""
    if now.quarantined or now.has_nothing:
        return Activity.FENCE
    if now.deletion is not None:
        return now.deletion
    if now.flatten:
        return Activity.FLATTEN
    return Activity.PAUSE if now.state is LifecycleState.PAUSED else Activity.TRADE
