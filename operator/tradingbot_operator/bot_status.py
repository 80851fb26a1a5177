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

    type: Annotated[Word, Meta(description="Aspect of the bot: Accepted, Ready, Healthy or Progressing.")]
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


class Shard(_Part, frozen=True):
    """One engine of the bot, with its pod."""

    name: Annotated[Name, Meta(description="Name of the shard, which is its pod's name.")]
    symbols: Annotated[list[Word], Meta(description="Symbols that it trades.", max_length=64)] = []
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
    action: Annotated[Word, Meta(description="RestartPod, or DryRun for what would have been done.")]
    reason: Annotated[Word, Meta(description="Why, in one word.")]
    pod: Annotated[Name, Meta(description="The pod.")] = ""
    pod_uid: Annotated[Word, Meta(description="Which pod of that name.")] = ""
    inputs: Annotated[Text, Meta(description="What was known when it was decided.")] = ""


class Budget(_Part, frozen=True):
    """How many restarts the operator may still make."""

    max_actions: Annotated[Count, Meta(description="Restarts allowed within `perSeconds`.")] = 0
    per_seconds: Annotated[Count, Meta(description="Length of the period.")] = 0
    remaining: Annotated[Count, Meta(description="Restarts that are left in the current period.")] = 0


class RemediationRecord(_Part, frozen=True):
    """What the operator did about a sick engine."""

    history: Annotated[list[Decision], Meta(description="The last decisions, oldest first.", max_length=HISTORY_LENGTH)] = []
    budget: Annotated[Budget | None, Meta(description="How many restarts are left.")] = None


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
            description="Aspects of the bot's state: Accepted, Ready, Healthy, Progressing.",
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
    trading: Annotated[Trading | None, Meta(description="Figures of the engine.")] = None

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
    """Return the status as the API server stores it: what is not known is left out."""
    rendered: dict[str, Any] = _without_nones(msgspec.to_builtins(status))
    return rendered


def _without_nones(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nones(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nones(item) for item in value]
    return value
