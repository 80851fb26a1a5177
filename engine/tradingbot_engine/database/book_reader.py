"""Reads orders, fills and equity of the journal for people: the newest rows by their number, bounded, in one consistent look.

Every method blocks for as long as the database takes and any thread may call it; it borrows one connection of the journal's pool, only
reads, and so never makes a writer wait. What retention has removed is counted, so that nobody takes the rest for all there was.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, Table, func, or_, select
from sqlalchemy.engine import Connection, Row

from tradingbot_contract.books import EquityPoint, FillRow, OrderRow
from tradingbot_engine.database import schema
from tradingbot_engine.database.connections import Database
from tradingbot_engine.orders.order import OrderStatus

_MILLISECONDS = 1000


class Thinning(enum.Enum):
    """What is left of a curve with too many points."""

    EXTREMES = "extremes"
    """The lowest and the highest of equal stretches: what a plot needs."""
    EVEN = "even"
    """Each n-th point: what statistics need, which extremes would make look wilder than it was."""


class Choice(NamedTuple):
    """Which rows are asked for; None: any."""

    limit: int
    before: int | None = None
    """Only rows of a lower number."""
    symbol: str | None = None
    status: OrderStatus | None = None


class Orders(NamedTuple):
    """The newest first."""

    rows: tuple[OrderRow, ...]
    more: bool
    """Whether there are older ones that fit."""
    removed: int


class Fills(NamedTuple):
    """The newest first."""

    rows: tuple[FillRow, ...]
    more: bool
    removed: int


class Equity(NamedTuple):
    """The oldest first."""

    points: tuple[EquityPoint, ...]
    held: int
    removed: int


def read_orders(database: Database, choice: Choice) -> Orders:
    """Return orders, each with what became of it.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the journal can't be read now.
    """
    orders, fills = schema.orders.c, schema.fills.c
    query = select(schema.orders, fills.quantity.label("filled"), fills.price, fills.fee, fills.realised).select_from(
        schema.orders.outerjoin(schema.fills, fills.order_sequence == orders.sequence)
    )
    if choice.status is not None:
        query = query.where(orders.status == choice.status.value)
    query = _choose(query, schema.orders, choice)

    def read(connection: Connection) -> Orders:
        # An open order stays however old it is: it doesn't say how far back the rest goes.
        oldest = connection.execute(select(func.min(orders.sequence)).where(orders.status != OrderStatus.NEW.value)).scalar_one_or_none()
        found = connection.execute(query).all()
        return Orders(tuple(map(_order_row, found[: choice.limit])), len(found) > choice.limit, _removed(oldest))

    return database.run_reading(read)


def read_fills(database: Database, choice: Choice) -> Fills:
    """Return executions.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the journal can't be read now.
    """
    orders, fills = schema.orders.c, schema.fills.c
    query = select(schema.fills, orders.client_order_id).select_from(
        schema.fills.join(schema.orders, fills.order_sequence == orders.sequence)
    )
    query = _choose(query, schema.fills, choice)

    def read(connection: Connection) -> Fills:
        oldest = connection.execute(select(func.min(fills.sequence))).scalar_one_or_none()
        found = connection.execute(query).all()
        return Fills(tuple(map(_fill_row, found[: choice.limit])), len(found) > choice.limit, _removed(oldest))

    return database.run_reading(read)


def read_equity(database: Database, points: int, since_ms: int | None, thinning: Thinning) -> Equity:
    """Return at most `points` points of the curve since a time of the market, always with the first and the last.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the journal can't be read now.
    """
    table = schema.equity.c
    chosen: list[ColumnElement[bool]] = [] if since_ms is None else [table.time_ms >= since_ms]

    def read(connection: Connection) -> Equity:
        oldest = connection.execute(select(func.min(table.sequence))).scalar_one_or_none()
        held, first, last = connection.execute(
            select(func.count(), func.min(table.sequence), func.max(table.sequence)).where(*chosen)
        ).one()
        if held <= points:
            query = select(schema.equity).where(*chosen)
        elif thinning is Thinning.EVEN:
            query = _every(points, first, last, chosen)
        else:
            query = _extremes(points, first, last, chosen)
        found = connection.execute(query.order_by("sequence")).all()
        return Equity(tuple(map(_equity_point, found)), held, _removed(oldest))

    return database.run_reading(read)


def _choose(query: Select[Any], table: Table, choice: Choice) -> Select[Any]:
    """Return the query for the newest rows of a choice, and one more, which tells whether there are older ones."""
    if choice.symbol is not None:
        query = query.where(table.c.symbol == choice.symbol)
    if choice.before is not None:
        query = query.where(table.c.sequence < choice.before)
    return query.order_by(table.c.sequence.desc()).limit(choice.limit + 1)


def _extremes(points: int, first: int, last: int, chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for the first and the last point, and for the lowest and the highest of each stretch between them."""
    equity = schema.equity.c
    stretches = (points - 2) // 2
    stretch = ((equity.sequence - first) * stretches // (last - first + 1)).label("stretch")
    placed: CTE = select(schema.equity, stretch).where(*chosen).cte("placed")
    row = placed.c
    ranked = select(
        placed,
        func.row_number().over(partition_by=row.stretch, order_by=(row.equity, row.sequence)).label("from_lowest"),
        func.row_number().over(partition_by=row.stretch, order_by=(row.equity.desc(), row.sequence)).label("from_highest"),
    ).cte("ranked")
    names = [ranked.c[column.name] for column in schema.equity.columns]
    return select(*names).where(or_(ranked.c.from_lowest == 1, ranked.c.from_highest == 1, ranked.c.sequence.in_((first, last))))


def _every(points: int, first: int, last: int, chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for each n-th point, and for the last."""
    sequence = schema.equity.c.sequence
    distance = (last - first) // (points - 2) + 1
    return select(schema.equity).where(*chosen, or_((sequence - first) % distance == 0, sequence == last))


def _removed(oldest: int | None) -> int:
    """Return how many rows came before the oldest that is there: numbers begin at 1 and have no gaps."""
    return 0 if oldest is None else oldest - 1


def _order_row(row: Row[Any]) -> OrderRow:
    return OrderRow(
        sequence=row.sequence,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        type=row.type,
        amount=row.quantity,
        filled=0.0 if row.filled is None else row.filled,
        reference_price=row.reference_price,
        average=row.price,
        fee=row.fee,
        realised=row.realised,
        status=row.status,
        reason=row.reason,
        lap=row.lap,
        time=row.time_ms / _MILLISECONDS,
    )


def _fill_row(row: Row[Any]) -> FillRow:
    return FillRow(
        sequence=row.sequence,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        amount=row.quantity,
        price=row.price,
        cost=row.quantity * row.price,
        fee=row.fee,
        realised=row.realised,
        lap=row.lap,
        time=row.time_ms / _MILLISECONDS,
    )


def _equity_point(row: Row[Any]) -> EquityPoint:
    return EquityPoint(sequence=row.sequence, time=row.time_ms / _MILLISECONDS, equity=row.equity, drawdown=row.drawdown, lap=row.lap)
