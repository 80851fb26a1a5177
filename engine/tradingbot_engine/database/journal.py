"""Reads and writes the journal.

A group of steps is one transaction: its orders, fills, equity and the checkpoint after it. Written twice (when it isn't known
whether a commit succeeded), a group leaves the same rows as written once.
"""

from __future__ import annotations

from typing import Final

import msgspec
import sqlalchemy
from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_engine.checkpoint import Checkpoint, decode_checkpoint, encode_checkpoint
from tradingbot_engine.database import schema
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.rows import Group, Restored, TradeStatistics, order_of
from tradingbot_engine.orders.order import OrderStatus, Side
from tradingbot_engine.unavailable import UnavailableError

EQUITY_ROWS_KEPT: Final = 10_000
ORDERS_KEPT: Final = 100_000
"""Orders of former laps beyond these many are dropped, or a looping replay would fill the volume; those of the lap stay."""

_insert_order = insert(schema.orders)
_UPSERT_ORDER: Final = _insert_order.on_conflict_do_update(
    index_elements=[schema.orders.c.sequence],
    set_={"status": _insert_order.excluded.status, "reason": _insert_order.excluded.reason},
)
_INSERT_FILL: Final = insert(schema.fills).on_conflict_do_nothing(index_elements=[schema.fills.c.sequence])
_INSERT_EQUITY: Final = insert(schema.equity).on_conflict_do_nothing(index_elements=[schema.equity.c.sequence])
_insert_checkpoint = insert(schema.checkpoint)
_UPSERT_CHECKPOINT: Final = _insert_checkpoint.on_conflict_do_update(
    index_elements=[schema.checkpoint.c.id],
    set_={name: _insert_checkpoint.excluded[name] for name in ("lap", "step", "bars", "equity", "state")},
)


class Journal:
    """The journal of one shard of one bot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, bot: BotIdentity) -> Restored | None:
        """Make the tables or check them; return where the bot stopped, None if it has never run.

        Raises:
            SpecError: it is another bot's journal, or a newer engine's, or no journal.
            UnavailableError: the file can't be opened now.
        """
        try:
            with self._database.writing() as connection:
                schema.metadata.create_all(connection)
                self._claim(connection, bot)
                return self._restore(connection)
        except sqlalchemy.exc.OperationalError as error:
            raise UnavailableError(f"journal: can't be opened ({error.orig}): is the volume full, or read-only?") from error
        except (sqlalchemy.exc.DatabaseError, msgspec.DecodeError) as error:
            cause = error.orig if isinstance(error, sqlalchemy.exc.DatabaseError) else error
            raise SpecError(f"journal: the file is damaged or no journal ({cause}): restore it, or move it away to begin anew") from error

    def commit(self, group: Group) -> None:
        """Write a group, all of it or nothing.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it isn't known to be written; write it again.
        """
        checkpoint = group.checkpoint
        with self._database.writing() as connection:
            if group.orders:
                connection.execute(_UPSERT_ORDER, group.orders)
            if group.fills:
                connection.execute(_INSERT_FILL, group.fills)
            if group.equity:
                connection.execute(_INSERT_EQUITY, group.equity)
                old = schema.equity.c.sequence <= checkpoint.equity_sequence - EQUITY_ROWS_KEPT
                connection.execute(schema.equity.delete().where(old))
            if group.orders and checkpoint.order_sequence > ORDERS_KEPT:
                self._drop_former_laps(connection, checkpoint)
            connection.execute(
                _UPSERT_CHECKPOINT,
                {
                    "id": 1,
                    "lap": checkpoint.lap,
                    "step": checkpoint.step,
                    "bars": checkpoint.totals.bars,
                    "equity": group.equity_now,
                    "state": encode_checkpoint(checkpoint),
                },
            )

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
        with self._database.reading() as connection:
            return [TradeStatistics(*row) for row in connection.execute(query)]

    def _claim(self, connection: Connection, bot: BotIdentity) -> None:
        found = connection.execute(select(schema.journal)).mappings().one_or_none()
        if found is None:
            values = {"namespace": bot.namespace, "name": bot.name, "uid": bot.uid, "shard": bot.shard}
            connection.execute(schema.journal.insert(), {"id": 1, "schema_version": schema.SCHEMA_VERSION, **values})
            return
        if found["schema_version"] > schema.SCHEMA_VERSION:
            raise SpecError(
                f"journal: a newer engine has written it (version {found['schema_version']}, this one knows {schema.SCHEMA_VERSION}): "
                "use the newer image"
            )
        owner = BotIdentity(namespace=found["namespace"], name=found["name"], uid=found["uid"], shard=found["shard"])
        if owner != bot:
            raise SpecError(
                f"journal: it belongs to {_describe(owner)}, this is {_describe(bot)}: give each bot a data folder of its own, "
                "or move the file away to begin anew"
            )

    def _restore(self, connection: Connection) -> Restored | None:
        state = connection.execute(select(schema.checkpoint.c.state)).scalar_one_or_none()
        if state is None:
            return None
        query = select(schema.orders).where(schema.orders.c.status == OrderStatus.NEW.value).order_by(schema.orders.c.sequence)
        return Restored(decode_checkpoint(state), [order_of(dict(row)) for row in connection.execute(query).mappings()])

    def _drop_former_laps(self, connection: Connection, checkpoint: Checkpoint) -> None:
        oldest = checkpoint.order_sequence - ORDERS_KEPT
        orders, fills = schema.orders.c, schema.fills.c
        connection.execute(schema.fills.delete().where(fills.order_sequence <= oldest, fills.lap < checkpoint.lap))
        connection.execute(schema.orders.delete().where(orders.sequence <= oldest, orders.lap < checkpoint.lap))


def _describe(bot: BotIdentity) -> str:
    return f"bot {bot.namespace}/{bot.name}, shard {bot.shard}, uid {bot.uid}"
