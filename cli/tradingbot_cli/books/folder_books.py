"""Reads the books of a data folder on this machine, of a run that has ended or goes on: it only reads, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import sqlalchemy
from sqlalchemy import select

from tradingbot_cli.books.shard_books import ShardBooks
from tradingbot_cli.data_folder import ROOT
from tradingbot_cli.errors import FailedError, RefusedError
from tradingbot_contract.books import EquityPage, FillsPage, OrdersPage
from tradingbot_contract.document import EngineDocument, SpecError, parse_document
from tradingbot_contract.endpoints import CONFIG_FILE, ENV_DATABASE_URL, JOURNAL_FILE
from tradingbot_contract.resources import Pool
from tradingbot_engine.checkpoint import Checkpoint, decode_checkpoint
from tradingbot_engine.database import schema
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.book_reader import Choice, Thinning, read_equity, read_fills, read_orders
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.faults import environment_fault

MOST_FILLS: Final = 200_000
_ORDERS: Final = 100
_PLOTTED: Final = 2000
_EVEN: Final = 100_000


class FolderBooks(NamedTuple):
    """What a data folder holds."""

    document: EngineDocument
    checkpoint: Checkpoint
    books: ShardBooks


def read_folder(folder: Path, environment: Mapping[str, str]) -> FolderBooks:
    """Return the books of a folder.

    Raises:
        RefusedError: it is no data folder, or nothing has been written into its journal.
        FailedError: the journal can't be read now.
    """
    try:
        document = parse_document((folder / CONFIG_FILE).read_bytes())
        url = environment.get(ENV_DATABASE_URL) if document.database.external else None
        address = parse_database_address(url, folder, JOURNAL_FILE, document.bot)
    except OSError as error:
        raise RefusedError(f"{folder}: no data folder of `tradingbot run` ({CONFIG_FILE}: {error.strerror}): it is in {ROOT}/") from error
    except SpecError as error:
        raise RefusedError(f"{folder}: {error}") from error
    if address.file is not None and not address.file.exists():
        raise RefusedError(f"{folder}: there is no journal in it: nothing has run there yet")
    database = Database(address, Pool(size=1, max_overflow=0))
    try:
        return _read(database, document, folder)
    except sqlalchemy.exc.SQLAlchemyError as error:
        fault = environment_fault(error)
        if fault is None:
            raise RefusedError(f"{folder}: its journal can't be read: {error.args[0] if error.args else error}") from error
        raise FailedError(f"{folder}: its journal can't be read now: {fault}") from error
    finally:
        database.close()


def _read(database: Database, document: EngineDocument, folder: Path) -> FolderBooks:
    state = database.run_reading(lambda connection: connection.execute(select(schema.checkpoint.c.state)).scalar_one_or_none())
    if state is None:
        raise RefusedError(f"{folder}: its journal is empty: no bar has been played there yet")
    try:
        checkpoint = decode_checkpoint(state)
    except msgspec.DecodeError as error:
        raise RefusedError(f"{folder}: its journal is of another release of the engine: {error}") from error
    orders = read_orders(database, Choice(limit=_ORDERS))
    fills = read_fills(database, Choice(limit=MOST_FILLS))
    name, shard, currency = document.bot.name, document.bot.shard, checkpoint.currency

    def equity(points: int, thinning: Thinning) -> EquityPage:
        found = read_equity(database, points, None, thinning)
        return EquityPage(
            bot=name,
            shard=shard,
            currency=currency,
            initial_equity=checkpoint.initial_equity,
            points=found.points,
            held=found.held,
            removed=found.removed,
            note="",
        )

    books = ShardBooks(
        pod=str(folder),
        orders=OrdersPage(bot=name, shard=shard, currency=currency, orders=orders.rows, next=None, removed=orders.removed, note=""),
        fills=FillsPage(bot=name, shard=shard, currency=currency, fills=fills.rows, next=None, removed=fills.removed, note=""),
        equity=equity(_PLOTTED, Thinning.EXTREMES),
        even=equity(_EVEN, Thinning.EVEN),
        max_drawdown=checkpoint.max_drawdown,
    )
    return FolderBooks(document, checkpoint, books)
