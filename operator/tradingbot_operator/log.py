"""The log: one line an event on standard error, a time, a level, a sentence and ``key=value`` pairs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_NEEDS_QUOTES: Final = frozenset(" \t\r\n\"'=\\{}[]")


class LineFormatter(logging.Formatter):
    """Writes the message, then what ``extra={"fields": {...}}`` held."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = getattr(record, "fields", {})
        line = " ".join([time, record.levelname, record.getMessage(), *(f"{key}={_render(value)}" for key, value in fields.items())])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_log(level: str) -> None:
    """Send all of the process's log to standard error, from this level (debug, info, warning, error) on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # At its own level kopf tells of every event that it hands on.
    logging.getLogger("kopf").setLevel(max(root.level, logging.INFO))
    logging.getLogger("kopf.objects").setLevel(max(root.level, logging.WARNING))


def _render(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if not text or _NEEDS_QUOTES & set(text) else text
