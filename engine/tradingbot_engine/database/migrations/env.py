"""Alembic's entry: it runs migrations on the connection, and in the transaction, that it is given."""

from __future__ import annotations

from alembic import context

from tradingbot_engine.database.migration import Chain

chain: Chain = context.config.attributes["chain"]
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=chain.metadata,
    version_table=chain.version_table.name,
    transactional_ddl=True,  # SQLite has it, too, now that the driver's own BEGIN is out of the way
)
context.run_migrations()
