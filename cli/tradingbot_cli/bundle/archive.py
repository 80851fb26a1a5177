"""The archive: every file goes through redaction on its way in, and the first of them says what the others are."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct

from tradingbot_cli.bundle.redaction import Redactor
from tradingbot_cli.whole_file import write_whole

CONTENTS: Final = "CONTENTS.md"
_LOG_BYTES: Final = 2_000_000


class Entry(Struct, frozen=True):
    """A file of the archive."""

    path: str
    what: str
    size_bytes: int
    redactions: int


class Archive:
    """Collects files; they are written at the end."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.missing: list[str] = []
        """What could not be read, and why."""
        self._texts: dict[str, str] = {}

    @property
    def redactions(self) -> int:
        return sum(entry.redactions for entry in self.entries)

    def add_structure(self, path: str, what: str, value: Any) -> None:
        """Add an object as YAML."""
        redactor = Redactor()
        clean = redactor.redact_structure(msgspec.to_builtins(value))
        self._add(path, what, yaml.safe_dump(clean, sort_keys=False, allow_unicode=True, width=140), redactor)

    def add_text(self, path: str, what: str, text: str) -> None:
        """Add a text; of one that is very long, the end."""
        redactor = Redactor()
        clean = redactor.redact_text(text)
        if len(clean) > _LOG_BYTES:
            clean = f"[the beginning is cut off: {len(clean) - _LOG_BYTES:,} characters]\n{clean[-_LOG_BYTES:]}"
        self._add(path, what, clean, redactor)

    def note_missing(self, what: str, why: str) -> None:
        """Note what the archive should have and hasn't."""
        self.missing.append(Redactor().redact_text(f"{what}: {' '.join(why.split())}"))

    def write(self, path: Path, introduction: str) -> None:
        """Write the archive, whole or not at all.

        Raises:
            RefusedError: it can't be written there.
        """
        root = path.stem
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{root}/{CONTENTS}", self._describe(introduction))
            for entry in self.entries:
                archive.writestr(f"{root}/{entry.path}", self._texts[entry.path])
        write_whole(path, packed.getvalue())

    def _add(self, path: str, what: str, text: str, redactor: Redactor) -> None:
        self._texts[path] = text
        self.entries.append(Entry(path, what, len(text.encode()), redactor.count))

    def _describe(self, introduction: str) -> str:
        lines = [
            "# Support bundle",
            "",
            Redactor().redact_text(introduction),
            "",
            "No Secret was read. What looks like a credential was replaced by REDACTED before it was written; look through it all the same",
            "before you give it away: it names your bots, symbols and nodes, and has their logs.",
            "",
            "| file | what it is | bytes | redacted |",
            "|---|---|---:|---:|",
            *(f"| {entry.path} | {entry.what} | {entry.size_bytes:,} | {entry.redactions} |" for entry in self.entries),
        ]
        if self.missing:
            lines += ["", "## Could not be read", "", *(f"- {each}" for each in self.missing)]
        return "\n".join([*lines, ""])
