"""The journal's tables. `sqlite3 journal.sqlite` reads them, too: names and units are those of the product.

A change of these tables raises SCHEMA_VERSION; an engine refuses a journal that is newer than itself.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION: Final = 1

metadata: Final = MetaData()

journal: Final = Table(
    "journal",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("schema_version", Integer, nullable=False),
    # Whose journal it is; another bot's engine doesn't touch it.
    Column("namespace", String, nullable=False),
    Column("name", String, nullable=False),
    Column("uid", String, nullable=False),
    Column("shard", Integer, nullable=False),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("client_order_id", String, nullable=False, unique=True),
    Column("symbol", String, nullable=False),
    Column("side", String, nullable=False),
    Column("type", String, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("reference_price", Float, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lap", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("time_ms", Integer, nullable=False),
)
# Open orders are looked up at each start, and are few.
Index("orders_open", orders.c.sequence, sqlite_where=orders.c.status == "new")

fills: Final = Table(
    "fills",
    metadata,
    Column("sequence", Integer, primary_key=True),
    # One fill for an order at most: a second one is refused by the database itself.
    Column("order_sequence", Integer, ForeignKey("orders.sequence"), nullable=False, unique=True),
    Column("symbol", String, nullable=False),
    Column("side", String, nullable=False),
    Column("quantity", Float, nullable=False),
    Column("price", Float, nullable=False),
    Column("fee", Float, nullable=False),
    Column("realised", Float),
    Column("lap", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("time_ms", Integer, nullable=False),
)

equity: Final = Table(
    "equity",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("lap", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("time_ms", Integer, nullable=False),
    Column("equity", Float, nullable=False),
    Column("cash", Float, nullable=False),
    Column("drawdown", Float, nullable=False),
)

checkpoint: Final = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    # For people who look; what is restored is the state.
    Column("lap", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("bars", Integer, nullable=False),
    Column("equity", Float, nullable=False),
    Column("state", Text, nullable=False),
)
