"""Everything that one pass over a bot may look at: facts, with no opinion on any of them.

Whoever builds a :class:`World` has read the cluster and the observers; whoever judges it reads nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tradingbot_contract.report import ObserverReport
from tradingbot_operator.accounts import Claim
from tradingbot_operator.bot_status import EngineExit, TradingBotStatus
from tradingbot_operator.drift import Difference
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import TradingBot


class ContainerFacts(Struct, frozen=True, kw_only=True):
    """What the kubelet says about a container."""

    restarts: int = 0
    running_since: float | None = None
    """Seconds since the epoch; None while it does not run."""
    started: bool = False
    """Whether it has passed its startup probe."""
    waiting_reason: str = ""
    waiting_message: str = ""
    exit: EngineExit | None = None
    """How it last ended in this pod."""
    ran_seconds: float | None = None
    """How long it had run when it last ended; None where the kubelet doesn't say."""


class ResizeFacts(Struct, frozen=True, kw_only=True):
    """What the kubelet says about the memory and CPU of the engine's container."""

    memory_request: str = ""
    memory_limit: str = ""
    """As the pod's spec wants it now."""
    cpu_request: str = ""
    cpu_limit: str = ""
    actual_memory_limit: str = ""
    """As the kubelet has set it; empty where it doesn't say."""
    pending_reason: str = ""
    """Deferred or Infeasible while a change waits; empty otherwise."""
    pending_message: str = ""
    pending_since: float | None = None
    error: str = ""
    """Why the kubelet could not carry out a change that it has begun."""


class PodFacts(Struct, frozen=True, kw_only=True):
    """What the API server says about a pod of the bot."""

    name: str
    uid: str
    ip: str = ""
    node: str = ""
    ready: bool = False
    terminating: bool = False
    unschedulable: str = ""
    """Why no node takes it; empty when one did."""
    restart_hash: str = ""
    document_hash: str = ""
    restart_request: str = ""
    """Value of tradingbot.dev/restart when the pod was made."""
    created_at: float | None = None
    """Seconds since the epoch, like all times here."""
    ready_since: float | None = None
    failed: bool = False
    """Whether it has ended for good (evicted, for example)."""
    resize: ResizeFacts = ResizeFacts()
    engine: ContainerFacts = ContainerFacts()
    observer: ContainerFacts = ContainerFacts()


class ReportView(Struct, frozen=True, kw_only=True):
    """What the operator knows from a pod's observer."""

    report: ObserverReport | None = None
    """A fresh report of this pod, or None."""
    missing: Reason = Reason.NOT_STARTED
    """Why there is none."""
    detail: str = ""
    """More about why there is none, for people."""


class Applied(Struct, frozen=True):
    """How a child was last applied."""

    hash: str
    """Of the rendering."""
    times: int
    """How often in a row, with short pauses, the same rendering was applied."""
    at: float
    """Seconds since the epoch."""


class ResizeRefusal(Struct, frozen=True):
    """What the API server said when the memory and CPU of a pod were to be changed in place."""

    requests: dict[str, str]
    limits: dict[str, str]
    message: str
    over_quota_at: float | None = None
    """When it was refused by what bounds the namespace, which would refuse a new pod of that size as well; None: by something else."""


class Problem(Struct, frozen=True):
    """What went wrong when the plan before this one was carried out."""

    reason: Reason
    message: str


class FleetFacts(Struct, frozen=True, kw_only=True):
    """How all bots of the operator are, in numbers that matter only for a bot that is sick: this one is counted so."""

    judged: int = 0
    """Bots whose health is known."""
    sick: int = 0
    """Of those, the ones with a cause for remediation."""
    unseen: int = 0
    """Bots that this operator has yet to look at for the first time since it began to act."""


class World(Struct, frozen=True, kw_only=True):
    """One bot and all that belongs to it, at one moment."""

    bot: TradingBot
    status: TradingBotStatus
    """As last written."""
    children: Mapping[ObjectKey, Mapping[str, Any]]
    """Live objects with the operator's mark and this bot's name, whoever owns them."""
    settled: Mapping[ObjectKey, tuple[Difference, ...]] = {}
    """Differences that remained right after the operator applied a child: something in the cluster insists on them."""
    applied: Mapping[ObjectKey, Applied] = {}
    pods: tuple[PodFacts, ...] = ()
    reports: Mapping[str, ReportView] = {}
    """By uid of the pod."""
    problem: Problem | None = None
    refused_resizes: Mapping[str, ResizeRefusal] = {}
    """By uid of the pod."""
    fleet: FleetFacts = FleetFacts()
    claims: tuple[Claim, ...] = ()
    """Of all bots that name the same account."""
    absent_pods: frozenset[str] = frozenset()
    """Pods that, when the API server itself was asked just now, were not there."""
    namespace_terminating: bool = False
    deletion_seen_at: float | None = None
    """When this operator first saw that the bot is being deleted; None: it goes by the API server's word for when that was."""
    now: float
    """Seconds since the epoch."""
