"""The journal's tables. `sqlite3 journal.sqlite` and `psql` read them, too: names and units are those of the product.

A change here needs a migration (:mod:`tradingbot_engine.database.migration`), and a migration only ever adds: an engine of the version
before works beside this one, on the same tables. What can't be done so raises OLDEST_WRITER, which shuts older engines out.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION: Final = 2
"""What this engine knows: the number of the newest migration."""
OLDEST_WRITER: Final = 1
"""The oldest SCHEMA_VERSION whose engine may write to these tables; it stands in `journal.schema_version`."""

Number: Final = BigInteger().with_variant(Integer, "sqlite")
"""64 bits in both: SQLite's INTEGER has them, and only under that name is a primary key the row's own number."""

metadata: Final = MetaData()

journal: Final = Table(
    "journal",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    # The oldest engine that may write here, as a number that every engine since the first compares with what it knows.
    Column("schema_version", Integer, nullable=False),
    # Whose journal it is; another bot's engine doesn't touch it.
    Column("namespace", String, nullable=False),
    Column("name", String, nullable=False),
    Column("uid", String, nullable=False),
    Column("shard", Integer, nullable=False),
    # Raised by each start: who wrote an older one into its memory can't write here any more.
    Column("epoch", Number, nullable=False, server_default="0"),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("client_order_id", String, nullable=False, unique=True),
    Column("symbol", String, nullable=False),
    Column("side", String, nullable=False),
    Column("type", String, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("reference_price", Float, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lap", Number, nullable=False),
    Column("step", Number, nullable=False),
    Column("time_ms", Number, nullable=False),
)
# Open orders are looked up at each start, and are few.
_IS_OPEN: Final = orders.c.status == "new"
_OPEN_ORDERS: Final = Index("orders_open", orders.c.sequence, sqlite_where=_IS_OPEN)

fills: Final = Table(
    "fills",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    # One fill for an order at most: a second one is refused by the database itself.
    Column("order_sequence", Number, ForeignKey("orders.sequence"), nullable=False, unique=True),
    Column("symbol", String, nullable=False),
    Column("side", String, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("price", Float, nullable=False),
    Column("fee", Float, nullable=False),
    Column("realised", Float),
    Column("lap", Number, nullable=False),
    Column("step", Number, nullable=False),
    Column("time_ms", Number, nullable=False),
)

equity: Final = Table(
    "equity",
    metadata,
    Column("sequence", Number, primary_key=True, autoincrement=False),
    Column("lap", Number, nullable=False),
    Column("step", Number, nullable=False),
    Column("time_ms", Number, nullable=False),
    Column("equity", Float, nullable=False),
    Column("cash", Float, nullable=False),
    Column("drawdown", Float, nullable=False),
)

checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    # For people who look; what is restored is the state.
    Column("lap", Number, nullable=False),
    Column("step", Number, nullable=False),
    Column("bars", Number, nullable=False),
    Column("equity", Float, nullable=False),
    Column("state", Text, nullable=False),
)


def complete_for_postgres() -> None:
    """Say what Postgres needs to know; said above, it would load all of its dialect into every bot with SQLite."""
    _OPEN_ORDERS.dialect_options["postgresql"]["where"] = _IS_OPEN
