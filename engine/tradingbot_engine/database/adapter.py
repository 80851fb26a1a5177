"""What a kind of database has to offer so that pool, retry and monitor need not know which it is."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple, Protocol


class Outage(enum.Enum):
    """What an error says of the database as a whole, and so which success proves that it is over."""

    GONE = "gone"
    """It can't be reached: any use of it that succeeds ends it."""
    UNWRITABLE = "unwritable"
    """It could not take a write, its disk is full for example: a write that succeeds ends it."""
    MISPLACED = "misplaced"
    """It can't be opened anew. Connections that are open may work on a file that is deleted: only a check that opens it ends it."""


class Verdict(NamedTuple):
    """What a check has found."""

    outage: Outage | None
    """None: nothing is wrong."""
    message: str = ""


class Adapter(Protocol):
    """One database of one kind. Any thread may call it."""

    begin_reading: str
    """SQL that begins a transaction with one consistent look."""
    begin_writing: str
    begin_patient: str
    """SQL that begins a transaction that writes and has no limit of time."""
    single_writer: bool
    """Whether it takes one writer at a time, so that others had better wait in this process."""
    silence: Outage
    """What it means when a check does not end."""

    def engine_options(self) -> dict[str, Any]:
        """Return what SQLAlchemy's engine is made with, beside its pool."""

    def open(self, arguments: dict[str, Any], *, connections: int) -> Any:
        """Return a new connection of the driver, set up: one of at most so many.

        Raises:
            Exception: the driver's own error; the message has no password.
        """

    def set_patient(self, connection: Any, *, patient: bool) -> None:
        """Tell a driver's connection whether its statements may take as long as they like."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether a driver's error says that this connection can't be used any more, or that none can be had now."""

    def judge(self, error: BaseException, *, writes: bool) -> Outage | None:
        """Return what a driver's error in a transaction says of the database; None: nothing, others may go on."""

    def check(self, *, writes: bool) -> Verdict | None:
        """Reach it by a connection outside the pool, with a write if asked to; return what was found.

        None: it answers, and how it does is no answer to the question. It returns within seconds unless a disk hangs.
        """
