"""A file that a person asks for: written whole or not at all, and whether it can be is known before the work that fills it.

What is there and is no regular file (a pipe, a terminal, /dev/null) is written to and never replaced.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tradingbot_cli.errors import RefusedError


def check_writable(path: Path) -> None:
    """Return if a file can be made there; nothing of it stays.

    Raises:
        RefusedError: it can't.
    """
    if not path.name:
        raise RefusedError(f"{str(path)!r} is no name of a file: give one")
    try:
        if not _is_special(path):
            new = _beside(path)
            new.touch()
            new.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write the file; one that is there is replaced.

    Raises:
        RefusedError: it can't be written there.
    """
    try:
        if _is_special(path):
            path.write_bytes(content)
        else:
            _replace(path, content)
    except OSError as error:
        raise _refusal(path, error) from error


def _replace(path: Path, content: bytes) -> None:
    new = _beside(path)
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):  # where none could be made
            new.unlink()
        raise


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _refusal(path: Path, error: OSError) -> RefusedError:
    return RefusedError(f"{path}: can't be written ({error.strerror}): name another file")
