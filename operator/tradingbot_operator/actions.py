"""What a plan can ask for: a closed set of actions, and the Events that tell people about them."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from tradingbot_operator.bot_figures import BotFigures
from tradingbot_operator.bot_status import Decision, TradingBotStatus
from tradingbot_operator.drift import Difference
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.reasons import Reason


class ApplyChild(Struct, frozen=True):
    """Bring a child to what it should be, or make it."""

    manifest: dict[str, Any]
    reason: Reason
    """Created, Changed or Drifted."""
    drift: tuple[Difference, ...] = ()
    resource_version: str = ""
    """Of the object that the differences were seen in; empty for one that is not there."""


class DeleteChild(Struct, frozen=True):
    """Remove a child that is no longer wanted."""

    key: ObjectKey
    uid: str
    reason: Reason = Reason.UNWANTED


class RestartPod(Struct, frozen=True):
    """Delete a pod, so that its StatefulSet makes it anew."""

    name: str
    uid: str
    grace_seconds: int
    reason: Reason


class TouchPod(Struct, frozen=True):
    """Annotate a pod, so that the kubelet brings it its changed document at once."""

    name: str
    uid: str
    document_hash: str
    reason: Reason = Reason.DOCUMENT_CHANGED


class ResizePod(Struct, frozen=True):
    """Change memory and CPU of a running engine in place (`pods/resize`)."""

    name: str
    uid: str
    requests: dict[str, str]
    limits: dict[str, str]
    reason: Reason = Reason.CHANGED


class SetFinalizers(Struct, frozen=True):
    """Put the operator's finalizer on the bot's resource, or take it off; others' stay where they are."""

    present: bool
    reason: Reason


Action = ApplyChild | DeleteChild | RestartPod | TouchPod | ResizePod | SetFinalizers


class Notice(Struct, frozen=True):
    """An Event of the bot."""

    reason: Reason
    message: str
    warning: bool = False
    of_action: bool = False
    """Whether it tells of an action of the same plan. Where that could not be done, the next pass plans and tells of it anew."""


class Tally(Struct, frozen=True, kw_only=True):
    """What of a plan is counted."""

    judged: bool = False
    """Whether the health of the bot is known."""
    sick: bool = False
    """Whether there is a cause for remediation."""
    decisions: tuple[Decision, ...] = ()
    """Steps that were decided now."""
    results: tuple[Decision, ...] = ()
    """Earlier ones of which it is now known whether they helped."""
    held: tuple[Reason, ...] = ()
    """Why steps are held back, where that has just begun."""


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be done now, in this order: the status is written, then the actions are taken, then the Events are told."""

    status: TradingBotStatus | None = None
    """None: what is written there is good enough."""
    actions: tuple[Action, ...] = ()
    notices: tuple[Notice, ...] = ()
    tally: Tally = Tally()
    attend: tuple[str, ...] = ()
    """Pods, by uid, whose engines' next word is waited for."""
    figures: BotFigures | None = None
    """What is shown of the bot; None: what was shown before."""
    recheck_seconds: float
    """When to look again even if nothing happens."""
    due_seconds: float = math.inf
    """When to look again even if an action is refused: a sick engine, and a bot that is deleted, wait for no child."""
