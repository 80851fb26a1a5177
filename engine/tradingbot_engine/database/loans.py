"""Who has borrowed a connection, since when and where in the code: so that one that is never given back is found and named.

A unit of work ends by itself at the end of its `with`. It doesn't where the `with` is never left: a generator that nobody finishes, a
thread that hangs, a context that is entered by hand. Each such leak is a bug; it is counted and told once.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable
from types import CodeType
from typing import Final

LONGEST_LOAN_SECONDS: Final = 300.0
"""A connection that is out for longer counts as leaked. A statement has 30 s, and no unit of work has ten of them."""
_OWN_MODULES: Final = tuple(f"{__package__}.{module}" for module in ("connections", "loans", "retry", "unit_of_work"))
_logger = logging.getLogger(__name__)


class Loan:
    """One borrowed connection."""

    __slots__ = ("_borrower", "borrowed_at", "patient", "release_writer", "thread", "told")

    def __init__(self, *, patient: bool, release_writer: Callable[[], None]) -> None:
        self.borrowed_at = time.monotonic()
        self.patient = patient
        """Whether it may take as long as it likes."""
        self.release_writer = release_writer
        """Lets the next writer of this process go on; does nothing for who reads."""
        self.thread = threading.current_thread().name
        self.told = False
        self._borrower = _find_borrower()

    @property
    def where(self) -> str:
        """Where in the code it was borrowed."""
        if self._borrower is None:
            return "unknown"
        code, line = self._borrower
        return f"{code.co_filename}:{line} in {code.co_name}"


class Loans:
    """All loans of one database."""

    def __init__(self, name: str) -> None:
        self.leaks = 0
        self._name = name
        self._open: set[Loan] = set()
        self._telling = threading.Lock()

    def begin(self, loan: Loan) -> None:
        self._open.add(loan)

    def end(self, loan: Loan) -> None:
        self._open.discard(loan)

    def lose(self, loan: Loan) -> None:
        """The unit of work is gone, and was never ended."""
        self._open.discard(loan)
        self._tell(loan, "was dropped without an end")

    def review(self, now: float, longest_seconds: float = LONGEST_LOAN_SECONDS) -> None:
        """Find what has been out for too long at `now`, on the monotonic clock."""
        for loan in tuple(self._open):
            seconds = now - loan.borrowed_at
            if seconds > longest_seconds and not loan.patient:
                self._tell(loan, f"has had it for {seconds:.0f} s")

    def _tell(self, loan: Loan, what: str) -> None:
        with self._telling:
            if loan.told:
                return
            loan.told = True
            self.leaks += 1
        fields = {"pool": self._name, "borrowed": loan.where, "thread": loan.thread}
        _logger.error("a connection is leaked: who borrowed it %s: this is a bug", what, extra={"fields": fields})


def _find_borrower() -> tuple[CodeType, int] | None:
    """Return the place in the code outside of this package's own plumbing; a frame is not kept, it would keep all it knows."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "") in _OWN_MODULES:
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lineno)
