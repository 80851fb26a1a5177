"""The mounted ``config.yaml``, as it changes while the pod runs.

A document is taken whole or refused whole. While the file can't be read or is refused, the last good document counts, and `error`
says so; before there was a good one, the defaults of the spec count. The text is compared, not the file's time: a mounted
ConfigMap changes by swapping symbolic links.
"""

from __future__ import annotations

from pathlib import Path

from tradingbot_contract.document import EngineDocument, SpecError, parse_document
from tradingbot_contract.spec import Health, Observability


class WatchedDocument:
    """The last good document of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: bytes | None = None
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
        """Read the file; return whether anything about it is new."""
        try:
            text = self._path.read_bytes()
        except OSError as error:
            return self._refuse(f"{self._path} can't be read: {error.strerror}", None)
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
