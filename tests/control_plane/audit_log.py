"""What the API server has noted of calls: who, what, with which answer, and by whose leave.

Of everybody it notes what changed something; of the account that the chart installs also what it has read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

READS: Final = frozenset({"get", "list", "watch"})


class Call(NamedTuple):
    """One call."""

    user: str
    verb: str
    group: str
    """Of the API; empty for the core."""
    resource: str
    """With its subresource: `pods/status`."""
    namespace: str
    name: str
    status: int
    at: str
    """When it came, RFC 3339 with microseconds."""
    allowed_by: str
    """In the API server's words; empty when it was not allowed."""


class AuditLog:
    """The log from a moment on; a new one begins at the end of what is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def writes(self, *, user: str = "operator", namespace: str | None = None) -> list[Call]:
        """Return the changes that a user has asked for since, in the order of the answers."""
        return [call for call in self.calls(user=user) if call.verb not in READS and namespace in {None, call.namespace}]

    def calls(self, *, user: str) -> list[Call]:
        """Return all that is noted of a user since, in the order of the answers; a watch has its answer when it ends."""
        return [call for call in self._all() if call.user == user]

    def _all(self) -> Iterator[Call]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is being written
                event = json.loads(line)
                if event["stage"] == "ResponseComplete":
                    yield _call(event)


def _call(event: dict[str, Any]) -> Call:
    about, notes = event.get("objectRef") or {}, event.get("annotations") or {}
    subresource = about.get("subresource")
    is_allowed = notes.get("authorization.k8s.io/decision") == "allow"
    return Call(
        user=event["user"]["username"],
        verb=event["verb"],
        group=about.get("apiGroup", ""),
        resource=about.get("resource", "") + (f"/{subresource}" if subresource else ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        status=event["responseStatus"]["code"],
        at=event["requestReceivedTimestamp"],
        allowed_by=notes.get("authorization.k8s.io/reason", "") if is_allowed else "",
    )


def count(writes: Iterable[Call]) -> Counter[str]:
    """Return how often what was asked for, as `verb resource`."""
    return Counter(f"{write.verb} {write.resource}" for write in writes)
