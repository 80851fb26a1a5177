"""What the engines of one bot say of their books, put together: a bot of several shards has one account here, as its owner sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct

from tradingbot_contract.books import EquityPage, FillRow, FillsPage, OrderRow, OrdersPage
from tradingbot_engine.statistics.curve import CurvePoint, lap_offsets
from tradingbot_engine.statistics.round_trips import Trade


class ShardBooks(Struct, frozen=True, kw_only=True):
    """The pages of one engine."""

    pod: str
    orders: OrdersPage
    fills: FillsPage
    equity: EquityPage
    """For plots: extremes."""
    even: EquityPage
    """For statistics: points at even distances."""
    max_drawdown: float | None
    """Of every step, 0 to 1; None: not known."""


def merge_orders(pages: Iterable[OrdersPage]) -> list[OrderRow]:
    """Return the orders of all shards, the newest first."""
    return sorted(
        chain.from_iterable(page.orders for page in pages), key=lambda order: (order.lap, order.time, order.sequence), reverse=True
    )


def merge_fills(pages: Iterable[FillsPage]) -> list[FillRow]:
    """Return the executions of all shards, in the order in which they happened."""
    return sorted(chain.from_iterable(page.fills for page in pages), key=lambda fill: (fill.lap, fill.time, fill.sequence))


def merge_equity(pages: Sequence[EquityPage]) -> list[CurvePoint]:
    """Return one curve: laps one after the other, and at each time the sum of what each shard had last.

    A shard that has no point yet has what it began with.
    """
    curves = [_continuous(page) for page in pages]
    if len(curves) == 1:
        return curves[0]
    latest = [page.initial_equity for page in pages]
    steps = sorted((point.time, shard, point.equity) for shard, curve in enumerate(curves) for point in curve)
    merged: list[CurvePoint] = []
    for time, shard, equity in steps:
        latest[shard] = equity
        point = CurvePoint(time, sum(latest))
        if merged and merged[-1].time == time:
            merged[-1] = point
        else:
            merged.append(point)
    return merged


def trades_of(fills: Iterable[FillRow], pages: Sequence[EquityPage]) -> list[Trade]:
    """Return executions for statistics, in the time of :func:`merge_equity`."""
    offsets = lap_offsets([(point.lap, point.time) for point in pages[0].points]) if pages else {}
    return [Trade(fill.symbol, fill.side, fill.amount, fill.price, fill.fee, fill.time + offsets.get(fill.lap, 0.0)) for fill in fills]


def count_laps(pages: Iterable[EquityPage]) -> int:
    """Return how many laps of the feed the points are of."""
    return len({point.lap for page in pages for point in page.points})


def _continuous(page: EquityPage) -> list[CurvePoint]:
    offsets = lap_offsets([(point.lap, point.time) for point in page.points])
    return [CurvePoint(point.time + offsets[point.lap], point.equity) for point in page.points]
