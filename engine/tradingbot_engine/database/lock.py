"""One engine per journal: an exclusive lock on a file beside it, held as long as the process lives.

The kernel drops the lock with the process, however it ends; a lock file that stays behind locks nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_engine.unavailable import UnavailableError

LOCK_FILE: Final = "engine.lock"


class JournalLock:
    """The lock of one data folder; taken on construction.

    Raises:
        UnavailableError: another process holds it.
        SpecError: the folder isn't there, or can't be written to.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / LOCK_FILE
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except FileNotFoundError:
            raise SpecError(f"data folder {folder}: there is none: create it, or name another with --data") from None
        except OSError as error:
            raise SpecError(
                f"data folder {folder}: can't be written to ({error.strerror}): it must belong to the engine's user or group"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise SpecError(f"data folder {folder}: its file system has no locks ({error.strerror}): use one that does") from error
            raise UnavailableError(
                f"data folder {folder}: another engine (process {holder or 'unknown'}) trades with this journal: "
                "stop it, or give this one a folder of its own"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have it; the file stays, since removing it would let two processes lock two files of one name."""
        with contextlib.suppress(OSError):  # closed already
            os.close(self._descriptor)
