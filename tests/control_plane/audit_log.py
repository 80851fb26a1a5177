"""What the API server has noted of every call that changed something: who, what, with which answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class Write(NamedTuple):
    """One call that asked for a change."""

    user: str
    verb: str
    resource: str
    """With its subresource: `pods/status`."""
    namespace: str
    name: str
    status: int
    at: str
    """When it came, RFC 3339 with microseconds."""


class AuditLog:
    """The log from a moment on; a new one begins at the end of what is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def writes(self, *, user: str = "operator", namespace: str | None = None) -> list[Write]:
        """Return what a user has asked for since, in the order of the answers."""
        return [write for write in self._all() if write.user == user and namespace in {None, write.namespace}]

    def _all(self) -> Iterator[Write]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is being written
                event = json.loads(line)
                if event["stage"] != "ResponseComplete":
                    continue
                about = event.get("objectRef") or {}
                subresource = about.get("subresource")
                yield Write(
                    user=event["user"]["username"],
                    verb=event["verb"],
                    resource=about.get("resource", "") + (f"/{subresource}" if subresource else ""),
                    namespace=about.get("namespace", ""),
                    name=about.get("name", ""),
                    status=event["responseStatus"]["code"],
                    at=event["requestReceivedTimestamp"],
                )


def count(writes: Iterable[Write]) -> Counter[str]:
    """Return how often what was asked for, as `verb resource`."""
    return Counter(f"{write.verb} {write.resource}" for write in writes)
