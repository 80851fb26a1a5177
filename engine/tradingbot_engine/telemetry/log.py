"""The log: one line an event on standard error, a time, a level, a sentence and `key=value` pairs. Never a line per bar."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import Final

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;/_-+@%<>()")


class KeyValueFormatter(logging.Formatter):
    """Writes the message, then what `extra={"fields": {...}}` held."""

    def format(self, record: logging.LogRecord) -> str:
        time = dt.datetime.fromtimestamp(record.created, tz=dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = getattr(record, "fields", {})
        parts = [time, record.levelname, record.getMessage(), *(f"{key}={_render(value)}" for key, value in fields.items())]
        line = " ".join(parts)
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def _render(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if text and set(text) <= _PLAIN else json.dumps(text, ensure_ascii=False)


def configure_log(level: int = logging.INFO) -> None:
    """Send all of the process's log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
