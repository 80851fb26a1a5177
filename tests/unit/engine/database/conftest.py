"""Real SQLite files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.connections import Database

OpenDatabase = Callable[..., Database]


@pytest.fixture
def open_database(tmp_path: Path) -> Iterator[OpenDatabase]:
    opened: list[Database] = []
    bot = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")

    def open_one(pool: Pool | None = None, **options: object) -> Database:
        address = parse_database_address(None, tmp_path, "journal.sqlite", bot)
        opened.append(Database(address, pool or Pool(), **options))  # type: ignore[arg-type]  # options are as given
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()
