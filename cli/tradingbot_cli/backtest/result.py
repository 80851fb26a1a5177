"""What a backtest came to, as people and programs get it: the bot's figures, beside those of holding its symbols."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tradingbot_cli.backtest.play import Played
from tradingbot_contract.document import EngineDocument
from tradingbot_engine.statistics.curve import CurvePoint
from tradingbot_engine.statistics.round_trips import RoundTrip, Trade, match_round_trips
from tradingbot_engine.statistics.summary import Statistics, summarise

_MILLISECONDS = 1000
_POINTS_TOLD = 500


class ToldPoint(Struct, frozen=True, rename="camel"):
    """Equity at one time, in seconds since the epoch."""

    time: float
    equity: float
    hold: float


class Backtest(Struct, frozen=True, rename="camel", kw_only=True):
    """One bot over its prices. Money is in `currency`; what isn't defined is null."""

    bot: str
    strategy: str
    symbols: tuple[str, ...]
    timeframe: str
    currency: str
    bars: int
    seconds: float
    """What playing it took."""
    orders: int
    rejected_orders: int
    fills: int
    open_positions: dict[str, float]
    statistics: Statistics
    hold: Statistics
    """Of the same cash in equal parts in the symbols, bought at the first opening prices and held."""
    equity: tuple[ToldPoint, ...]
    """At most 500 points of the curve."""
    halted_by: str
    """Why the strategy was not asked any more; empty if it was."""
    notes: tuple[str, ...]


class Curves(Struct, frozen=True, kw_only=True):
    """All points, for plots and reports."""

    bot: list[CurvePoint]
    hold: list[CurvePoint]
    trades: tuple[Trade, ...]
    trips: tuple[RoundTrip, ...]


def build_curves(played: Played, held: Sequence[CurvePoint]) -> Curves:
    """Return the curves: both begin with the cash, at the first bar's time."""
    times = [time / _MILLISECONDS for time in played.times_ms]
    bot = [CurvePoint(time, equity) for time, equity in zip(times, played.equity, strict=True)]
    begin = CurvePoint(times[0], played.initial_equity)
    return Curves(bot=[begin, *bot], hold=[begin, *held], trades=played.trades, trips=match_round_trips(played.trades).closed)


def build_backtest(document: EngineDocument, played: Played, curves: Curves) -> Backtest:
    """Return the result."""
    return Backtest(
        bot=document.bot.name,
        strategy=document.strategy.name,
        symbols=tuple(document.market.symbols),
        timeframe=document.market.timeframe,
        currency=played.currency,
        bars=played.totals.bars,
        seconds=round(played.seconds, 3),
        orders=played.totals.orders,
        rejected_orders=played.totals.rejected_orders,
        fills=played.totals.fills,
        open_positions=played.open_positions,
        statistics=summarise(curves.bot, curves.trades, max_drawdown=played.max_drawdown),
        hold=summarise(curves.hold, ()),
        equity=tuple(_tell(curves)),
        halted_by=played.halted_by,
        notes=played.notes,
    )


def _tell(curves: Curves) -> list[ToldPoint]:
    stride = -(-len(curves.bot) // _POINTS_TOLD)
    places = sorted({*range(0, len(curves.bot), stride), len(curves.bot) - 1})
    return [ToldPoint(curves.bot[at].time, curves.bot[at].equity, curves.hold[at].equity) for at in places]
