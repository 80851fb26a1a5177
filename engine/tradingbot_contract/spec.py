"""The sections of a TradingBot's spec that reach the pod: one typed model each, with the text that users read.

These classes are the only declaration of their fields. The operator composes them into the CRD and generates schema,
documentation and ``kubectl explain`` from them; the engine and the observer decode the same classes from the document they are
given. Bounds stand beside the field, so that the API server, the command line and the engine refuse the same things.

Rules that span fields are CEL expressions in ``__rules__`` of the class they belong to, for the API server; ``__post_init__``
of the same class holds the same condition for every other reader (an end-to-end test holds both against one table of bad specs).
"""

from __future__ import annotations

import enum
from typing import Annotated, Any

from msgspec import Meta, field

from tradingbot_contract.section import Money, ObjectName, Percent, Rule, Section, Symbol, WebAddress


class StrategyKey(Section, frozen=True):
    """A module of Python in a ConfigMap of the bot's namespace."""

    name: Annotated[ObjectName, Meta(description="Name of the ConfigMap.")]
    key: Annotated[
        str,
        Meta(
            description="Key in the ConfigMap that holds the module: its name with .py, for example mean_reversion.py.",
            min_length=4,
            max_length=128,
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.py\Z",
        ),
    ]

    @property
    def module(self) -> str:
        return self.key.removesuffix(".py")


class StrategySource(Section, frozen=True):
    """Where the code of a strategy is."""

    config_map: Annotated[
        StrategyKey,
        Meta(
            description=(
                "It is mounted to be read only, and read when the engine starts: after a change of the code give the annotation "
                "tradingbot.dev/restart another value. While there is no such ConfigMap or key, the engine says so and waits for it."
            )
        ),
    ]


class Strategy(Section, frozen=True):
    """What decides when to trade."""

    __rules__ = (
        Rule(
            "!has(self.source) || !self.name.contains(':') || self.name.startsWith(self.source.configMap.key.replace('.py', ':'))",
            "name must begin with the module of source.configMap.key: for mean_reversion.py it is mean_reversion:Class",
        ),
    )

    name: Annotated[
        str,
        Meta(
            description=(
                "A built-in strategy (`donchian-breakout`, `ema-cross`, `rsi-reversion`, `sentiment`), or `module:Class` of a strategy "
                "that the engine image, or `source`, contains."
            ),
            min_length=1,
            max_length=253,
            pattern=r"^([a-z][a-z0-9-]*|[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*)\Z",
        ),
    ]
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description=(
                "The strategy's own parameters by name; which there are, the strategy says, also where one is unknown. All built-in "
                "ones take `orderNotional` (10000, in quote currency). `ema-cross`: `fastPeriod` (10), `slowPeriod` (30). `rsi-reversion`: "
                "`period` (14), `oversold` (30), `overbought` (70). `donchian-breakout`: `entryPeriod` (20), `exitPeriod` (10), `atrStop` "
                "(not set), `atrPeriod` (14). `sentiment`: `windowHours` (168), `halfLifeHours` (24), `entryThreshold` (0.3), "
                "`exitThreshold` (0), `minimumNews` (1)."
            ),
            extra_json_schema={"x-kubernetes-preserve-unknown-fields": True, "maxProperties": 64},
        ),
    ] = field(default_factory=dict)
    source: Annotated[
        StrategySource | None, Meta(description="Where the code of a `module:Class` is. Not set: in the engine image, on PYTHONPATH.")
    ] = None

    @property
    def own_module(self) -> StrategyKey | None:
        """The module that is not in the engine's image; None if all that is needed is."""
        return self.source.config_map if self.source is not None and ":" in self.name else None

    def __post_init__(self) -> None:
        if self.own_module is not None and not self.name.startswith(f"{self.own_module.module}:"):
            raise ValueError(self.__rules__[0].message)


class FeedType(enum.Enum):
    REPLAY = "replay"


class Replay(Section, frozen=True):
    """Prices from a file, in the order in which they happened."""

    data: Annotated[
        str,
        Meta(
            description=(
                "`wiki-daily`: AAPL, GOOG, IBM and MSFT, daily, 2000 to 2013, which ships with the engine; or the absolute path of a "
                "CSV file (columns timestamp, symbol, open, high, low, close, volume; may be gzipped) in the engine's container."
            ),
            min_length=1,
            max_length=512,
            pattern=r"^([a-z][a-z0-9-]*|/.*)\Z",
        ),
    ] = "wiki-daily"
    speed: Annotated[
        float,
        Meta(
            description="Steps of the feed per second; a step brings one bar of each symbol. 0 is as fast as the engine can.",
            ge=0,
            le=1_000_000,
        ),
    ] = 10.0
    loop: Annotated[
        bool,
        Meta(
            description=(
                "Start again when the prices end: positions are closed at the last price and the strategy begins anew. Otherwise the bot "
                "stays up, idle, with its last equity."
            )
        ),
    ] = False


class Feed(Section, frozen=True):
    """Where prices come from."""

    type: Annotated[FeedType, Meta(description="`replay`: prices from a file.")] = FeedType.REPLAY
    replay: Annotated[Replay, Meta(description="Settings of the replay.")] = field(default_factory=Replay)


class NewsType(enum.Enum):
    FILE = "file"
    HTTP = "http"


class NewsFile(Section, frozen=True):
    """News from a file, each at the time of the market at which it was published."""

    data: Annotated[
        str,
        Meta(
            description=(
                "`made-up-headlines`: about AAPL, GOOG, IBM and MSFT, 2000 to 2013, which ships with the engine to try things out; or the "
                "absolute path, in the engine's container, of a CSV file (columns id, timestamp, symbols, source, text) or of JSON lines "
                "with the same names; may be gzipped."
            ),
            min_length=1,
            max_length=512,
            pattern=r"^([a-z][a-z0-9-]*|/.*)\Z",
        ),
    ]


class NewsHttp(Section, frozen=True):
    """News from an HTTP endpoint that is asked again and again."""

    url: Annotated[WebAddress, Meta(description="Address that answers with a JSON list of news: id, timestamp, symbols, source, text.")]
    poll_seconds: Annotated[float, Meta(description="Seconds between two requests.", ge=1, le=86_400)] = 60.0


class News(Section, frozen=True):
    """Where news comes from, for strategies that read it."""

    __rules__ = (
        Rule("self.type != 'file' || has(self.file)", "news.type is file, so news.file.data must name the file"),
        Rule("self.type != 'http' || has(self.http)", "news.type is http, so news.http.url must name the address"),
    )

    type: Annotated[
        NewsType,
        Meta(
            description=(
                "`file`: from a file, by the time of the market. `http`: from an address; told as soon as it is judged and the market has "
                "reached its time."
            )
        ),
    ]
    file: Annotated[NewsFile | None, Meta(description="Settings of a file of news.")] = None
    http: Annotated[NewsHttp | None, Meta(description="Settings of an address of news.")] = None

    def __post_init__(self) -> None:
        if self.type is NewsType.FILE and self.file is None:
            raise ValueError(self.__rules__[0].message)
        if self.type is NewsType.HTTP and self.http is None:
            raise ValueError(self.__rules__[1].message)


class Market(Section, frozen=True):
    """What is traded, and on which prices."""

    symbols: Annotated[
        list[Symbol],
        Meta(
            description="Symbols to trade, for example AAPL or BTC/USDT.",
            min_length=1,
            max_length=64,
            extra_json_schema={"x-kubernetes-list-type": "set"},
        ),
    ]
    timeframe: Annotated[
        str,
        Meta(
            description="Length of a bar: a number and m, h, d or w. The feed's data must have it.",
            min_length=2,
            max_length=5,
            pattern=r"^[1-9][0-9]{0,3}[mhdw]\Z",
        ),
    ] = "1d"
    warmup_bars: Annotated[
        int,
        Meta(description="Bars of each symbol that the strategy only watches before its first order.", ge=0, le=100_000),
    ] = 0
    feed: Annotated[Feed, Meta(description="Where prices come from.")] = field(default_factory=Feed)
    news: Annotated[News | None, Meta(description="Where news comes from. Not set: there is none.")] = None

    def __post_init__(self) -> None:
        # The API server holds this by the list's type.
        twice = sorted({symbol for symbol in self.symbols if self.symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"symbols names {', '.join(twice)} more than once")


class BrokerType(enum.Enum):
    PAPER = "paper"


class Paper(Section, frozen=True):
    """A broker that fills orders against the feed's prices, with fees and slippage, and moves no money."""

    # A schema has no bounds for the keys of a map.
    __rules__ = (
        Rule(
            "self.balances.all(currency, size(currency) >= 1 && size(currency) <= 16)",
            "balances must be named by currencies of 1 to 16 characters, for example USD",
        ),
    )

    balances: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=16)], Annotated[float, Meta(ge=0, le=1e15)]],
        Meta(
            description="Money at the start, by currency. A symbol such as BTC/USDT is paid in USDT, one without a slash in USD.",
            min_length=1,
            max_length=16,
        ),
    ] = field(default_factory=lambda: {"USD": 100_000.0})
    fee_basis_points: Annotated[float, Meta(description="Fee of a fill, in hundredths of a percent of its value.", ge=0, le=1000)] = 10.0
    slippage_basis_points: Annotated[
        float,
        Meta(description="How much worse than the price a market order fills, in hundredths of a percent.", ge=0, le=1000),
    ] = 5.0


class Broker(Section, frozen=True):
    """Who fills the orders."""

    __rules__ = (
        Rule("self.type == oldSelf.type", "broker.type is immutable: delete the bot and create it anew"),
        Rule(
            "has(self.account) == has(oldSelf.account) && (!has(self.account) || self.account == oldSelf.account)",
            "broker.account is immutable, because engines may still trade for it: delete the bot and create it anew",
        ),
    )

    type: Annotated[BrokerType, Meta(description="`paper`: simulated fills, no money moves.")] = BrokerType.PAPER
    account: Annotated[
        Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?\Z")] | None,
        Meta(
            description=(
                "Name of the account that is traded. Two bots, of any namespaces, that name the same account can't trade the same symbol: "
                "the second one gets Accepted=False with reason AccountConflict, and no pod. Not set: the account is the bot's own."
            )
        ),
    ] = None
    paper: Annotated[Paper, Meta(description="Settings of the paper broker.")] = field(default_factory=Paper)


class OnBreach(enum.Enum):
    """What the engine does while a limit of losses is passed; the first two are FIX's and Nautilus' trading states."""

    HALT = "Halt"
    REDUCE = "Reduce"
    FLATTEN = "Flatten"


class Risk(Section, frozen=True):
    """What a purchase must not exceed; one that would is recorded as rejected, with the limit. Only `onBreach` Halt holds sales back."""

    max_order_notional: Annotated[
        Money | None, Meta(description="Largest value of one purchase, in quote currency. A sale is never held back. Not set: no limit.")
    ] = None
    max_position_notional: Annotated[
        Money | None, Meta(description="Largest value of one symbol's position, in quote currency. Not set: no limit.")
    ] = None
    max_drawdown_percent: Annotated[
        Annotated[float, Meta(gt=0, le=100)] | None,
        Meta(description="Loss from the highest equity, in percent, from which on `onBreach` counts. Not set: no limit."),
    ] = None
    max_daily_loss_percent: Annotated[
        Annotated[float, Meta(gt=0, le=100)] | None,
        Meta(
            description=(
                "Loss of a day, in percent of the equity that it began with, from which on `onBreach` counts, until the day ends. Days are "
                "of the market's time, UTC; one begins with the last equity of the day before. Set during a day, it counts from then on. "
                "Not set: no limit."
            )
        ),
    ] = None
    max_open_orders: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        Meta(description="Most orders that may wait for their fill at once when another purchase is sent. Not set: no limit."),
    ] = None
    max_orders_per_minute: Annotated[
        Annotated[int, Meta(ge=1, le=100_000)] | None,
        Meta(
            description=(
                "Most orders that may have been sent in a minute when another purchase is sent; sales count, too. Minutes are those of the "
                "market's time, whatever the speed of a replay: all orders of one daily bar are in one minute. Not set: no limit."
            )
        ),
    ] = None
    on_breach: Annotated[
        OnBreach,
        Meta(
            description=(
                "What happens while `maxDrawdownPercent` or `maxDailyLossPercent` is passed. `Reduce`: only sales are sent. `Halt`: no "
                "order is sent, and positions stay. `Flatten`: waiting purchases are cancelled, every position is sold, and nothing is "
                "bought."
            )
        ),
    ] = OnBreach.REDUCE


class Limits(Section, frozen=True):
    """Two limits of one measure: above `elevated` the score falls a little, above `high` much."""

    __rules__ = (Rule("self.elevated < self.high", "elevated must be below high"),)

    elevated: Annotated[float, Meta(description="Above it the score falls a little.", ge=0, le=1e6)]
    high: Annotated[float, Meta(description="Above it the score falls much.", ge=0, le=1e6)]

    def __post_init__(self) -> None:
        if not self.elevated < self.high:
            raise ValueError(self.__rules__[0].message)


class HitRatio(Section, frozen=True):
    """Limits of the cache's hit ratio, in percent."""

    __rules__ = (Rule("self.low < self.good", "low must be below good"),)

    low: Annotated[Percent, Meta(description="Below it there is an informational alert.")] = 70.0
    good: Annotated[Percent, Meta(description="Above it the score gains.")] = 80.0

    def __post_init__(self) -> None:
        if not self.low < self.good:
            raise ValueError(self.__rules__[0].message)


class ScoreLimits(Section, frozen=True):
    """Limits of the score, 0 to 100."""

    __rules__ = (Rule("self.critical < self.warning && self.warning < self.unhealthy", "must be in order: critical < warning < unhealthy"),)

    critical: Annotated[float, Meta(description="Below it the alert is critical.", ge=0, le=100)] = 50.0
    warning: Annotated[float, Meta(description="Below it there is a warning.", ge=0, le=100)] = 60.0
    unhealthy: Annotated[float, Meta(description="Below it the bot counts as unhealthy.", ge=0, le=100)] = 70.0

    def __post_init__(self) -> None:
        if not self.critical < self.warning < self.unhealthy:
            raise ValueError(self.__rules__[0].message)


class Window(Section, frozen=True):
    """How many samples of the observer make a finding, so that one bad sample is none, and one good one does not end it.

    A finding begins when `failing` of the last `samples` samples are beyond the limit. It ends when none of the last
    `samples` - `failing` + 1 is.
    """

    __rules__ = (Rule("self.failing <= self.samples", "failing must not be more than samples"),)

    samples: Annotated[int, Meta(description="Samples that are looked at: the last ones.", ge=1, le=60)] = 5
    failing: Annotated[
        int,
        Meta(
            description=(
                "Samples of these that must be beyond a limit before it is a finding. It is over when so many samples in a row are within "
                "the limit that it could not begin with those that are left: `samples` - `failing` + 1."
            ),
            ge=1,
            le=60,
        ),
    ] = 3

    def __post_init__(self) -> None:
        if self.failing > self.samples:
            raise ValueError(self.__rules__[0].message)


class Health(Section, frozen=True):
    """What counts as healthy. The score starts at 100 and each measure that passes a limit takes from it."""

    cpu_percent: Annotated[Limits, Meta(description="CPU time of the engine, in percent of one core: 60 and 80.")] = field(
        default_factory=lambda: Limits(elevated=60.0, high=80.0)
    )
    memory_percent: Annotated[Limits, Meta(description="Memory of the engine, in percent of its container's limit: 75 and 90.")] = field(
        default_factory=lambda: Limits(elevated=75.0, high=90.0)
    )
    memory_warning_percent: Annotated[Percent, Meta(description="Memory, in percent of the limit, above which there is a warning.")] = 85.0
    error_percent: Annotated[Limits, Meta(description="Failed operations, in percent of all: 1 and 5.")] = field(
        default_factory=lambda: Limits(elevated=1.0, high=5.0)
    )
    response_seconds: Annotated[
        Limits, Meta(description="95th percentile of the time in which the engine answers its observer, in seconds: 1 and 2.")
    ] = field(default_factory=lambda: Limits(elevated=1.0, high=2.0))
    cache_hit_percent: Annotated[HitRatio, Meta(description="Hit ratio of the caches, in percent.")] = field(default_factory=HitRatio)
    score: Annotated[ScoreLimits, Meta(description="Limits of the score itself.")] = field(default_factory=ScoreLimits)
    window: Annotated[
        Window,
        Meta(
            description=(
                "How many samples must be beyond a limit: of CPU, memory, errors, response time, hit ratio and score. What the observer "
                "sees or hears of the engine itself (gone, silent, stale, no database) counts at once."
            )
        ),
    ] = field(default_factory=Window)
    silent_after_seconds: Annotated[
        float,
        Meta(description="The engine counts as silent when it has not answered its observer for this long.", ge=2, le=3600),
    ] = 10.0
    stale_after_seconds: Annotated[
        float,
        Meta(description="The feed counts as stale when it is due and no bar was processed for this long.", ge=2, le=86_400),
    ] = 60.0


class Observability(Section, frozen=True):
    """How often the observer measures, and where else the engine's metrics go."""

    interval_seconds: Annotated[float, Meta(description="Seconds between two samples of the observer.", ge=1, le=300)] = 15.0
    otlp_endpoint: Annotated[
        WebAddress | None,
        Meta(
            description=(
                "Address of an OpenTelemetry collector (OTLP over HTTP, for example http://collector:4318) that the engine sends its "
                "metrics to, beside the page for Prometheus. Not set: nowhere."
            )
        ),
    ] = None
