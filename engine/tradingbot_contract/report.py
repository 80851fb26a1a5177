"""What comes back from a bot's pod: the engine's status, and the observer's report, which holds the last known one.

A figure that is not known is None, never 0: who reads a report must be able to tell "no errors" from "nobody has looked".
Times are seconds since the epoch (UTC); money is in the quote currency.
"""

from __future__ import annotations

import enum

from msgspec import Struct


class _Message(Struct, frozen=True, rename="camel"):
    """Base: unknown fields are ignored, so that an older reader understands a newer writer."""


class EngineState(enum.Enum):
    """Where the engine is in its life."""

    STARTING = "Starting"
    """Opens its journal and restores where it stopped."""
    RUNNING = "Running"
    """Takes bars and trades."""
    FINISHED = "Finished"
    """The feed has ended; up and idle."""
    REFUSED = "Refused"
    """Can't run its document; up, so that it can say why, and idle. `message` names the field."""
    FENCED = "Fenced"
    """Told to trade nothing; up, so that it can be looked at, and idle. It holds no journal."""
    STOPPING = "Stopping"
    """Writes its journal and leaves."""


class Dependency(_Message, frozen=True, kw_only=True):
    """Something outside that the engine needs, as it was when the engine last tried it."""

    name: str
    """`database`, `redis`, `news` or `otlp`."""
    up: bool | None
    """None: nobody has tried yet."""
    since: float
    """When it went up, or down."""
    message: str = ""
    """Why it is down; empty when it isn't."""
    latency_seconds: float | None = None
    """What the last successful try took."""


class PoolUse(_Message, frozen=True, kw_only=True):
    """A pool of connections now."""

    name: str
    used: int
    max_connections: int
    pending: int
    timeouts: int
    exhausted_since: float | None = None
    """Since when all connections are borrowed and somebody waits; None when that isn't so."""


class EngineStatus(_Message, frozen=True, kw_only=True):
    """The engine's own account of itself, from :data:`tradingbot_contract.endpoints.STATUS_PATH`."""

    state: EngineState
    message: str = ""
    generation: int
    """Generation of the document that it runs."""
    started_at: float
    """When this process started."""
    heartbeat_at: float
    """When its main loop last turned."""
    strategy: str = ""
    bars: int = 0
    """Bars processed in the life of the bot; goes on where it stopped after a restart."""
    bars_this_run: int = 0
    """Bars processed by this process."""
    lap: int = 0
    """How often the feed has begun anew."""
    last_bar_at: float | None = None
    """When the last bar was processed."""
    trading_since: float | None = None
    """When it last began to trade, which may be long after its start; None before."""
    last_bar_time: float | None = None
    """Time of the market of the last bar."""
    feed_due: bool = False
    """Whether a bar is expected: running and not at the end of the feed."""
    progress: float | None = None
    """Share of the feed that is done, 0 to 1; None for a feed without an end."""
    equity: float | None = None
    initial_equity: float | None = None
    currency: str = ""
    drawdown: float | None = None
    """Loss from the highest equity, 0 to 1."""
    open_positions: int = 0
    open_orders: int = 0
    unknown_orders: int = 0
    orders: int = 0
    """Orders in the life of the bot, rejected ones included."""
    fills: int = 0
    rejected_orders: int = 0
    document_refusal: str = ""
    """Why the document that is there is not the one that runs, or why none does; empty when it is, or while what is missing may come."""
    refused_generation: int | None = None
    """Generation of that document; None when none is refused, or when it can't be read."""
    dependencies: tuple[Dependency, ...] = ()
    pools: tuple[PoolUse, ...] = ()
    journal_behind_seconds: float | None = None
    """How long the oldest step that isn't in the journal has waited, when that is too long; else None."""
    memory_mode: str = ""
    """:class:`tradingbot_contract.resources.MemoryMode` that it works in; empty for a bot that judges no news."""
    memory_mode_reason: str = ""
    """Why the mode is lower than what the spec asks for; empty when it isn't."""
    revision: str | None = None
    """`revision` of the document that this process started with; None before it has read one."""
    symbols: tuple[str, ...] | None = None
    """Symbols that it may trade now; empty while it is fenced or refuses, None before that is known. A symbol that is being released
    is one of them as long as it is busy."""
    busy_symbols: tuple[str, ...] | None = None
    """Symbols with a position, an open order, or one in unknown state, until the journal says that it is otherwise; None before the
    journal is open. While it is fenced: as it was."""
    activity: str = ""
    """:class:`tradingbot_contract.document.Activity` that has been carried out, as the journal says; empty before it trades."""
    grant: int | None = None
    """`grant` of the document whose `activity`, `releasing` and `settle` have been carried out, whether or not the rest of that document
    waits for a new process; None before there is one."""


class FindingReason(enum.Enum):
    """What an observer can find wrong: a closed set, the same word in reports, conditions, Events, logs and metric labels."""

    ENGINE_SILENT = "EngineSilent"
    """The engine was seen and no longer answers."""
    ENGINE_GONE = "EngineGone"
    """There is no engine process, though there was one or there should be one by now."""
    DOCUMENT_REFUSED = "DocumentRefused"
    """The engine can't run its document."""
    FEED_STALE = "FeedStale"
    """A bar is due and none was processed for too long."""
    CPU_HIGH = "CPUHigh"
    MEMORY_HIGH = "MemoryHigh"
    ERRORS_HIGH = "ErrorsHigh"
    RESPONSE_SLOW = "ResponseSlow"
    CACHE_COLD = "CacheCold"
    DATABASE_DOWN = "DatabaseDown"
    """The database can't be reached or used; no order goes without its journal."""
    REDIS_DOWN = "RedisDown"
    """Redis can't be reached; the engine does without."""
    DEPENDENCY_DOWN = "DependencyDown"
    """News, or the collector of metrics, can't be reached."""
    POOL_EXHAUSTED = "PoolExhausted"
    """All connections of a pool are borrowed and somebody waits."""
    JOURNAL_BEHIND = "JournalBehind"
    """What has been done isn't in the journal yet, for longer than a commit takes."""
    MEMORY_MODE_LOWERED = "MemoryModeLowered"
    """News is judged with less than the spec asks for."""
    SCORE_LOW = "ScoreLow"


class Severity(enum.Enum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Finding(_Message, frozen=True):
    """One thing that is wrong, with the measured value and the limit in the message."""

    reason: FindingReason
    severity: Severity
    message: str
    since: float
    """When it was first seen without a break."""


class Sample(_Message, frozen=True):
    """One look at the engine. None: could not be measured."""

    at: float
    cpu_percent: float | None = None
    """Of one core, mean since the sample before."""
    memory_bytes: int | None = None
    """Memory of the engine that the kernel can't take back: its resident set size without pages of files."""
    memory_limit_bytes: int | None = None
    memory_percent: float | None = None
    error_percent: float | None = None
    """Failed operations of all, since the sample before."""
    response_p95_seconds: float | None = None
    cache_hit_percent: float | None = None
    """Hits of all look-ups, since the sample before."""
    score: float | None = None
    """0 to 100; None when the engine could not be measured."""


class ObserverReport(_Message, frozen=True, kw_only=True):
    """All that the observer knows now, from :data:`tradingbot_contract.endpoints.REPORT_PATH`."""

    namespace: str
    bot: str
    shard: int
    pod_uid: str
    observed_at: float
    generation: int | None
    """Generation of the document that the observer has read."""
    observer_started_at: float
    interval_seconds: float
    engine_pid: int | None
    engine_restarts: int
    """How often a new engine process was seen in place of an earlier one."""
    last_answer_at: float | None
    """When the engine last answered; None if it never has."""
    score: float | None
    findings: tuple[Finding, ...]
    sample: Sample | None
    """The newest sample."""
    engine: EngineStatus | None
    """The engine's last answer, however old: see `last_answer_at`."""
    samples: int = 0
    """Samples in the history."""
