"""The tables of version 1, as the first engines made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("namespace", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("uid", sa.String, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("client_order_id", sa.String, nullable=False, unique=True),
        sa.Column("symbol", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("reference_price", sa.Float, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lap", _NUMBER, nullable=False),
        sa.Column("step", _NUMBER, nullable=False),
        sa.Column("time_ms", _NUMBER, nullable=False),
    )
    is_open = sa.text("status = 'new'")
    op.create_index("orders_open", "orders", ["sequence"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "fills",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("order_sequence", _NUMBER, sa.ForeignKey("orders.sequence"), nullable=False, unique=True),
        sa.Column("symbol", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("quantity", sa.Float, nullable=False),
        sa.Column("price", sa.Float, nullable=False),
        sa.Column("fee", sa.Float, nullable=False),
        sa.Column("realised", sa.Float),
        sa.Column("lap", _NUMBER, nullable=False),
        sa.Column("step", _NUMBER, nullable=False),
        sa.Column("time_ms", _NUMBER, nullable=False),
    )
    op.create_table(
        "equity",
        sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("lap", _NUMBER, nullable=False),
        sa.Column("step", _NUMBER, nullable=False),
        sa.Column("time_ms", _NUMBER, nullable=False),
        sa.Column("equity", sa.Float, nullable=False),
        sa.Column("cash", sa.Float, nullable=False),
        sa.Column("drawdown", sa.Float, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        sa.Column("lap", _NUMBER, nullable=False),
        sa.Column("step", _NUMBER, nullable=False),
        sa.Column("bars", _NUMBER, nullable=False),
        sa.Column("equity", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
