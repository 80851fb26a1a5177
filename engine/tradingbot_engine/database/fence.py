"""One writer for each journal, whatever the cluster believes: every start raises the journal's epoch, every commit names its own.

The commit takes a lock on the row that holds the epoch, so it comes either wholly before a newer engine's start, which then sees it, or
after it, and then it fails. An engine that was paused, cut off or forgotten can't write once another has started. It must stop trading at
once, and must not come back by itself: two engines that take the journal from each other would go on doing so.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy
from sqlalchemy import Select, bindparam, select
from sqlalchemy.engine import Connection

from tradingbot_engine.database import schema

HELD_EPOCH: Final = "held_epoch"
"""The parameter of :func:`if_held`."""


class FencedError(RuntimeError):
    """A newer engine has this journal: nothing can be written any more, and nothing may be traded."""

    def __init__(self) -> None:
        super().__init__(
            "journal: another engine has started with it, so this one no longer trades: make sure that there is one engine for each shard; "
            "the newer one has all that this one had written"
        )


def raise_epoch(connection: Connection) -> int:
    """Shut all former engines out, and return the epoch to write with."""
    journal = schema.journal
    statement = journal.update().where(journal.c.id == 1).values(epoch=journal.c.epoch + 1).returning(journal.c.epoch)
    return int(connection.execute(statement).scalar_one())


def if_held(*columns: sqlalchemy.ColumnElement[Any]) -> Select[Any]:
    """Return a query of one row, of none once another engine has started; that one waits while the transaction lasts."""
    journal = schema.journal
    statement = select(*columns).select_from(journal)
    return statement.where(journal.c.id == 1, journal.c.epoch == bindparam(HELD_EPOCH, type_=schema.Number)).with_for_update(read=True)


def hold(connection: Connection, epoch: int) -> None:
    """Keep other engines from starting until the transaction ends.

    Raises:
        FencedError: one has started already.
    """
    if connection.execute(if_held(schema.journal.c.epoch), {HELD_EPOCH: epoch}).first() is None:
        raise FencedError
