"""The epoch that fences former engines off; an engine of version 1 writes on without it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("journal", sa.Column("epoch", number, nullable=False, server_default="0"))
