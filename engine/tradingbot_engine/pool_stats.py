"""What can be known of a pool of connections at one moment, whatever it connects to."""

from __future__ import annotations

from msgspec import Struct


class PoolStats(Struct, frozen=True, kw_only=True):
    """One pool. Sums count from the start of the process and go on when the pool is replaced by one of other settings."""

    name: str
    """`journal`, `redis` or `http`: the value of `db.client.connection.pool.name`."""
    used: int
    """Connections that are borrowed."""
    idle: int
    """Open connections that nobody uses."""
    max_connections: int
    """Most that may be open at once."""
    peak_used: int
    """Most that were borrowed at once."""
    pending: int
    """Requests that wait for a connection."""
    timeouts: int
    """Requests that waited in vain."""
    errors: int
    """Connections that could not be opened, or that broke while they were used."""
    created: int
    """Connections opened."""
    exhausted_since: float | None = None
    """Seconds since the epoch since when all are borrowed and somebody waits, where the pool itself knows."""
