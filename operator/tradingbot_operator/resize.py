"""Memory and CPU of a running engine, changed in place: the rung between a live document and a restart.

The pod's spec is brought to what the resource (and what remediation granted) wants; the kubelet carries it out, or says why it can't.
What it can't, for now or ever, is said; a restart follows only for what the resource asks for, and only when waiting is no use: a
larger limit that was granted to a sick engine is no reason to end it, and neither is a quota of the namespace, by which the next pod
could not be made. A limit below what the engine uses is the kubelet's to refuse, and is not fought.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_operator.actions import ResizePod
from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.drift import same_quantity
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.world import PodFacts, ResizeRefusal

DEFERRED_SECONDS: Final = 300.0
"""How long a node may take to find room, before the pod is made anew where there is some."""
QUOTA_SECONDS: Final = 30.0
"""How often it is tried again what a quota has refused: nobody tells when there is room."""

_DEFERRED: Final = "Deferred"
_INFEASIBLE: Final = "Infeasible"


class Size(Struct, frozen=True, kw_only=True):
    """Memory and CPU of an engine."""

    requests: dict[str, str]
    limits: dict[str, str]


class Resize(Struct, frozen=True, kw_only=True):
    """How far the size of one shard's engine is."""

    action: ResizePod | None = None
    reason: Reason | None = None
    """ResizeDeferred or ResizeInfeasible; None: it is as wanted, or on its way."""
    message: str = ""
    """What is waited for; empty when nothing is."""
    needs_restart: bool = False
    recheck_seconds: float | None = None


def wanted_size(bot: TradingBot, adjustment: Adjustment | None) -> Size:
    """Return what an engine should have."""
    resources = bot.spec.engine.resources
    granted = adjustment.memory_limit if adjustment else ""
    return Size(
        requests={"memory": resources.requests.memory, "cpu": resources.requests.cpu},
        limits={"memory": granted or resources.limits.memory} | ({"cpu": resources.limits.cpu} if resources.limits.cpu else {}),
    )


def plan_resize(shard: ShardView, bot: TradingBot, adjustment: Adjustment | None, refusal: ResizeRefusal | None, *, now: float) -> Resize:
    """Return what is to be done about the size of a shard's engine."""
    pod = shard.pod
    # Without a limit nothing is known of its size: a bot's engine has one.
    if pod is None or pod.terminating or not pod.resize.memory_limit:
        return Resize()
    size = wanted_size(bot, adjustment)
    is_granted = bool(adjustment and adjustment.memory_limit)
    if _has(pod, size):
        return _progress(pod, size, is_granted=is_granted, now=now)
    action = ResizePod(pod.name, pod.uid, size.requests, size.limits)
    if refusal is not None and (refusal.requests, refusal.limits) == (size.requests, size.limits):
        message = f"pod {pod.name} can't be changed in place: {refusal.message}"
        if refusal.over_quota_at is None:
            return _infeasible(message, is_granted=is_granted)
        left_seconds = refusal.over_quota_at + QUOTA_SECONDS - now
        return Resize(
            action=action if left_seconds <= 0.0 else None,
            reason=Reason.RESIZE_DEFERRED,
            message=message,
            recheck_seconds=max(left_seconds, 0.0) or QUOTA_SECONDS,
        )
    if pod.resize.cpu_limit and "cpu" not in size.limits:
        return _infeasible(f"pod {pod.name} can't lose its CPU limit in place", is_granted=is_granted)
    return Resize(action=action, message=f"pod {pod.name} is brought to {_told(size)} in place")


def _progress(pod: PodFacts, size: Size, *, is_granted: bool, now: float) -> Resize:
    facts = pod.resize
    if facts.pending_reason == _INFEASIBLE:
        return _infeasible(f"the node can't give pod {pod.name} {_told(size)}: {facts.pending_message}", is_granted=is_granted)
    if facts.pending_reason == _DEFERRED:
        since = facts.pending_since if facts.pending_since is not None else now
        message = f"the node has no room now to give pod {pod.name} {_told(size)}: {facts.pending_message}"
        left_seconds = since + DEFERRED_SECONDS - now
        if left_seconds <= 0:
            return _infeasible(message, is_granted=is_granted)
        return Resize(reason=Reason.RESIZE_DEFERRED, message=message, recheck_seconds=left_seconds)
    if facts.error:
        return Resize(reason=Reason.RESIZE_DEFERRED, message=f"the kubelet can't give pod {pod.name} {_told(size)} yet: {facts.error}")
    actual = facts.actual_memory_limit
    if actual and not same_quantity(actual, size.limits["memory"]):
        return Resize(message=f"the kubelet brings pod {pod.name} to {_told(size)}")
    return Resize()


def _infeasible(message: str, *, is_granted: bool) -> Resize:
    return Resize(reason=Reason.RESIZE_INFEASIBLE, message=message, needs_restart=not is_granted)


def _has(pod: PodFacts, size: Size) -> bool:
    facts = pod.resize
    found = (facts.memory_request, facts.cpu_request, facts.memory_limit, facts.cpu_limit)
    wanted = (size.requests["memory"], size.requests["cpu"], size.limits["memory"], size.limits.get("cpu", ""))
    return all(one == other or (bool(one) and bool(other) and same_quantity(one, other)) for one, other in zip(found, wanted, strict=True))


def _told(size: Size) -> str:
    return f"{size.limits['memory']} of memory" + (f" and {size.limits['cpu']} cores" if "cpu" in size.limits else "")
