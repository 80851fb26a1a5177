"""The second database: judgements of news, so that a restart need not judge anew what was judged a moment ago, and people can look back.

It may be lost with the power and is made anew, so on SQLite it is a file of its own, where a commit doesn't wait for the disk; on Postgres
it is a table beside the journal's. Nothing waits for it: who records may go on when it can't be written.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import sqlalchemy
from sqlalchemy import Column, Float, Index, MetaData, String, Table, Text, UniqueConstraint, select
from sqlalchemy.engine import Connection

from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.faults import describe_damage, environment_fault
from tradingbot_engine.database.migration import Chain, build_version_table, migrate
from tradingbot_engine.database.rows import PredictionRow, Row
from tradingbot_engine.database.schema import Number
from tradingbot_engine.unavailable import UnavailableError

_BATCH_ROWS: Final = 500
_BETWEEN_SYMBOLS: Final = ","

metadata: Final = MetaData()
predictions: Final = Table(
    "predictions",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=True),
    Column("digest", String, nullable=False),
    Column("news_id", String, nullable=False),
    Column("symbols", Text, nullable=False),
    Column("source", String, nullable=False),
    Column("model", String, nullable=False),
    Column("positive", Float, nullable=False),
    Column("negative", Float, nullable=False),
    Column("neutral", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("news_time_ms", Number, nullable=False),
    Column("judged_at_ms", Number, nullable=False),
    # A judgement whose commit was in doubt is recorded again, and is there once.
    UniqueConstraint("digest", "news_id", "judged_at_ms"),
)
# What is young is read at each start.
Index("predictions_judged_at", predictions.c.judged_at_ms)

HISTORY: Final = Chain("history", metadata, 1, build_version_table("alembic_version_history"))


class History:
    """See the module. Every method blocks; any thread may call it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """Make the tables or change them.

        Raises:
            SpecError: the database's user may not.
            UnavailableError: the database can't be used now.
        """
        try:
            with self._database.writing(patient=True) as connection:
                migrate(connection, HISTORY)
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise _unavailable(error, "opened") from error

    def record(self, rows: Sequence[PredictionRow]) -> None:
        """Add judgements, some hundreds at a time; what is there already stays as it is.

        Raises:
            UnavailableError: the database can't be used now; some of the rows may be there.
        """
        try:
            for first in range(0, len(rows), _BATCH_ROWS):
                values = [_values(row) for row in rows[first : first + _BATCH_ROWS]]
                self._database.run_writing(partial(_insert, values))
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise _unavailable(error, "written") from error

    def recent(self, seconds: float, now_ms: int, *, most: int) -> list[PredictionRow]:
        """Return what was judged in the last `seconds` before `now_ms`, the `most` newest of it, the oldest first.

        Raises:
            UnavailableError: the database can't be used now.
        """
        columns = [predictions.c[name] for name in PredictionRow._fields]
        query = select(*columns).where(predictions.c.judged_at_ms > now_ms - seconds * 1000)
        newest = query.order_by(predictions.c.judged_at_ms.desc(), predictions.c.sequence.desc()).limit(most)
        try:
            return self._database.run_reading(lambda connection: [_row(dict(row)) for row in connection.execute(newest).mappings()][::-1])
        except sqlalchemy.exc.SQLAlchemyError as error:
            raise _unavailable(error, "read") from error


def _insert(values: list[Row], connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - memory that SQLite needs nothing of
    else:
        # The two differ in type only.
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415 - as above
    connection.execute(insert(predictions).on_conflict_do_nothing(), values)


def _values(row: PredictionRow) -> Row:
    return {**row._asdict(), "symbols": _BETWEEN_SYMBOLS.join(row.symbols)}


def _row(values: Row) -> PredictionRow:
    symbols = values.pop("symbols")
    return PredictionRow(symbols=tuple(symbols.split(_BETWEEN_SYMBOLS)) if symbols else (), **values)


def _unavailable(error: sqlalchemy.exc.SQLAlchemyError, done: str) -> Exception:
    """Return what to raise: the environment's fault as what it is, a bug as itself."""
    fault = environment_fault(error)
    damage = describe_damage(error)
    if damage is not None:
        fault = f"{damage}: remove it, what it holds is made anew"
    return error if fault is None else UnavailableError(f"history: can't be {done}: {fault}")
