"""The mounted ``config.yaml``, as it changes while the pod runs.

A document is taken whole or refused whole. While the file can't be read or is refused, the last good document counts, and `error`
says so; before there was a good one, the defaults of the spec count.

The file may be looked at many times a second: it is read only when it is another one than before, or is written and has settled.
"""

from __future__ import annotations

from pathlib import Path

from tradingbot_contract.document import EngineDocument, SpecError, parse_document
from tradingbot_contract.file_version import FileVersion, read_file_version
from tradingbot_contract.spec import Health, Observability


class WatchedDocument:
    """The last good document of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: bytes | None = None
        self._read: FileVersion | None = None
        self._seen: FileVersion | None = None
        self.document: EngineDocument | None = None
        self.error = ""
        """Why the file is not what counts; empty when it is."""

    @property
    def health(self) -> Health:
        """The limits that count now."""
        return self.document.health if self.document else Health()

    @property
    def observability(self) -> Observability:
        """The intervals that count now."""
        return self.document.observability if self.document else Observability()

    @property
    def generation(self) -> int | None:
        """Generation of the document that counts now; None: there is none yet."""
        return self.document.generation if self.document else None

    def look(self) -> bool:
        """Look at the file, and read it if it has changed; return whether anything about it is new."""
        try:
            version = read_file_version(self._path)
            settled, self._seen = version == self._seen, version
            if version == self._read or not (settled or version.is_other_file_than(self._read)):
                return False
            text = self._path.read_bytes()
        except OSError as error:
            self._read = self._seen = None
            return self._refuse(f"{self._path} can't be read: {error.strerror}", None)
        self._read = version
        if text == self._text:
            return False
        try:
            document = parse_document(text)
        except SpecError as error:
            return self._refuse(f"{self._path.name} is refused: {error}", text)
        self._text, self.document, self.error = text, document, ""
        return True

    def _refuse(self, why: str, text: bytes | None) -> bool:
        counts = f"generation {self.generation} goes on" if self.document else "the defaults count until there is a good one"
        message = f"{why}; {counts}"
        is_new = message != self.error
        self._text, self.error = text, message
        return is_new
