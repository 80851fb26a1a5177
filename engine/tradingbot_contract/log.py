"""The log that every program of ours writes: one line an event on standard error, a time, a level, a sentence and ``key=value`` pairs.

``_logger.info("restored", extra={"fields": {"lap": 2}})`` becomes ``2026-01-02T03:04:05.678Z INFO restored lap=2``. Never a line per bar.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_NEEDS_QUOTES: Final = frozenset("\"'=\\{}[]")


class LineFormatter(logging.Formatter):
    """Writes the message, then what ``extra={"fields": {...}}`` held."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = getattr(record, "fields", {})
        line = " ".join([time, record.levelname, record.getMessage(), *(f"{key}={_render(value)}" for key, value in fields.items())])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure_log(level: str = "info") -> None:
    """Send all of the process's log to standard error, from this level (debug, info, warning, error) on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _render(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    bare = text and text.isprintable() and " " not in text and not _NEEDS_QUOTES & set(text)
    return text if bare else json.dumps(text, ensure_ascii=False)
