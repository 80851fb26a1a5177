"""Many rows by one statement, at the price of the driver.

SQLAlchemy looks at each parameter of each row, each time: 6 µs a row, of which SQLite takes 2; and a replay at full speed writes a row for
ten bars. Here the statement is compiled once, and rows go to the driver as it takes them. They hold plain values only: nothing that one
of SQLAlchemy's types would have to convert.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert


class BulkInsert:
    """An INSERT of whole rows of a table, for connections to one database."""

    def __init__(self, connection: Connection, table: Table, statement: Insert) -> None:
        """`statement` inserts into `table`; all its columns are given with each row."""
        schemas = connection.get_execution_options().get("schema_translate_map")
        compiled = statement.compile(
            dialect=connection.dialect,
            column_keys=[column.name for column in table.columns],
            schema_translate_map=schemas,
            render_schema_translate=schemas is not None,
        )
        self._text = str(compiled)
        # Drivers with "?" take sequences in the order of the text, those with names take the row as it is.
        self._arrange: Callable[[Mapping[str, Any]], Any] = operator.itemgetter(*compiled.positiontup) if compiled.positiontup else dict

    def send(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert `rows`, one at least."""
        connection.exec_driver_sql(self._text, list(map(self._arrange, rows)))
