"""Reads and writes the journal, the same on SQLite and on Postgres.

A group of steps is one transaction: its orders, fills, equity and the checkpoint after it. Written twice (when it isn't known
whether a commit succeeded), a group leaves the same rows as written once. Written by an engine that another has taken the place of,
it leaves nothing: the checkpoint is written first, on condition that the epoch is still the writer's.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy
from sqlalchemy import Table, bindparam, func, literal, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_engine.checkpoint import decode_checkpoint, encode_checkpoint
from tradingbot_engine.database import schema
from tradingbot_engine.database.bulk import BulkInsert
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.faults import environment_fault
from tradingbot_engine.database.fence import HELD_EPOCH, FencedError, if_held, raise_epoch
from tradingbot_engine.database.migration import JOURNAL, migrate
from tradingbot_engine.database.rows import Group, Restored, TradeStatistics, order_of
from tradingbot_engine.orders.order import OrderStatus, Side
from tradingbot_engine.unavailable import UnavailableError

_CHECKPOINT_COLUMNS: Final = ("lap", "step", "bars", "equity", "state")


class Journal:
    """The journal of one shard of one bot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._epoch = 0
        self._statements: _Statements | None = None

    @property
    def epoch(self) -> int:
        """What this engine writes with; 0 until the journal is open."""
        return self._epoch

    def open(self, bot: BotIdentity) -> Restored | None:
        """Make the tables or check them, shut former engines out; return where the bot stopped, None if it has never run.

        Raises:
            SpecError: it is another bot's journal, or a newer engine's, or no journal, or the database's user may not use it.
            UnavailableError: the database can't be used now.
        """
        try:
            with self._database.writing(patient=True) as connection:
                return self._open(connection, bot)
        except (sqlalchemy.exc.SQLAlchemyError, msgspec.DecodeError) as error:
            fault = environment_fault(error)
            if fault is not None:
                raise UnavailableError(f"journal: can't be opened: {fault}") from error
            raise SpecError(self._damage(error)) from error

    def commit(self, group: Group) -> None:
        """Write a group, all of it or nothing.

        Raises:
            FencedError: another engine has the journal now; nothing is written.
            sqlalchemy.exc.SQLAlchemyError: it isn't known to be written; write it again.
        """
        self._database.run_writing(lambda connection: self._commit(connection, group))

    def read_trade_statistics(self) -> list[TradeStatistics]:
        """Return the sales of each symbol that the journal still holds."""
        fills = schema.fills.c
        query = (
            select(
                fills.symbol,
                func.count(),
                func.count().filter(fills.realised > 0),
                func.coalesce(func.sum(fills.realised), 0.0),
            )
            .where(fills.side == Side.SELL.value)
            .group_by(fills.symbol)
            .order_by(fills.symbol)
        )
        return self._database.run_reading(lambda connection: [TradeStatistics(*row) for row in connection.execute(query)])

    def _open(self, connection: Connection, bot: BotIdentity) -> Restored | None:
        migrate(connection, JOURNAL)
        self._claim(connection, bot)
        self._statements = self._statements or _build_statements(connection)
        self._epoch = raise_epoch(connection)
        return self._restore(connection)

    def _commit(self, connection: Connection, group: Group) -> None:
        statements = self._statements
        assert statements is not None, "the journal isn't open"
        checkpoint = group.checkpoint
        values = (checkpoint.lap, checkpoint.step, checkpoint.totals.bars, group.equity_now, encode_checkpoint(checkpoint))
        parameters: dict[str, Any] = {f"new_{name}": value for name, value in zip(_CHECKPOINT_COLUMNS, values, strict=True)}
        if connection.execute(statements.checkpoint, {**parameters, HELD_EPOCH: self._epoch}).rowcount != 1:
            raise FencedError
        if group.orders:
            statements.orders.send(connection, group.orders)
        if group.fills:
            statements.fills.send(connection, group.fills)
        if group.equity:
            statements.equity.send(connection, group.equity)

    def _claim(self, connection: Connection, bot: BotIdentity) -> None:
        found = connection.execute(select(schema.journal)).mappings().one_or_none()
        if found is None:
            values = {"namespace": bot.namespace, "name": bot.name, "uid": bot.uid, "shard": bot.shard}
            connection.execute(schema.journal.insert(), {"id": 1, "schema_version": schema.OLDEST_WRITER, "epoch": 0, **values})
            return
        if found["schema_version"] > schema.SCHEMA_VERSION:
            raise SpecError(
                f"journal: a newer engine has written it (version {found['schema_version']}, this one knows {schema.SCHEMA_VERSION}): "
                "use the newer image"
            )
        owner = BotIdentity(namespace=found["namespace"], name=found["name"], uid=found["uid"], shard=found["shard"])
        if owner != bot:
            remedy = "give each bot a data folder of its own, or move the file away to begin anew"
            if self._database.address.schema is not None:
                remedy = f"rename or drop the schema {self._database.address.schema} to begin anew"
            raise SpecError(f"journal: it belongs to {_describe(owner)}, this is {_describe(bot)}: {remedy}")

    def _restore(self, connection: Connection) -> Restored | None:
        state = connection.execute(select(schema.checkpoint.c.state)).scalar_one_or_none()
        if state is None:
            return None
        query = select(schema.orders).where(schema.orders.c.status == OrderStatus.NEW.value).order_by(schema.orders.c.sequence)
        return Restored(decode_checkpoint(state), [order_of(dict(row)) for row in connection.execute(query).mappings()])

    def _damage(self, error: Exception) -> str:
        cause = str(error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error).strip().partition("\n")[0]
        schema_name = self._database.address.schema
        if schema_name is None:
            return f"journal: the file is damaged or no journal ({cause}): restore it, or move it away to begin anew"
        return f"journal: the schema {schema_name} is damaged or no journal ({cause}): restore it, or rename it to begin anew"


class _Statements(NamedTuple):
    """What a commit is made of, for one database."""

    checkpoint: Insert
    orders: BulkInsert
    fills: BulkInsert
    equity: BulkInsert


def _build_statements(connection: Connection) -> _Statements:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - half a megabyte that SQLite needs nothing of
    else:
        # The two differ in type only: both have the clause, and the same methods for it.
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415 - as above

    order = insert(schema.orders)
    checkpoint = schema.checkpoint
    chosen = [bindparam(f"new_{name}", type_=checkpoint.c[name].type) for name in _CHECKPOINT_COLUMNS]
    saved = insert(checkpoint).from_select(["id", *_CHECKPOINT_COLUMNS], if_held(literal(1), *chosen))

    def once(table: Table) -> BulkInsert:
        return BulkInsert(connection, table, insert(table).on_conflict_do_nothing(index_elements=[table.c.sequence]))

    return _Statements(
        checkpoint=saved.on_conflict_do_update(
            index_elements=[checkpoint.c.id], set_={name: saved.excluded[name] for name in _CHECKPOINT_COLUMNS}
        ).execution_options(preserve_rowcount=True),
        orders=BulkInsert(
            connection,
            schema.orders,
            order.on_conflict_do_update(
                index_elements=[schema.orders.c.sequence], set_={"status": order.excluded.status, "reason": order.excluded.reason}
            ),
        ),
        fills=once(schema.fills),
        equity=once(schema.equity),
    )


def _describe(bot: BotIdentity) -> str:
    return f"bot {bot.namespace}/{bot.name}, shard {bot.shard}, uid {bot.uid}"
