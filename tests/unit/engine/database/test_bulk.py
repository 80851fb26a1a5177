"""Rows that go to the driver directly arrive as those that don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, select
from sqlalchemy.dialects.sqlite import insert

from tradingbot_engine.database.bulk import BulkInsert
from tradingbot_engine.database.connections import Database

THINGS = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", String), Column("weight", Float))
ROWS = [{"weight": 0.1, "name": "feather", "id": 1}, {"id": 2, "name": None, "weight": 1e300}]


def test_rows_arrive_whatever_the_order_of_their_names(open_database: Callable[..., Database]) -> None:
    database = open_database()
    with database.writing() as connection:
        THINGS.create(connection)
        bulk = BulkInsert(connection, THINGS, insert(THINGS).on_conflict_do_nothing(index_elements=[THINGS.c.id]))
        bulk.send(connection, ROWS)
        bulk.send(connection, ROWS)
    with database.reading() as connection:
        assert [dict(row) for row in connection.execute(select(THINGS)).mappings()] == [
            {"id": 1, "name": "feather", "weight": 0.1},
            {"id": 2, "name": None, "weight": 1e300},
        ]


def test_a_row_that_lacks_a_column_is_refused(open_database: Callable[..., Database]) -> None:
    database = open_database()
    row: dict[str, Any] = {"id": 1, "name": "feather"}
    with database.writing() as connection:
        THINGS.create(connection)
        with pytest.raises(KeyError, match="weight"):
            BulkInsert(connection, THINGS, insert(THINGS)).send(connection, [row])
