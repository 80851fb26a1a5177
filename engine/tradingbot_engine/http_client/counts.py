"""Numbers of the HTTP pool that go on when it is replaced, and how far one request has come."""

from __future__ import annotations

from typing import Final

POOL_NAME: Final = "http"


class HttpCounts:
    """Since the start of the process."""

    __slots__ = ("created", "errors", "peak_used", "timeouts")

    def __init__(self) -> None:
        self.created = 0
        self.errors = 0
        self.peak_used = 0
        self.timeouts = 0


class Progress:
    """Of one request."""

    __slots__ = ("create_started_at", "is_queued")

    def __init__(self) -> None:
        self.create_started_at = 0.0
        """When its connection began to be opened, by the performance counter."""
        self.is_queued = False
        """Whether it waits for one of the pool's connections to come back."""
