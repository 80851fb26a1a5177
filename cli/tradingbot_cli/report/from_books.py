"""The part of a report that comes from journals: curve, figures, round trips and orders, whoever has read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tradingbot_cli.books.shard_books import ShardBooks, count_laps, merge_equity, merge_fills, merge_orders, trades_of
from tradingbot_contract.books import EquityPage, OrderRow
from tradingbot_engine.statistics.curve import CurvePoint, sample_evenly
from tradingbot_engine.statistics.round_trips import Ledger, match_round_trips
from tradingbot_engine.statistics.summary import Statistics, summarise

_SAMPLES: Final = 5000


class BookFigures(Struct, frozen=True, kw_only=True):
    """What the journals of a bot come to."""

    currency: str
    curve: tuple[CurvePoint, ...]
    laps: int
    statistics: Statistics
    ledger: Ledger
    orders: tuple[OrderRow, ...]
    notes: tuple[str, ...]


def build_figures(books: Sequence[ShardBooks]) -> BookFigures:
    """Return the figures of one bot from the books of its engines, of which there is at least one."""
    plotted, even = [each.equity for each in books], [each.even for each in books]
    fills = merge_fills(each.fills for each in books)
    trades = trades_of(fills, even)
    begin = _beginning(even, trades[0].time if trades else None)
    whole = [*begin, *merge_equity(even)]
    depth = books[0].max_drawdown if len(books) == 1 else None
    notes = [page.note for each in books for page in (each.fills, each.equity) if page.note]
    notes += [f"of {each.pod} only the newest {len(each.fills.fills):,} fills are in here" for each in books if each.fills.next]
    return BookFigures(
        currency=books[0].equity.currency,
        curve=(*begin, *merge_equity(plotted)),
        laps=count_laps(even),
        statistics=summarise(whole, trades, even=sample_evenly(whole, most=_SAMPLES), max_drawdown=depth),
        ledger=match_round_trips(trades),
        orders=tuple(merge_orders(each.orders for each in books)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _beginning(pages: Sequence[EquityPage], first_trade: float | None) -> list[CurvePoint]:
    """Return what the bot began with, where its beginning is still known: the engine notes its first point only after some bars."""
    points = [page.points[0] for page in pages if page.points]
    if not points or any(page.removed or (page.points[:1] and page.points[0].lap) for page in pages):
        return []
    first = min(point.time for point in points)
    begin = first if first_trade is None else min(first, first_trade)
    return [CurvePoint(begin, sum(page.initial_equity for page in pages))] if begin < first else []
