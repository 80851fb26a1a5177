"""Sees that the mounted document has changed, and hands on its text.

The file is looked at every 50 ms. Waiting for the kernel's word (inotify) would save two thousandths of a core and cost a watch that a node
has only so many of: 128 a user, and all bots of a node are one user. The kubelet swaps a symbolic link and an editor may write in place:

- Another file in the place of the one before is complete: it is read at once.
- The same file with other contents may still be written: it is read when two looks in a row saw the same.
- No file is nothing to judge by: the engine goes on with what it runs.

However many changes come while one is taken, the next that is taken is the last.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, NoReturn

from tradingbot_contract.file_version import FileVersion, read_file_version

LOOK_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 2.0
_logger = logging.getLogger(__name__)


class DocumentWatch:
    """See the module."""

    def __init__(
        self,
        path: Path,
        known: bytes,
        *,
        take: Callable[[bytes, float], Awaitable[bool]],
        note_unreadable: Callable[[str], None],
        look_seconds: float = LOOK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """Hand to `take` each text that is another than the one before, at first `known`, and when it was seen.

        `take` returns whether it is done with the text, else it gets it again; `note_unreadable` hears why a file can't be read.
        """
        self._path = path
        self._text: bytes | None = known
        self._take = take
        self._note_unreadable = note_unreadable
        self._look_seconds = look_seconds
        self._retry_seconds = retry_seconds
        self._read: FileVersion | None = None
        self._looked: FileVersion | None = None
        self._retry_at: float | None = None
        self._seen_at = 0.0
        self._gone = False

    async def run(self) -> NoReturn:
        """Follow the file until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._look_seconds)

    async def look(self) -> None:
        """Look once, and hand on what is new."""
        now = time.perf_counter()
        try:
            version = read_file_version(self._path)
            self._gone = False
            settled, self._looked = version == self._looked, version
            if version == self._read:
                await self._try_again(now)
                return
            if not settled:
                self._seen_at = now
                if not version.is_other_file_than(self._read):
                    return
            text = self._path.read_bytes()
        except FileNotFoundError:
            self._note_gone()
            return
        except OSError as error:
            self._text = self._read = self._looked = None  # whatever is there later is news
            self._note_unreadable(f"{self._path}: can't be read ({error.strerror})")
            return
        self._read = version
        if text != self._text:
            await self._hand_on(text, now)

    async def _try_again(self, now: float) -> None:
        if self._retry_at is not None and now >= self._retry_at and self._text is not None:
            await self._hand_on(self._text, now)

    async def _hand_on(self, text: bytes, now: float) -> None:
        self._text = text
        done = await self._take(text, self._seen_at)
        self._retry_at = None if done else now + self._retry_seconds

    def _note_gone(self) -> None:
        if not self._gone:
            self._gone = True
            _logger.warning("document is gone, the last good one goes on", extra={"fields": {"path": str(self._path)}})
