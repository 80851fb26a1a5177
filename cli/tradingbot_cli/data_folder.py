"""The folder of one bot on this machine: its document, its journal, and what its programs logged in the last run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from tradingbot_cli.errors import RefusedError
from tradingbot_contract.document import EngineDocument, SpecError, render_document
from tradingbot_contract.endpoints import CONFIG_FILE, JOURNAL_FILE
from tradingbot_engine.database.lock import JournalLock
from tradingbot_engine.unavailable import UnavailableError

ROOT: Final = Path("tradingbot-data")


class DataFolder:
    """A bot's folder, made if it isn't there."""

    def __init__(self, path: Path) -> None:
        """Make the folder.

        Raises:
            RefusedError: it can't be made or written to.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RefusedError(f"data folder {path}: can't be made ({error.strerror}): name another with --data") from error

    @property
    def config(self) -> Path:
        """The engine's document."""
        return self.path / CONFIG_FILE

    @property
    def journal(self) -> Path:
        """Orders, fills and where the bot stopped."""
        return self.path / JOURNAL_FILE

    def log(self, program: str) -> Path:
        """Return where a program's log of this run is."""
        return self.path / f"{program}.log"

    def write(self, document: EngineDocument) -> None:
        """Write the document.

        Raises:
            RefusedError: the folder can't be written to.
        """
        new = self.config.with_suffix(".new")
        try:
            new.write_text(render_document(document))
            new.replace(self.config)
        except OSError as error:
            raise RefusedError(f"data folder {self.path}: can't be written to ({error.strerror}): name another with --data") from error


def check_unused(path: Path) -> None:
    """Return if no engine trades with the journal of this folder.

    Raises:
        RefusedError: one does, or the folder can't be used.
    """
    if not path.exists():
        return
    try:
        JournalLock(path).release()
    except (UnavailableError, SpecError) as error:
        raise RefusedError(str(error)) from error


def move_aside(path: Path, now: dt.datetime) -> Path | None:
    """Give a folder another name, which tells when; return it, or None when there is no such folder.

    Raises:
        RefusedError: it can't be renamed.
    """
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.{now:%Y-%m-%dT%H%M%S}")
    try:
        return path.rename(aside)
    except OSError as error:
        raise RefusedError(f"data folder {path}: can't be moved to {aside} ({error.strerror})") from error
