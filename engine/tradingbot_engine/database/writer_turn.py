"""Lets the threads of this process write one after the other, in the order in which they came.

SQLite would let one of them write, too, but those that wait would look again now and then, and somebody who writes batch after batch
would always be quicker: the clean-up of old rows must not keep orders from being journalled.
"""

from __future__ import annotations

import threading
from collections import deque


class WriterTurn:
    """A lock that is passed on to who has waited longest. Any thread may release it."""

    def __init__(self) -> None:
        self._changing = threading.RLock()  # the garbage collector may release it from inside
        self._held = False
        self._queue: deque[threading.Lock] = deque()

    def acquire(self, timeout_seconds: float) -> bool:
        """Wait for it; return whether it is held now."""
        with self._changing:
            if not self._held:
                self._held = True
                return True
            passed = threading.Lock()
            passed.acquire()
            self._queue.append(passed)
        try:
            if passed.acquire(timeout=timeout_seconds):
                return True
        except BaseException:
            if not self._leave(passed):
                self.release()
            raise
        return not self._leave(passed)

    def release(self) -> None:
        with self._changing:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._held = False

    def _leave(self, passed: threading.Lock) -> bool:
        """Leave the queue; return whether it was still in it, and not served in the last moment."""
        with self._changing:
            if passed not in self._queue:
                return False
            self._queue.remove(passed)
            return True
