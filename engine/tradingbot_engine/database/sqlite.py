"""A SQLite file, set up so that what is committed stays committed, and so that reading does not wait for writing.

WAL lets views read while the journal writes. `synchronous=FULL` makes a commit survive the loss of power, not only the end of the
process; NORMAL is several times as fast and may lose the last commits with the power, never the file.

The file is mapped into memory: reading copies nothing. Each connection has a map of its own, and the pages that it has touched count in
the process's resident size as often as they are mapped, though memory holds them once and the kernel takes them back before it kills. So
the connections share out what may be mapped: 30 of them that had each read a file of 87 MiB made 2.6 GiB of the resident size otherwise.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any, Final

from tradingbot_engine.database.adapter import Outage, Verdict

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long a connection waits for the lock that another process or connection holds."""
_CHECK_BUSY_SECONDS: Final = 1.0
_MMAP_BYTES: Final = 256 * 2**20
"""Shared out among the connections of a pool."""
_CACHE_KIB: Final = 1024
"""Pages that a connection keeps for itself; what it reads comes from the map, so that it holds little more than what it is writing."""
_CHECKPOINT_PAGES: Final = 1000
"""Size of the log at which a commit moves it into the file: 4 MiB."""
_LOG_BYTES: Final = 16 * 2**20
"""What a log that a long reader has let grow is cut back to."""
# Primary result codes (sqlite.org/rescode.html): permission, read-only, input/output, corrupt, full, can't open, no database.
_OUTAGES: Final = frozenset({3, 8, 10, 11, 13, 14, 26})


class SqliteAdapter:
    """See :class:`tradingbot_engine.database.adapter.Adapter`."""

    begin_reading = "BEGIN"
    # A transaction that begins as a reader and then writes can fail half-way with "database is locked"; this one waits first.
    begin_writing = "BEGIN IMMEDIATE"
    begin_patient = begin_writing
    single_writer = True
    silence = Outage.MISPLACED

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._opening = threading.Lock()
        self._pragmas = (
            "PRAGMA journal_mode=WAL",
            f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}",
            "PRAGMA foreign_keys=ON",
            "PRAGMA temp_store=MEMORY",
            f"PRAGMA cache_size=-{_CACHE_KIB}",
            f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}",
            f"PRAGMA journal_size_limit={_LOG_BYTES}",
        )

    def engine_options(self) -> dict[str, Any]:
        return {}

    def open(self, arguments: dict[str, Any], *, connections: int) -> Any:  # noqa: ARG002 - the path is all that a connection needs
        # The first two connections to a new file would both turn it to WAL, which no busy timeout covers.
        with self._opening:
            connection = self._connect("rwc", BUSY_TIMEOUT_SECONDS)
            try:
                for pragma in (*self._pragmas, f"PRAGMA mmap_size={_MMAP_BYTES // connections}"):
                    connection.execute(pragma).close()
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    def set_patient(self, connection: Any, *, patient: bool) -> None:
        """Do nothing: nothing here has a limit."""

    def is_lost(self, error: BaseException) -> bool:  # noqa: ARG002 - a file has no other end
        return False

    def judge(self, error: BaseException, *, writes: bool) -> Outage | None:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF not in _OUTAGES:
            return None
        return Outage.UNWRITABLE if writes else Outage.GONE

    def check(self, *, writes: bool) -> Verdict | None:
        outage = Outage.MISPLACED
        try:
            with contextlib.closing(self._connect("rw", _CHECK_BUSY_SECONDS)) as connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if writes:
                    outage = Outage.UNWRITABLE
                    # Sets what is set already: it is a page in the log, and a commit, which a full disk refuses.
                    connection.execute("PRAGMA synchronous=FULL").close()
                    connection.execute(f"PRAGMA user_version={version}").close()
        except sqlite3.Error as error:
            return None if self.judge(error, writes=writes) is None else Verdict(outage, f"{self._path}: {error}")
        return Verdict(None)

    def _connect(self, mode: str, busy_timeout_seconds: float) -> sqlite3.Connection:
        # The driver's own transactions are off (isolation_level): its BEGIN comes late and never waits for the writer's lock.
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=busy_timeout_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
