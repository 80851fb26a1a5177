"""Times of the API server, RFC 3339 in whole seconds UTC, to and from seconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime


def format_time(at_seconds: float) -> str:
    """Return the time as the API server writes it, rounded down to the second."""
    return datetime.fromtimestamp(int(at_seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> float:
    """Return the seconds since the epoch.

    Raises:
        ValueError: it is no time.
    """
    return datetime.fromisoformat(text).timestamp()
