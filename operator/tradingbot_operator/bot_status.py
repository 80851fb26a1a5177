"""The status of a TradingBot as people and programs read it: one frozen model, from which its schema is generated.

It is also the operator's memory. Restarts that were decided, and deaths that were told of, stand here and nowhere else, so an
operator that starts anew knows all that its predecessor knew. Times are RFC 3339 strings of whole seconds, UTC.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

Time = Annotated[str, Meta(max_length=40, extra_json_schema={"format": "date-time"})]
Word = Annotated[str, Meta(max_length=64)]
Name = Annotated[str, Meta(max_length=253)]
Text = Annotated[str, Meta(max_length=1024)]
Count = Annotated[int, Meta(ge=0)]

HISTORY_LENGTH = 10
_TIMES = frozenset({"asOf", "at", "finishedAt", "lastTransitionTime", "since"})
"""Fields of type Time that may be empty."""


class _Part(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base: unknown fields are ignored, because a newer operator may have written them."""


class Phase(enum.Enum):
    """Where the bot is, in one word for people. Programs read the conditions."""

    PENDING = "Pending"
    """The pod is being made."""
    STARTING = "Starting"
    """The pod runs, the engine is on its way up."""
    RUNNING = "Running"
    """The engine trades."""
    FINISHED = "Finished"
    """The feed has ended; the engine is up and idle."""
    PAUSED = "Paused"
    """The engine is up and opens nothing, as `lifecycle.state` says."""
    STOPPED = "Stopped"
    """There is no pod, as `lifecycle.state` says."""
    QUARANTINED = "Quarantined"
    """An engine was fenced because restarts did not help; it waits for a person."""
    DELETING = "Deleting"
    """The bot is being deleted, and its orders or positions are seen to first."""
    UNHEALTHY = "Unhealthy"
    """Something is wrong, and is being seen to."""
    REFUSED = "Refused"
    """What the resource says can't be run; it has to be changed."""
    FAILED = "Failed"
    """Something is wrong that the operator can't or may not mend."""


class ConditionStatus(enum.Enum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(_Part, frozen=True):
    """One aspect of the bot's state."""

    type: Annotated[Word, Meta(description="Aspect of the bot: Accepted, Ready, Healthy, Progressing or TuningApplied.")]
    status: Annotated[ConditionStatus, Meta(description="True, False, or Unknown where nothing can be said.")]
    reason: Annotated[Word, Meta(description="Why, in one word of a closed set; the same word as in Events, logs and metrics.")]
    message: Annotated[Text, Meta(description="Why, for people. Figures in it are of the moment when the reason was first seen.")] = ""
    observed_generation: Annotated[Count, Meta(description="Generation of the resource that this is about.")] = 0
    last_transition_time: Annotated[Time, Meta(description="When `status` last changed.")] = ""


class EngineExit(_Part, frozen=True):
    """How the engine's process last ended by itself, by the kernel or by the kubelet."""

    container_id: Annotated[Text, Meta(description="Container that ended; tells one death from the next.")]
    reason: Annotated[Word, Meta(description="OOMKilled, EngineKilled (by a signal) or EngineExited.")]
    exit_code: Annotated[int, Meta(description="Exit code of the process; 128 + n for signal n.")] = 0
    finished_at: Annotated[Time, Meta(description="When it ended.")] = ""


class Adjustment(_Part, frozen=True):
    """What the operator has changed for an engine to help it, beside what the spec says."""

    cache_percent: Annotated[int, Meta(description="Share of the caches' limits that it may use, in percent.", ge=1, le=100)] = 100
    memory_limit: Annotated[Word, Meta(description="Memory limit that was granted in place of the spec's; empty: the spec's.")] = ""
    memory_mode: Annotated[Word, Meta(description="Memory mode in place of the spec's; empty: the spec's.")] = ""
    avoid_node: Annotated[Name, Meta(description="Node that its next pod should keep away from; empty: none.")] = ""
    since: Annotated[Time, Meta(description="When it was last changed; empty: never.")] = ""


class Quarantine(_Part, frozen=True):
    """Why an engine is fenced, and until when."""

    reason: Annotated[Word, Meta(description="What was wrong with it.")]
    message: Annotated[Text, Meta(description="What was tried, and what to do.")] = ""
    since: Annotated[Time, Meta(description="Since when.")] = ""
    generation: Annotated[Count, Meta(description="Generation of the resource then; a newer one ends the quarantine.")] = 0
    restart: Annotated[Text, Meta(description="Value of the annotation tradingbot.dev/restart then; another one ends it.")] = ""


class Shard(_Part, frozen=True):
    """One engine of the bot, with its pod."""

    name: Annotated[Name, Meta(description="Name of the shard, which is its pod's name.")]
    symbols: Annotated[list[Word], Meta(description="Symbols that it trades: those in its document.", max_length=64)] = []
    pod: Annotated[Name, Meta(description="Its pod; empty while there is none.")] = ""
    pod_uid: Annotated[Word, Meta(description="Which pod of that name it is.")] = ""
    pod_restarts: Annotated[Count, Meta(description="Restarts of the engine within this pod.")] = 0
    node: Annotated[Name, Meta(description="Node that the pod runs on.")] = ""
    health: Annotated[Word, Meta(description="Status of the condition Healthy for this shard, with its reason.")] = ""
    restarts: Annotated[Count, Meta(description="Restarts of the engine over the life of the bot, roll-outs not counted.")] = 0
    last_restart_reason: Annotated[Word, Meta(description="Why the engine was last restarted; empty if it never was.")] = ""
    last_exit: Annotated[EngineExit | None, Meta(description="How the engine's process last ended.")] = None
    memory_mode: Annotated[
        Word, Meta(description="How its engine judges news now: Full, FinBERTOnly or Minimal; empty for one that judges none.")
    ] = ""
    config_generation: Annotated[Count | None, Meta(description="Generation of the resource that its engine runs.")] = None
    releasing: Annotated[list[Word], Meta(description="Symbols of `symbols` that it is giving up.", max_length=64)] = []
    leaving: Annotated[
        list[Word],
        Meta(
            description="Symbols that its document no longer has and its engine may still trade; nobody else gets them yet.", max_length=64
        ),
    ] = []
    grant: Annotated[Count, Meta(description="Number of the last change of what it is given; its engine reports it back.")] = 0
    ready: Annotated[bool, Meta(description="Whether its pod is ready and of the current spec.")] = False
    came_up: Annotated[bool, Meta(description="Whether its engine has ever been ready in this pod.")] = False
    start_seconds: Annotated[
        Annotated[float, Meta(ge=0)] | None, Meta(description="How long its engine took to get ready, the slowest of the last few starts.")
    ] = None
    adjustment: Annotated[Adjustment | None, Meta(description="What the operator changed to help its engine; absent: nothing.")] = None
    quarantine: Annotated[Quarantine | None, Meta(description="Why it is fenced; absent: it isn't.")] = None


class FoundFinding(_Part, frozen=True):
    """One thing that the observer finds wrong."""

    reason: Annotated[Word, Meta(description="What is wrong, in one word.")]
    severity: Annotated[Word, Meta(description="critical, warning or info.")]
    message: Annotated[Text, Meta(description="Measured value and limit, of the moment when it was first seen.")] = ""
    since: Annotated[Time, Meta(description="When it was first seen without a break.")] = ""


class HealthSummary(_Part, frozen=True):
    """What the observer says."""

    score: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None, Meta(description="Health, 0 to 100; absent when the engine could not be measured.")
    ] = None
    findings: Annotated[list[FoundFinding], Meta(description="What is wrong now.", max_length=16)] = []


class Decision(_Part, frozen=True):
    """One step of remediation, written down before it was taken."""

    time: Annotated[Time, Meta(description="When it was decided.")]
    action: Annotated[
        Word,
        Meta(description="ShrinkCaches, GrowMemory, LowerMemoryMode, RestartPod, RecreateElsewhere or Quarantine; DryRun: see `step`."),
    ]
    reason: Annotated[Word, Meta(description="Why, in one word.")]
    pod: Annotated[Name, Meta(description="The pod.")] = ""
    pod_uid: Annotated[Word, Meta(description="Which pod of that name.")] = ""
    inputs: Annotated[Text, Meta(description="What was known when it was decided.")] = ""
    step: Annotated[Word, Meta(description="For a DryRun: the action that would have been taken.")] = ""
    shard: Annotated[Name, Meta(description="Shard that it is about.")] = ""
    result: Annotated[Word, Meta(description="Whether it helped: Helped, DidNotHelp, or empty while that isn't known yet.")] = ""


class Budget(_Part, frozen=True):
    """How many restarts the operator may still make."""

    max_actions: Annotated[Count, Meta(description="Restarts allowed within `perSeconds`.")] = 0
    per_seconds: Annotated[Count, Meta(description="Length of the period.")] = 0
    remaining: Annotated[Count, Meta(description="Whole steps that were left when this was written.")] = 0
    level: Annotated[float, Meta(description="Fill of the budget at `asOf`, in steps; it refills evenly.", ge=0)] = 0.0
    as_of: Annotated[Time, Meta(description="When `level` was taken; empty: it is full.")] = ""


class Effort(_Part, frozen=True):
    """What has been tried for one engine since it was last well: from it the next step and the pause before it follow."""

    shard: Annotated[Name, Meta(description="Shard that it is about.")]
    failures: Annotated[Count, Meta(description="Steps in a row that did not help; the pause before the next grows with it.")] = 0
    restarts: Annotated[Count, Meta(description="Restarts among them; quarantine comes after `quarantineAfter` of them.")] = 0
    steps: Annotated[list[Word], Meta(description="Steps that were tried, each once, the last one last.", max_length=8)] = []
    at: Annotated[Time, Meta(description="When the last step was decided.")] = ""
    helped: Annotated[bool, Meta(description="Whether the last step helped; then what comes next is counted anew.")] = False
    answered: Annotated[Text, Meta(description="Container whose end was the last that was acted on or judged.")] = ""


class RemediationRecord(_Part, frozen=True):
    """What the operator did about a sick engine."""

    history: Annotated[list[Decision], Meta(description="The last decisions, oldest first.", max_length=HISTORY_LENGTH)] = []
    budget: Annotated[Budget | None, Meta(description="How many restarts are left.")] = None
    efforts: Annotated[
        list[Effort],
        Meta(
            description="What has been tried for engines that are, or were lately, sick.",
            max_length=64,
            extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["shard"]},
        ),
    ] = []


class TuningRecord(_Part, frozen=True):
    """How the last change of the spec reaches the engines."""

    rung: Annotated[Word, Meta(description="LiveDocument, InPlaceResize or Restart: the least that the change needs.")] = ""
    generation: Annotated[Count, Meta(description="Generation of the resource that it is about.")] = 0
    message: Annotated[Text, Meta(description="What is waited for; empty when it is applied.")] = ""


class Trading(_Part, frozen=True):
    """Figures of the engine, as of `at`. They are renewed when something else in the status changes, or when they moved notably."""

    at: Annotated[Time, Meta(description="When these figures were taken.")] = ""
    equity: Annotated[float | None, Meta(description="Cash and positions at the last price, in quote currency.")] = None
    currency: Annotated[Word, Meta(description="Quote currency.")] = ""
    bars: Annotated[Count, Meta(description="Bars processed in the life of the bot.")] = 0
    fills: Annotated[Count, Meta(description="Fills in the life of the bot.")] = 0
    open_positions: Annotated[Count, Meta(description="Symbols with a position.")] = 0
    open_orders: Annotated[Count, Meta(description="Orders that wait for their fill.")] = 0
    unknown_orders: Annotated[Count, Meta(description="Orders of which it is not known whether they exist.")] = 0


class TradingBotStatus(_Part, frozen=True):
    """What the operator has seen of the bot."""

    observed_generation: Annotated[Count, Meta(description="Generation of the resource that this status is about.")] = 0
    phase: Annotated[Phase | None, Meta(description="Where the bot is, in one word for people; programs read the conditions.")] = None
    message: Annotated[Text, Meta(description="What there is to say about the phase.")] = ""
    symbols: Annotated[Text, Meta(description="Symbols of the bot in one line.")] = ""
    memory: Annotated[Word, Meta(description="Memory of the engine and its limit, for example 61Mi/512Mi.")] = ""
    restarts: Annotated[Count, Meta(description="Restarts of all engines over the life of the bot, roll-outs not counted.")] = 0
    conditions: Annotated[
        list[Condition],
        Meta(
            description="Aspects of the bot's state: Accepted, Ready, Healthy, Progressing, TuningApplied.",
            max_length=8,
            extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = []
    shards: Annotated[
        list[Shard],
        Meta(
            description="Engines of the bot.",
            max_length=64,
            extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    health: Annotated[HealthSummary, Meta(description="What the observer says.")] = HealthSummary()
    remediation: Annotated[RemediationRecord, Meta(description="What the operator did about a sick engine.")] = RemediationRecord()
    tuning: Annotated[TuningRecord, Meta(description="How the last change of the spec reaches the engines.")] = TuningRecord()
    trading: Annotated[Trading | None, Meta(description="Figures of the engines; sums where there are several.")] = None
    replicas: Annotated[Count, Meta(description="Pods that there are, for `kubectl scale` and autoscalers.")] = 0
    selector: Annotated[Text, Meta(description="Label selector of the pods, for `kubectl scale` and autoscalers.")] = ""
    account: Annotated[Word, Meta(description="Account (`broker.account`) of which this bot claims symbols; empty: none.")] = ""
    claimed: Annotated[
        list[Word], Meta(description="Symbols of the account that it claims: no other bot may take them.", max_length=128)
    ] = []

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of a type."""
        return next((condition for condition in self.conditions if condition.type == kind), None)


def parse_status(raw: Mapping[str, Any] | None) -> TradingBotStatus:
    """Return the typed status of a resource; one that never had any gives an empty one.

    Raises:
        ValueError: it is not of this shape, which the schema of the CRD should have prevented.
    """
    return msgspec.convert(raw or {}, TradingBotStatus)


def render_status(status: TradingBotStatus) -> dict[str, Any]:
    """Return the status as the API server stores it: what is not known is left out, and so is a time that is empty, which it refuses."""
    rendered: dict[str, Any] = _without_unknown(msgspec.to_builtins(status))
    return rendered


def _without_unknown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_unknown(item) for key, item in value.items() if item is not None and not (item == "" and key in _TIMES)}
    if isinstance(value, list):
        return [_without_unknown(item) for item in value]
    return value
