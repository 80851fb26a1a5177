"""Where one bot's tables are, a file or a schema of a real server, and what anybody but its engine does there."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool
from tradingbot_engine.database import migration
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.migration import JOURNAL, Chain

FILE = "journal.sqlite"
TABLES = ("orders", "fills", "equity")
_VERSION_1 = Path(__file__).with_name("journal_v1.sql")
"""A journal that an engine of version 1 left behind: 256 steps, 16 orders, one of them open."""
# Rows that others refer to come first.
_LOAD_ORDER = ("journal", "orders", "fills", "equity", "checkpoint")


class BotTables:
    """A SQLite file in `folder`, or, with a `url`, the bot's schema there."""

    def __init__(self, folder: Path, url: str | None, bot: BotIdentity) -> None:
        self.folder = folder
        self.url = url
        self.bot = bot
        self.address = parse_database_address(url, folder, FILE, bot)
        self._opened: list[Database] = []

    def open(self) -> Database:
        self._opened.append(Database(self.address, Pool()))
        return self._opened[-1]

    def close(self) -> None:
        for database in self._opened:
            database.close()

    def run(self, *statements: str) -> list[Any]:
        """Run these in one transaction; return the rows of the last."""
        with self.open().writing() as connection:
            self.enter(connection)
            for statement in statements:
                result = connection.exec_driver_sql(statement)
            return list(result) if result.returns_rows else []

    def enter(self, connection: Connection) -> None:
        """Let names stand for the bot's tables."""
        if self.address.schema is not None:
            connection.exec_driver_sql(f'SET LOCAL search_path TO "{self.address.schema}"')

    def rows(self) -> dict[str, list[Any]]:
        """All that the journal says of what happened."""
        found = {table: self.run(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES}  # noqa: S608 - names from here
        found["checkpoint"] = self.run("SELECT lap, step, bars, equity, state FROM checkpoint")
        return found

    def migrate_by_alembic(self, chain: Chain, revision: str) -> None:
        """Make the tables, or change them, as Alembic does it from whatever there is."""
        with self.open().writing(patient=True) as connection:
            if self.url is not None:
                migration._enter_schema(connection)
            folder = Path(migration.__file__).with_name("migrations")
            config = Config()
            config.set_main_option("script_location", str(folder))
            config.set_main_option("version_locations", str(folder / chain.name))
            config.set_main_option("path_separator", "newline")
            config.attributes.update(connection=connection, chain=chain)
            command.upgrade(config, revision)

    def make_version_1(self) -> None:
        """Leave what an engine of version 1 has left; on Postgres, which it did not know, the same rows in the same tables."""
        script = _VERSION_1.read_text()
        if self.url is None:
            with contextlib.closing(sqlite3.connect(self.folder / FILE)) as connection:
                connection.executescript(script)
            return
        self.migrate_by_alembic(JOURNAL, "0001")
        rows = [line for table in _LOAD_ORDER for line in script.split("\n") if line.startswith(f'INSERT INTO "{table}"')]
        self.run("DROP TABLE alembic_version", *rows)
