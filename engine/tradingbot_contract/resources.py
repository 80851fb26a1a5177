"""The sections of a TradingBot's spec about what the engine uses: connections, caches, memory, models. All of it but models is live.

Like :mod:`tradingbot_contract.spec`, these classes are the only declaration of their fields.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final, NamedTuple

from msgspec import Meta, field

from tradingbot_contract.quantity import parse_bytes
from tradingbot_contract.section import Bytes, Rule, Section


class PoolPreset(enum.Enum):
    STANDARD = "standard"
    THROUGHPUT = "throughput"


class PoolSize(NamedTuple):
    """Connections that are kept open, and those beyond them under load."""

    size: int
    max_overflow: int


POOL_SIZES: Final = {PoolPreset.STANDARD: PoolSize(5, 2), PoolPreset.THROUGHPUT: PoolSize(10, 20)}


class Pool(Section, frozen=True):
    """The engine's pool of database connections (SQLAlchemy QueuePool)."""

    preset: Annotated[
        PoolPreset,
        Meta(description="Sizes for those who don't want to choose: `standard` is 5 and 2 more under load, `throughput` 10 and 20 more."),
    ] = PoolPreset.STANDARD
    size: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None, Meta(description="Connections that are kept open. Not set: what the preset says.")
    ] = None
    max_overflow: Annotated[
        Annotated[int, Meta(ge=0, le=100)] | None,
        Meta(description="Connections beyond `size` under load; closed when idle. Not set: what the preset says."),
    ] = None
    timeout_seconds: Annotated[
        float, Meta(description="How long to wait for a free connection before the operation fails.", gt=0, le=300)
    ] = 30.0
    recycle_seconds: Annotated[int, Meta(description="Age at which a connection is replaced.", ge=1, le=86_400)] = 3600
    pre_ping: Annotated[bool, Meta(description="Test a connection each time it is taken from the pool.")] = True

    @property
    def sizes(self) -> PoolSize:
        """What the preset says, where nothing else is said."""
        preset = POOL_SIZES[self.preset]
        return PoolSize(
            preset.size if self.size is None else self.size, preset.max_overflow if self.max_overflow is None else self.max_overflow
        )

    @property
    def max_connections(self) -> int:
        return sum(self.sizes)


class Retry(Section, frozen=True):
    """What happens to a database operation whose connection broke: it is tried again with a new one. Nothing else is tried again."""

    attempts: Annotated[int, Meta(description="Times that an operation is tried in all.", ge=1, le=10)] = 3
    delay_seconds: Annotated[float, Meta(description="Pause before the next try.", ge=0, le=60)] = 3.0


class Retention(Section, frozen=True):
    """How much of the past the database keeps, so that a bot that runs for years does not fill its volume."""

    orders: Annotated[
        int,
        Meta(
            description="Orders, with their fills. What is open, and what the replay's present lap has done, is always kept.",
            ge=1000,
            le=10_000_000,
        ),
    ] = 100_000
    equity_points: Annotated[int, Meta(description="Points of the equity curve.", ge=100, le=10_000_000)] = 10_000
    predictions: Annotated[int, Meta(description="Judgements of news.", ge=100, le=10_000_000)] = 100_000


class RedisPool(Section, frozen=True):
    """The engine's pool of connections to Redis."""

    max_connections: Annotated[int, Meta(description="Most connections at once; who needs one more waits.", ge=1, le=1000)] = 20
    retry_on_timeout: Annotated[bool, Meta(description="Try a command again, once, that was not answered in time.")] = True
    health_check_interval_seconds: Annotated[
        float, Meta(description="Age of silence after which a connection is tested before it is used.", ge=1, le=3600)
    ] = 30.0
    connect_timeout_seconds: Annotated[float, Meta(description="How long to wait for a connection.", gt=0, le=60)] = 5.0
    socket_timeout_seconds: Annotated[float, Meta(description="How long to wait for an answer.", gt=0, le=300)] = 30.0


class Http(Section, frozen=True):
    """The one session through which the engine speaks HTTP: to news, to hubs of models, to venues."""

    limit: Annotated[int, Meta(description="Most connections at once.", ge=1, le=10_000)] = 100
    limit_per_host: Annotated[int, Meta(description="Most connections at once to one host.", ge=1, le=10_000)] = 20
    dns_ttl_seconds: Annotated[int, Meta(description="How long an answer of the DNS is used.", ge=1, le=86_400)] = 300
    keepalive_seconds: Annotated[float, Meta(description="How long an idle connection is kept.", ge=1, le=3600)] = 30.0


class Pressure(Section, frozen=True):
    """When the caches give memory back, and when they may grow again."""

    __rules__ = (Rule("self.growBelowPercent < self.shrinkAbovePercent", "growBelowPercent must be below shrinkAbovePercent"),)

    shrink_above_percent: Annotated[
        float, Meta(description="Memory, in percent of the container's limit, above which the caches shrink.", ge=10, le=99)
    ] = 85.0
    shrink_factor: Annotated[float, Meta(description="What their limits are multiplied by then.", ge=0.1, le=0.95)] = 0.7
    grow_below_percent: Annotated[
        float, Meta(description="Memory, in percent of the limit, below which the caches grow again.", ge=1, le=98)
    ] = 60.0
    grow_factor: Annotated[
        float, Meta(description="What their limits are multiplied by then, up to what the spec says.", ge=1.05, le=10)
    ] = 1.2

    def __post_init__(self) -> None:
        if not self.grow_below_percent < self.shrink_above_percent:
            raise ValueError(self.__rules__[0].message)


_Entries = Annotated[int, Meta(ge=1, le=1_000_000)]
_Age = Annotated[float, Meta(gt=0, le=604_800)]


class PredictionsCache(Section, frozen=True):
    """The cache of judged news, where it differs from the others."""

    max_entries: Annotated[_Entries | None, Meta(description="Entries kept. Not set: `cache.maxEntries`.")] = None
    ttl_seconds: Annotated[_Age, Meta(description="Age at which a text is judged anew.")] = 1800.0


class ViewsCache(Section, frozen=True):
    """The cache of figures for people, where it differs from the others."""

    max_entries: Annotated[_Entries | None, Meta(description="Entries kept. Not set: `cache.maxEntries`.")] = None
    ttl_seconds: Annotated[_Age, Meta(description="Age at which a view is computed anew; a view of older data is never shown.")] = 300.0


class Cache(Section, frozen=True):
    """The engine's caches: of judged news (`predictions`) and of figures for people (`views`)."""

    max_entries: Annotated[int, Meta(description="Entries that each cache keeps.", ge=1, le=1_000_000)] = 1000
    memory_limit: Annotated[Bytes, Meta(description="Memory that all caches may take together.")] = "100Mi"
    cleanup_interval_seconds: Annotated[
        float, Meta(description="Seconds between two rounds that remove what is too old; sooner when memory is short.", ge=1, le=86_400)
    ] = 300.0
    pressure: Annotated[Pressure, Meta(description="When the caches give memory back, and when they may grow again.")] = field(
        default_factory=Pressure
    )
    predictions: Annotated[PredictionsCache, Meta(description="The cache of judged news.")] = field(default_factory=PredictionsCache)
    views: Annotated[ViewsCache, Meta(description="The cache of figures for people.")] = field(default_factory=ViewsCache)

    @property
    def memory_limit_bytes(self) -> int:
        return parse_bytes(self.memory_limit)


class MemoryMode(enum.Enum):
    """How much memory the judging of news may take, from most to least."""

    AUTO = "Auto"
    FULL = "Full"
    FINBERT_ONLY = "FinBERTOnly"
    MINIMAL = "Minimal"


class Model(Section, frozen=True):
    """A model in a folder as Hugging Face lays it out: tokenizer.json, config.json and the weights as ONNX."""

    source: Annotated[
        str,
        Meta(
            description=(
                "Absolute path of the folder in the engine's container, or the id of a model (owner/name) on a hub, from where it is "
                "fetched once into the bot's volume."
            ),
            min_length=2,
            max_length=512,
            pattern=r"^(/.*|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*)\Z",
        ),
    ]
    file: Annotated[
        Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*\.onnx\Z")] | None,
        Meta(description="The file of weights in the folder. Not set: one of eight-bit weights if there is one, else model.onnx."),
    ] = None


class Prediction(Section, frozen=True):
    """What judges the sentiment of news: models, or a lexicon where there are none."""

    finbert: Annotated[Model | None, Meta(description="Model for financial news (FinBERT). Not set: a lexicon judges it.")] = None
    social: Annotated[Model | None, Meta(description="Model for social text, in mode Full. Not set: what judges news judges it, too.")] = (
        None
    )
    batch_size: Annotated[int, Meta(description="Most texts that a model judges at once.", ge=1, le=256)] = 16
    max_tokens: Annotated[int, Meta(description="Tokens of a text that are read; what is longer is cut.", ge=8, le=512)] = 128
    threads: Annotated[int, Meta(description="Threads that a model may use.", ge=1, le=16)] = 1
