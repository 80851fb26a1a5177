"""Every metric of engine and observer, declared once: name, kind, unit, attributes, meaning.

Names, units and attributes follow OpenTelemetry. Dashboards, alerts and the observer read another spelling: what
``opentelemetry-exporter-prometheus`` makes of them. :func:`prometheus_name` gives that spelling, so that nobody has to write it
twice; a test compares it with the exporter. A program exports only what stands in this table.

Attributes are bounded sets: symbols of the spec, enums, names of pools and caches. Never an order id or the text of an error.
"""

from __future__ import annotations

import enum
import re
from typing import Final

from msgspec import Struct


class Kind(enum.Enum):
    """What a value means over time."""

    COUNTER = "counter"
    """Only grows while the process lives."""
    UP_DOWN_COUNTER = "updowncounter"
    """A sum that grows and shrinks; may be added up over bots."""
    GAUGE = "gauge"
    """The last value; adding it up over bots need not mean anything."""
    HISTOGRAM = "histogram"


class Instrument(Struct, frozen=True):
    """One metric."""

    name: str
    """OpenTelemetry's spelling: ``tradingbot.feed.age``."""
    kind: Kind
    unit: str
    """UCUM: ``s``, ``By``, ``{bar}``, ``1`` for a share."""
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, in `unit`."""


_ALL: list[Instrument] = []


def _declare(
    name: str, kind: Kind, unit: str, description: str, *, attributes: tuple[str, ...] = (), buckets: tuple[float, ...] = ()
) -> Instrument:
    instrument = Instrument(name=name, kind=kind, unit=unit, description=description, attributes=attributes, buckets=buckets)
    _ALL.append(instrument)
    return instrument


_DECISION_BUCKETS: Final = (
    1e-06,
    2.5e-06,
    5e-06,
    1e-05,
    2.5e-05,
    5e-05,
    1e-04,
    2.5e-04,
    5e-04,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.05,
    0.25,
    1.0,
)
_CONNECTION_BUCKETS: Final = (1e-05, 1e-04, 5e-04, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)

# --- Engine: trading ---------------------------------------------------------------------------------------------------------

BARS: Final = _declare("tradingbot.bars", Kind.COUNTER, "{bar}", "Bars processed by this process.", attributes=("symbol",))
ORDERS: Final = _declare(
    "tradingbot.orders",
    Kind.COUNTER,
    "{order}",
    "Changes of an order's status in this process: each order counts once as new, unless it was rejected at once, and once where it ended.",
    attributes=("side", "status"),
)
FILLS: Final = _declare("tradingbot.fills", Kind.COUNTER, "{fill}", "Fills in this process.", attributes=("side",))
EQUITY: Final = _declare(
    "tradingbot.equity",
    Kind.GAUGE,
    "{currency}",
    "Cash and positions at the last price, in quote currency.",
    attributes=("currency",),
)
DRAWDOWN: Final = _declare("tradingbot.drawdown", Kind.GAUGE, "1", "Loss from the highest equity, 0 to 1.")
RISK_REJECTIONS: Final = _declare(
    "tradingbot.risk.rejections",
    Kind.COUNTER,
    "{order}",
    "Orders that a limit of the spec's section risk has held back in this process.",
    attributes=("limit",),
)
RISK_BREACHED: Final = _declare(
    "tradingbot.risk.breached",
    Kind.GAUGE,
    "{state}",
    "1 while the limit of losses is passed, so that risk.onBreach counts, else 0; limit is risk.maxDrawdownPercent or "
    "risk.maxDailyLossPercent.",
    attributes=("limit",),
)
POSITIONS_OPEN: Final = _declare("tradingbot.positions.open", Kind.UP_DOWN_COUNTER, "{position}", "Symbols with a position.")
ORDERS_OPEN: Final = _declare("tradingbot.orders.open", Kind.UP_DOWN_COUNTER, "{order}", "Orders that wait for their fill.")
DECISION_DURATION: Final = _declare(
    "tradingbot.decision.duration",
    Kind.HISTOGRAM,
    "s",
    "Time from taking a step of the feed to the last order that follows from it. A sample: the first step of each turn of the main loop, "
    "so at full speed about a hundred a second, and every one at slow speed.",
    buckets=_DECISION_BUCKETS,
)
FEED_AGE: Final = _declare("tradingbot.feed.age", Kind.GAUGE, "s", "Time since the last bar was processed; absent when no bar is due.")
FEED_LAP: Final = _declare("tradingbot.feed.lap", Kind.GAUGE, "{lap}", "How often the feed has begun anew in the life of the bot.")
FEED_PROGRESS: Final = _declare("tradingbot.feed.progress", Kind.GAUGE, "1", "Share of the feed that is done, 0 to 1.")

# --- Engine: its own health --------------------------------------------------------------------------------------------------

OPERATIONS: Final = _declare(
    "tradingbot.operations",
    Kind.COUNTER,
    "{operation}",
    "Things tried: bars read (feed), hooks called (strategy), orders placed (orders), transactions (database).",
    attributes=("component",),
)
ERRORS: Final = _declare(
    "tradingbot.errors",
    Kind.COUNTER,
    "{error}",
    "Operations that failed. A rejected order is no failure, an order that no broker could take is.",
    attributes=("component",),
)
ENGINE_STATE: Final = _declare(
    "tradingbot.engine.state", Kind.GAUGE, "{state}", "1 for the state that the engine is in, 0 for the others.", attributes=("state",)
)
ENGINE_ACTIVITY: Final = _declare(
    "tradingbot.engine.activity",
    Kind.GAUGE,
    "{state}",
    "1 for what the engine was told it may do and has carried out (Trade, Pause, Cancel, Flatten, Fence), 0 for the others; absent before.",
    attributes=("activity",),
)
STRATEGY_HALTED: Final = _declare(
    "tradingbot.strategy.halted", Kind.GAUGE, "{state}", "1 when the strategy failed too often in a row and is no longer asked."
)
HEARTBEAT_TIME: Final = _declare("tradingbot.heartbeat.time", Kind.GAUGE, "s", "When the main loop last turned, seconds since the epoch.")
LOOP_LAG: Final = _declare("tradingbot.loop.lag", Kind.GAUGE, "s", "How late the event loop ran a timer: the largest of the last seconds.")
CONFIG_GENERATION: Final = _declare(
    "tradingbot.config.generation", Kind.GAUGE, "{generation}", "Generation of the resource whose document the engine runs."
)
JOURNAL_COMMITS: Final = _declare("tradingbot.journal.commits", Kind.COUNTER, "{commit}", "Transactions that the journal has committed.")
JOURNAL_COMMIT_DURATION: Final = _declare(
    "tradingbot.journal.commit.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one transaction of the journal, with the wait for a connection.",
    buckets=_CONNECTION_BUCKETS,
)
CONFIG_REFUSED: Final = _declare(
    "tradingbot.config.refused", Kind.GAUGE, "{state}", "1 when the document that is there now can't be taken, so that an earlier one runs."
)
CONFIG_CHANGES: Final = _declare(
    "tradingbot.config.changes",
    Kind.COUNTER,
    "{change}",
    "Documents that came while it ran; result is applied, refused, or restart (something changed that only a new process reads).",
    attributes=("result",),
)
CONFIG_APPLY_DURATION: Final = _declare(
    "tradingbot.config.apply.duration",
    Kind.HISTOGRAM,
    "s",
    "Time from seeing a changed document to running it.",
    buckets=_CONNECTION_BUCKETS,
)
ORDER_DURATION: Final = _declare(
    "tradingbot.order.duration",
    Kind.HISTOGRAM,
    "s",
    "Time from the first order of a group to the commit that makes the group's orders and fills durable.",
    buckets=_CONNECTION_BUCKETS,
)
JOURNAL_BACKLOG: Final = _declare(
    "tradingbot.journal.backlog", Kind.UP_DOWN_COUNTER, "{step}", "Steps of the feed that were taken and aren't in the journal yet."
)
JOURNAL_BEHIND: Final = _declare(
    "tradingbot.journal.behind", Kind.GAUGE, "s", "How long the oldest of these steps has waited; 0 when there is none."
)
RETENTION_ROWS: Final = _declare(
    "tradingbot.retention.rows", Kind.COUNTER, "{row}", "Rows that were removed because newer ones count.", attributes=("table",)
)
JOB_RUNS: Final = _declare(
    "tradingbot.job.runs",
    Kind.COUNTER,
    "{run}",
    "Background jobs; result is done, failed, or throttled (put off because the engine was busy).",
    attributes=("task", "result"),
)
JOB_DURATION: Final = _declare(
    "tradingbot.job.duration", Kind.HISTOGRAM, "s", "Time of a background job.", attributes=("task",), buckets=_CONNECTION_BUCKETS
)

# --- Engine: caches ----------------------------------------------------------------------------------------------------------

CACHE_LOOKUPS: Final = _declare(
    "tradingbot.cache.lookups", Kind.COUNTER, "{lookup}", "Look-ups in a cache; result is hit or miss.", attributes=("cache", "result")
)
CACHE_SECOND_LEVEL_LOOKUPS: Final = _declare(
    "tradingbot.cache.second.level.lookups",
    Kind.COUNTER,
    "{lookup}",
    "Look-ups in Redis after a miss; result is hit, miss or error.",
    attributes=("cache", "result"),
)
CACHE_ENTRIES: Final = _declare("tradingbot.cache.entries", Kind.UP_DOWN_COUNTER, "{entry}", "Entries in a cache.", attributes=("cache",))
CACHE_ENTRIES_LIMIT: Final = _declare(
    "tradingbot.cache.entries.limit", Kind.UP_DOWN_COUNTER, "{entry}", "Most entries that a cache may have now.", attributes=("cache",)
)
CACHE_SIZE: Final = _declare("tradingbot.cache.size", Kind.UP_DOWN_COUNTER, "By", "Memory of a cache's entries.", attributes=("cache",))
CACHE_SIZE_LIMIT: Final = _declare(
    "tradingbot.cache.size.limit", Kind.UP_DOWN_COUNTER, "By", "Most memory that a cache's entries may take now.", attributes=("cache",)
)
CACHE_EVICTIONS: Final = _declare(
    "tradingbot.cache.evictions",
    Kind.COUNTER,
    "{entry}",
    "Entries that left a cache before they were asked to: too many, too large, too old, of older data, or because memory was short.",
    attributes=("cache", "cause"),
)
CACHE_LOADS: Final = _declare(
    "tradingbot.cache.loads",
    Kind.COUNTER,
    "{load}",
    "Values computed for a cache; result is done or failed.",
    attributes=("cache", "result"),
)
CACHE_LOAD_DURATION: Final = _declare(
    "tradingbot.cache.load.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to compute a value for a cache.",
    attributes=("cache",),
    buckets=_CONNECTION_BUCKETS,
)

# --- Engine: memory and models -----------------------------------------------------------------------------------------------

MEMORY_USAGE: Final = _declare("process.memory.usage", Kind.UP_DOWN_COUNTER, "By", "Resident set size of the process.")
MEMORY_LIMIT: Final = _declare(
    "tradingbot.memory.limit", Kind.UP_DOWN_COUNTER, "By", "Memory limit of the container, from its cgroup; absent when there is none."
)
CPU_TIME: Final = _declare("process.cpu.time", Kind.COUNTER, "s", "CPU time of the process.", attributes=("cpu.mode",))

MEMORY_BUDGET: Final = _declare(
    "tradingbot.memory.budget",
    Kind.UP_DOWN_COUNTER,
    "By",
    "What the document may need of memory, by part: engine, caches, pools, models.",
    attributes=("part",),
)
MEMORY_SHEDS: Final = _declare(
    "tradingbot.memory.sheds",
    Kind.COUNTER,
    "{shed}",
    "Times that memory was given back because it was short; step is caches or mode.",
    attributes=("step",),
)
MEMORY_MODE: Final = _declare(
    "tradingbot.memory.mode",
    Kind.GAUGE,
    "{state}",
    "1 for the mode in which news is judged, 0 for the others; absent for a bot that judges none.",
    attributes=("mode",),
)
MODEL_FAILURES: Final = _declare(
    "tradingbot.prediction.model.failures",
    Kind.COUNTER,
    "{failure}",
    "Models that could not be loaded or used; model is finbert or social.",
    attributes=("model",),
)
PREDICTIONS: Final = _declare(
    "tradingbot.predictions", Kind.COUNTER, "{text}", "Texts judged; model is finbert, social or lexicon.", attributes=("model",)
)
PREDICTION_DURATION: Final = _declare(
    "tradingbot.prediction.duration",
    Kind.HISTOGRAM,
    "s",
    "Time to judge one batch of texts.",
    attributes=("model",),
    buckets=_CONNECTION_BUCKETS,
)
NEWS_ITEMS: Final = _declare("tradingbot.news.items", Kind.COUNTER, "{item}", "News delivered to the strategy.", attributes=("source",))
NEWS_PENDING: Final = _declare("tradingbot.news.pending", Kind.UP_DOWN_COUNTER, "{item}", "News that is read and not yet delivered.")

# --- Engine: what it depends on ----------------------------------------------------------------------------------------------

DEPENDENCY_UP: Final = _declare(
    "tradingbot.dependency.up",
    Kind.GAUGE,
    "{state}",
    "1 when database, redis, news or otlp answered when it was last tried, else 0; absent before.",
    attributes=("dependency",),
)
DEPENDENCY_LATENCY: Final = _declare(
    "tradingbot.dependency.latency", Kind.GAUGE, "s", "What the last successful try took.", attributes=("dependency",)
)
DATABASE_RETRIES: Final = _declare(
    "tradingbot.database.retries", Kind.COUNTER, "{retry}", "Operations tried again because their connection broke."
)
DATABASE_LEAKS: Final = _declare(
    "tradingbot.database.leaks", Kind.COUNTER, "{connection}", "Connections that were never given back; each is a bug."
)

# --- Engine: pools of connections to database, redis and http (OpenTelemetry's semantic conventions) ---------------------------

POOL_CONNECTIONS: Final = _declare(
    "db.client.connection.count",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Open connections; state is idle or used.",
    attributes=("db.client.connection.pool.name", "db.client.connection.state"),
)
POOL_MAX: Final = _declare(
    "db.client.connection.max",
    Kind.UP_DOWN_COUNTER,
    "{connection}",
    "Most connections that may be open at once.",
    attributes=("db.client.connection.pool.name",),
)
POOL_PENDING: Final = _declare(
    "db.client.connection.pending_requests",
    Kind.UP_DOWN_COUNTER,
    "{request}",
    "Requests that wait for a connection.",
    attributes=("db.client.connection.pool.name",),
)
POOL_TIMEOUTS: Final = _declare(
    "db.client.connection.timeouts",
    Kind.COUNTER,
    "{timeout}",
    "Requests that waited in vain for a connection.",
    attributes=("db.client.connection.pool.name",),
)
POOL_CREATE_TIME: Final = _declare(
    "db.client.connection.create_time",
    Kind.HISTOGRAM,
    "s",
    "Time to open a connection.",
    attributes=("db.client.connection.pool.name",),
    buckets=_CONNECTION_BUCKETS,
)
POOL_WAIT_TIME: Final = _declare(
    "db.client.connection.wait_time",
    Kind.HISTOGRAM,
    "s",
    "Time to get a connection from the pool, with opening or testing it.",
    attributes=("db.client.connection.pool.name",),
    buckets=_CONNECTION_BUCKETS,
)
POOL_USE_TIME: Final = _declare(
    "db.client.connection.use_time",
    Kind.HISTOGRAM,
    "s",
    "Time between borrowing a connection and giving it back.",
    attributes=("db.client.connection.pool.name",),
    buckets=_CONNECTION_BUCKETS,
)

POOL_PEAK: Final = _declare(
    "tradingbot.pool.peak",
    Kind.GAUGE,
    "{connection}",
    "Most connections that were borrowed at once by this process.",
    attributes=("db.client.connection.pool.name",),
)
POOL_ERRORS: Final = _declare(
    "tradingbot.pool.errors",
    Kind.COUNTER,
    "{error}",
    "Connections that could not be opened, or that broke while they were used.",
    attributes=("db.client.connection.pool.name",),
)
POOL_CREATED: Final = _declare(
    "tradingbot.pool.created", Kind.COUNTER, "{connection}", "Connections opened.", attributes=("db.client.connection.pool.name",)
)
OPERATION_DURATION: Final = _declare(
    "db.client.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one operation of the database or of Redis.",
    attributes=("db.system.name", "db.operation.name"),
    buckets=_CONNECTION_BUCKETS,
)
HTTP_DURATION: Final = _declare(
    "http.client.request.duration",
    Kind.HISTOGRAM,
    "s",
    "Time of one HTTP request, with reading its answer; the status code is 0 when there was none.",
    attributes=("http.request.method", "http.response.status_code"),
    buckets=_CONNECTION_BUCKETS,
)

ENGINE: Final = tuple(_ALL)
"""What the engine exports."""

# --- Observer (prefix tradingbot.observer) ------------------------------------------------------------------------------------

OBSERVER_SCORE: Final = _declare(
    "tradingbot.observer.score", Kind.GAUGE, "{point}", "Health of the engine, 0 to 100; absent when the engine could not be measured."
)
OBSERVER_FINDINGS: Final = _declare(
    "tradingbot.observer.findings",
    Kind.UP_DOWN_COUNTER,
    "{finding}",
    "1 for what is wrong now, 0 for everything else that could be.",
    attributes=("reason", "severity"),
)
OBSERVER_SAMPLES: Final = _declare("tradingbot.observer.samples", Kind.COUNTER, "{sample}", "Samples taken by this observer.")
OBSERVER_PROBES: Final = _declare(
    "tradingbot.observer.probes",
    Kind.COUNTER,
    "{probe}",
    "Times that the engine was asked for its status; result is answered, refused (no connection), timeout or malformed.",
    attributes=("result",),
)
OBSERVER_RESPONSE_P95: Final = _declare(
    "tradingbot.observer.response.p95", Kind.GAUGE, "s", "95th percentile of the engine's last 1000 response times."
)
OBSERVER_ANSWER_AGE: Final = _declare(
    "tradingbot.observer.answer.age", Kind.GAUGE, "s", "Time since the engine last answered; absent until it has."
)
OBSERVER_CONFIG_GENERATION: Final = _declare(
    "tradingbot.observer.config.generation", Kind.GAUGE, "{generation}", "Generation of the document that the observer goes by."
)
OBSERVER_ENGINE_UP: Final = _declare(
    "tradingbot.observer.engine.up", Kind.GAUGE, "{state}", "1 when the engine answered when it was last asked, else 0."
)
OBSERVER_ENGINE_RESTARTS: Final = _declare(
    "tradingbot.observer.engine.restarts",
    Kind.COUNTER,
    "{restart}",
    "New engine processes that this observer saw in place of an earlier one.",
)
OBSERVER_ENGINE_MEMORY: Final = _declare(
    "tradingbot.observer.engine.memory",
    Kind.UP_DOWN_COUNTER,
    "By",
    "Memory of the engine that the kernel can't take back, seen from outside: its resident set size without pages of files.",
)
OBSERVER_ENGINE_MEMORY_UTILIZATION: Final = _declare(
    "tradingbot.observer.engine.memory.utilization", Kind.GAUGE, "1", "That memory as a share of the memory limit."
)
OBSERVER_ENGINE_CPU_UTILIZATION: Final = _declare(
    "tradingbot.observer.engine.cpu.utilization", Kind.GAUGE, "1", "CPU time of the engine as a share of one core, mean of the last sample."
)
OBSERVER_ENGINE_THREADS: Final = _declare("tradingbot.observer.engine.threads", Kind.UP_DOWN_COUNTER, "{thread}", "Threads of the engine.")
OBSERVER_ENGINE_ERROR_RATIO: Final = _declare(
    "tradingbot.observer.engine.error.ratio", Kind.GAUGE, "1", "Failed operations as a share of all, mean of the last sample."
)
OBSERVER_ENGINE_CACHE_HIT_RATIO: Final = _declare(
    "tradingbot.observer.engine.cache.hit.ratio", Kind.GAUGE, "1", "Hits as a share of all look-ups in caches, mean of the last sample."
)

OBSERVER_INFO: Final = _declare(
    "tradingbot.observer.info",
    Kind.GAUGE,
    "{info}",
    "1; its labels say whose engine this observer watches. Absent until it has read a document.",
    attributes=("k8s.namespace.name", "tradingbot.bot", "tradingbot.shard", "k8s.pod.uid"),
)
OBSERVER_TIME: Final = _declare(
    "tradingbot.observer.time", Kind.GAUGE, "s", "When the observer looked, seconds since the epoch: all else on the page is of that time."
)
OBSERVER_START_TIME: Final = _declare(
    "tradingbot.observer.start.time", Kind.GAUGE, "s", "When the observer started, seconds since the epoch."
)
OBSERVER_INTERVAL: Final = _declare("tradingbot.observer.interval", Kind.GAUGE, "s", "Time between two samples.")
OBSERVER_FINDING_SINCE: Final = _declare(
    "tradingbot.observer.finding.since",
    Kind.GAUGE,
    "s",
    "Since when it is wrong without a break, seconds since the epoch; absent for what isn't wrong now.",
    attributes=("reason", "severity"),
)
OBSERVER_SAMPLE_TIME: Final = _declare(
    "tradingbot.observer.sample.time", Kind.GAUGE, "s", "When the newest sample was taken, seconds since the epoch."
)
OBSERVER_ENGINE_PID: Final = _declare(
    "tradingbot.observer.engine.pid", Kind.GAUGE, "{process}", "Number of the engine's process; absent while there is none."
)
OBSERVER_ENGINE_ANSWER_TIME: Final = _declare(
    "tradingbot.observer.engine.answer.time",
    Kind.GAUGE,
    "s",
    "When the engine last answered, seconds since the epoch; absent until it has.",
)
OBSERVER_ENGINE_MEMORY_LIMIT: Final = _declare(
    "tradingbot.observer.engine.memory.limit",
    Kind.UP_DOWN_COUNTER,
    "By",
    "Memory limit of the engine's container; absent when there is none.",
)

# --- Observer: what the engine said when it last answered -----------------------------------------------------------------------
# From the observer, also when Prometheus reads the engine: with the facts beside them they are one account, of one moment.

OBSERVER_ENGINE_STATE: Final = _declare(
    "tradingbot.observer.engine.state",
    Kind.GAUGE,
    "{state}",
    "1 for the state that the engine said it is in, 0 for the others; absent, as all that it said, until it has answered.",
    attributes=("state",),
)
OBSERVER_ENGINE_INFO: Final = _declare(
    "tradingbot.observer.engine.info",
    Kind.GAUGE,
    "{info}",
    "1; its labels are what the engine does now, the mode in which it judges news, and the currency of its account.",
    attributes=("activity", "memory.mode", "currency"),
)
OBSERVER_ENGINE_REVISION: Final = _declare(
    "tradingbot.observer.engine.revision",
    Kind.GAUGE,
    "{info}",
    "1; its label is the revision of the document that the engine's process started with. Absent before it has read one.",
    attributes=("revision",),
)
OBSERVER_ENGINE_CONFIG_GENERATION: Final = _declare(
    "tradingbot.observer.engine.config.generation", Kind.GAUGE, "{generation}", "Generation of the document that the engine runs."
)
OBSERVER_ENGINE_CONFIG_REFUSED: Final = _declare(
    "tradingbot.observer.engine.config.refused", Kind.GAUGE, "{state}", "1 when the engine refuses the document that is there now, else 0."
)
OBSERVER_ENGINE_CONFIG_REFUSED_GENERATION: Final = _declare(
    "tradingbot.observer.engine.config.refused.generation",
    Kind.GAUGE,
    "{generation}",
    "Generation of the document that it refuses; absent when it refuses none, or can't read it.",
)
OBSERVER_ENGINE_DEPENDENCY_UP: Final = _declare(
    "tradingbot.observer.engine.dependency.up",
    Kind.GAUGE,
    "{state}",
    "1 when it last reached what it depends on, else 0; absent until it has tried.",
    attributes=("dependency",),
)
OBSERVER_ENGINE_DEPENDENCY_SINCE: Final = _declare(
    "tradingbot.observer.engine.dependency.since",
    Kind.GAUGE,
    "s",
    "Since when that is so, seconds since the epoch.",
    attributes=("dependency",),
)
OBSERVER_ENGINE_GRANT: Final = _declare(
    "tradingbot.observer.engine.grant",
    Kind.GAUGE,
    "{grant}",
    "Number of the operator's last decision on its symbols that it has carried out; absent when it doesn't say.",
)
OBSERVER_ENGINE_START_TIME: Final = _declare(
    "tradingbot.observer.engine.start.time", Kind.GAUGE, "s", "When the engine's process started, seconds since the epoch."
)
OBSERVER_ENGINE_HEARTBEAT_TIME: Final = _declare(
    "tradingbot.observer.engine.heartbeat.time", Kind.GAUGE, "s", "When its main loop last turned, seconds since the epoch."
)
OBSERVER_ENGINE_BARS: Final = _declare(
    "tradingbot.observer.engine.bars", Kind.GAUGE, "{bar}", "Bars that the bot has processed in its life."
)
OBSERVER_ENGINE_BARS_THIS_RUN: Final = _declare(
    "tradingbot.observer.engine.bars.this.run", Kind.GAUGE, "{bar}", "Bars that the engine's process has processed."
)
OBSERVER_ENGINE_LAST_BAR_TIME: Final = _declare(
    "tradingbot.observer.engine.last.bar.time",
    Kind.GAUGE,
    "s",
    "When it processed the last bar, seconds since the epoch; absent when there was none.",
)
OBSERVER_ENGINE_FEED_DUE: Final = _declare(
    "tradingbot.observer.engine.feed.due", Kind.GAUGE, "{state}", "1 when a bar is expected, else 0."
)
OBSERVER_ENGINE_FILLS: Final = _declare("tradingbot.observer.engine.fills", Kind.GAUGE, "{fill}", "Fills in the life of the bot.")
OBSERVER_ENGINE_EQUITY: Final = _declare(
    "tradingbot.observer.engine.equity", Kind.GAUGE, "{currency}", "Cash and positions at the last price; absent before it trades."
)
OBSERVER_ENGINE_POSITIONS_OPEN: Final = _declare(
    "tradingbot.observer.engine.positions.open", Kind.UP_DOWN_COUNTER, "{position}", "Symbols with a position."
)
OBSERVER_ENGINE_ORDERS_OPEN: Final = _declare(
    "tradingbot.observer.engine.orders.open", Kind.UP_DOWN_COUNTER, "{order}", "Orders that wait for their fill."
)
OBSERVER_ENGINE_ORDERS_UNKNOWN: Final = _declare(
    "tradingbot.observer.engine.orders.unknown", Kind.UP_DOWN_COUNTER, "{order}", "Orders of which nobody knows what became of them."
)
OBSERVER_ENGINE_SYMBOLS: Final = _declare(
    "tradingbot.observer.engine.symbols",
    Kind.UP_DOWN_COUNTER,
    "{symbol}",
    "How many symbols it may trade (held), or has a position or an order in (busy); absent when it doesn't know.",
    attributes=("use",),
)
OBSERVER_ENGINE_SYMBOL: Final = _declare(
    "tradingbot.observer.engine.symbol",
    Kind.GAUGE,
    "{state}",
    "1 for each of these symbols, 64 at most; the number above tells whether these are all.",
    attributes=("use", "symbol"),
)
OBSERVER_ENGINE_MEMORY_MODE_LOWERED: Final = _declare(
    "tradingbot.observer.engine.memory.mode.lowered",
    Kind.GAUGE,
    "{state}",
    "1 when it judges news with less than the spec asks for, else 0.",
)

INSTRUMENTS: Final = tuple(_ALL)
"""All metrics, in the order of their declaration."""
OBSERVER: Final = INSTRUMENTS[len(ENGINE) :]
"""What the observer exports."""


_SUFFIX_BY_UNIT: Final = {"s": "seconds", "By": "bytes", "1": "", "%": "percent"}
_ANNOTATION: Final = re.compile(r"\{.*\}")
_NO_NAME: Final = re.compile(r"[^a-zA-Z0-9:]+")
_NO_LABEL: Final = re.compile(r"[^a-zA-Z0-9]+")


def prometheus_name(instrument: Instrument) -> str:
    """Return the name of the metric on ``/metrics``, for a histogram without ``_bucket``, ``_count`` and ``_sum``.

    Dots become underscores, the unit is appended unless the name ends with it, a counter ends with ``_total``; a unit in
    braces and ``1`` leave no trace.
    """
    name = _NO_NAME.sub("_", instrument.name)
    suffix = _SUFFIX_BY_UNIT[_ANNOTATION.sub("", instrument.unit) or "1"]
    if suffix and not name.endswith(f"_{suffix}"):
        name = f"{name}_{suffix}"
    return f"{name}_total" if instrument.kind is Kind.COUNTER else name


def prometheus_label(attribute: str) -> str:
    """Return the label that an attribute becomes on ``/metrics``."""
    return _NO_LABEL.sub("_", attribute)
