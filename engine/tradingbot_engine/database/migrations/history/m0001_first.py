"""Judgements of news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "predictions",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("news_id", sa.String, nullable=False),
        sa.Column("symbols", sa.Text, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("positive", sa.Float, nullable=False),
        sa.Column("negative", sa.Float, nullable=False),
        sa.Column("neutral", sa.Float, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("news_time_ms", number, nullable=False),
        sa.Column("judged_at_ms", number, nullable=False),
        sa.UniqueConstraint("digest", "news_id", "judged_at_ms"),
    )
    op.create_index("predictions_judged_at", "predictions", ["judged_at_ms"])
