"""The sections of a TradingBot's spec about how it is run: how many engines, what happens to positions, what is done to a sick engine."""

from __future__ import annotations

import enum
from typing import Annotated, Final

from msgspec import Meta, field

from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.section import Bytes, Rule, Section

MOST_SHARDS: Final = 64
"""So many engines may share the symbols of a bot."""


class Scaling(Section, frozen=True):
    """How many engines share the bot's symbols."""

    replicas: Annotated[
        int,
        Meta(
            description=(
                "Engines that share the symbols. Each has symbols, journal and paper account of its own; a symbol that moves is settled by "
                "its old engine before the new one takes it. More than one needs `database.urlSecretRef`."
            ),
            ge=1,
            le=MOST_SHARDS,
        ),
    ] = 1


class LifecycleState(enum.Enum):
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"


class UpdatePolicy(enum.Enum):
    WAIT = "Wait"
    PROCEED = "Proceed"
    FLATTEN = "Flatten"


class OnDelete(enum.Enum):
    KEEP = "Keep"
    CANCEL = "Cancel"
    FLATTEN = "Flatten"


class Lifecycle(Section, frozen=True):
    """Whether the bot trades, and what happens to its orders and positions when it is changed or deleted."""

    state: Annotated[
        LifecycleState,
        Meta(
            description=(
                "`Running`. `Paused`: the engine opens nothing (purchases are not sent, waiting ones are cancelled); its strategy goes on "
                "and may sell. `Stopped`: there is no pod; journal and volume stay, and so do the positions."
            )
        ),
    ] = LifecycleState.RUNNING
    update_policy: Annotated[
        UpdatePolicy,
        Meta(
            description=(
                "What a change that needs a new pod does while positions are open. `Wait`: it waits until there are none. `Proceed`: it "
                "goes ahead; the new engine takes the positions over. `Flatten`: they are sold first. An engine that is dead is replaced "
                "in any case."
            )
        ),
    ] = UpdatePolicy.WAIT
    on_delete: Annotated[
        OnDelete,
        Meta(
            description=(
                "What happens before a deleted bot goes. `Keep`: nothing. `Cancel`: its open orders are cancelled. `Flatten`: they are "
                "cancelled and its positions sold. An engine that does not answer is waited for one minute, not longer."
            )
        ),
    ] = OnDelete.KEEP


class RemediationMode(enum.Enum):
    OFF = "Off"
    DRY_RUN = "DryRun"
    ON = "On"


class Weekday(enum.Enum):
    MON = "Mon"
    TUE = "Tue"
    WED = "Wed"
    THU = "Thu"
    FRI = "Fri"
    SAT = "Sat"
    SUN = "Sun"


_TimeOfDay = Annotated[str, Meta(min_length=5, max_length=5, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]


class ExcludedPeriod(Section, frozen=True):
    """A time of the day in which the operator does nothing to an engine that still runs, for example a market session."""

    __rules__ = (Rule("self.start != self.end", "start and end must differ; 00:00 to 23:59 is a whole day"),)

    start: Annotated[_TimeOfDay, Meta(description="Begin, HH:MM in UTC.")]
    end: Annotated[_TimeOfDay, Meta(description="End, HH:MM in UTC; earlier than `start` is on the next day.")]
    days: Annotated[
        list[Weekday],
        Meta(description="Days on which it begins. Not set: every day.", max_length=7, extra_json_schema={"x-kubernetes-list-type": "set"}),
    ] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError(self.__rules__[0].message)
        if len(set(self.days)) < len(self.days):  # the API server holds this by the list's type
            raise ValueError("days names a day more than once")


class Remediation(Section, frozen=True):
    """What the operator may do about a sick engine, and how often. The kubelet's own restarts do not count."""

    mode: Annotated[
        RemediationMode,
        Meta(
            description=(
                '`"On"`: the operator acts on sick engines, one step at a time. `DryRun`: it only says what it would do. `"Off"`: it does '
                "nothing. Write On and Off in quotes, because YAML reads them as booleans."
            )
        ),
    ] = RemediationMode.ON
    max_actions: Annotated[
        int, Meta(description="Steps that the operator may take within `perSeconds`; the budget refills evenly.", ge=1, le=60)
    ] = 12
    per_seconds: Annotated[int, Meta(description="Time in which a spent budget is full again.", ge=60, le=86_400)] = 3600
    backoff_seconds: Annotated[
        float,
        Meta(description="Unit of the pause after n steps in a row that did not help: n² + n times this.", ge=1, le=3600),
    ] = 10.0
    quarantine_after: Annotated[
        int,
        Meta(
            description=(
                "Restarts in a row that did not help, after which the engine is put in quarantine: fenced, up, not trading, until the spec "
                "changes or the annotation tradingbot.dev/restart gets another value."
            ),
            ge=1,
            le=20,
        ),
    ] = 5
    memory_ceiling: Annotated[
        Bytes | None,
        Meta(
            description=(
                "How far the operator may raise the engine's memory limit, in place, when memory runs out. Not set: it never does that."
            )
        ),
    ] = None
    excluded_periods: Annotated[
        list[ExcludedPeriod],
        Meta(description="When nothing is done to an engine that still runs, for example market sessions.", max_length=16),
    ] = field(default_factory=list)


def raises_limit(ceiling: str | None, limit: str) -> bool:
    """Return whether a ceiling, if there is one, is not below the limit that it is for."""
    return ceiling is None or parse_bytes(ceiling) >= parse_bytes(limit)
