"""What a cluster gives a bot by Secrets, a person gives it by the same variables of the environment; without them it does without.

So a manifest that names a Postgres and a Redis of a cluster can be tried on a machine that has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from tradingbot_contract.document import Activity, EngineDocument
from tradingbot_contract.endpoints import ENV_DATABASE_URL, ENV_REDIS_URL


def set_surroundings(document: EngineDocument, environment: Mapping[str, str]) -> EngineDocument:
    """Return the document for what can be reached from here."""
    if document.database.external and not environment.get(ENV_DATABASE_URL):
        document = structs.replace(document, database=structs.replace(document.database, external=False))
    if document.redis is not None and not environment.get(ENV_REDIS_URL):
        document = structs.replace(document, redis=None)
    return document


def describe_surroundings(document: EngineDocument, written: EngineDocument) -> list[str]:
    """Return what is otherwise here than on a cluster, and how to change that."""
    lines = ["paused by spec.lifecycle.state: it opens nothing, and may sell"] if document.activity is Activity.PAUSE else []
    if written.database.external and not document.database.external:
        lines.append(f"database: SQLite in the data folder (set {ENV_DATABASE_URL} for a Postgres, which a cluster takes from a Secret)")
    if written.redis is not None and document.redis is None:
        lines.append(f"no Redis (set {ENV_REDIS_URL} for one, which a cluster takes from a Secret)")
    return lines


def describe_journal(document: EngineDocument, path: Path) -> str:
    """Return where the journal is, for people; `path` is that of the file."""
    return f"the Postgres of {ENV_DATABASE_URL}" if document.database.external else str(path)
