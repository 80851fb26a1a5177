"""A Postgres that may be far away, shared by many bots, and behind a pooler of connections (pgbouncer).

Nothing depends on the state of a session, since behind such a pooler each transaction may run in another one: what a transaction needs is
set by the same message that begins it, and nothing is prepared on the server. No wait is without end: connecting, a statement, a
transaction that stands still, and a server that says nothing all have a limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy.engine import URL

from tradingbot_engine.database.adapter import Outage, Verdict
from tradingbot_engine.database.address import DatabaseAddress

STATEMENT_SECONDS: Final = 30
"""The server ends a statement that takes longer."""
_IDLE_SECONDS: Final = 60
"""The server ends a transaction that stands still for longer: an engine that is cut off must not lock out the one after it."""
_ANSWER_SECONDS: Final = STATEMENT_SECONDS + 5.0
"""The client gives up a connection whose server says nothing for so long: it has not even ended the statement."""
_FIRST_ANSWER_SECONDS: Final = 5.0
"""The same for tests of a connection and for the begin of a transaction, which cost a server nothing."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    "connect_timeout": 5,
    "client_encoding": "utf8",
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # Milliseconds that what was sent may go unacknowledged: without it the kernel tries for a quarter of an hour.
    "tcp_user_timeout": 10_000,
}
"""What the address may say otherwise."""
# SQLSTATE: the server shuts down, crashed or starts up, dropped the database, or ended a session that stood still.
_LOST: Final = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05", "25P03"})
_CONNECTION_CLASS: Final = "08"
# Insufficient resources (disk full), system error, internal error (damaged data).
_OUTAGE_CLASSES: Final = frozenset({"53", "58", "XX"})
_READ_ONLY: Final = "25006"
# While it refuses a connection a server has no SQLSTATE for the client, words only.
_REFUSED: Final = "FATAL"
_STARTS_OR_STOPS: Final = "the database system is"
_FULL_HOUSE: Final = ("too many clients", "too many connections", "remaining connection slots")
T = TypeVar("T")


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that is given up when its server says nothing for too long.

    TCP notices a network or a machine that is gone; it does not notice a server that stands still while its machine lives.
    """

    patient = False
    """Whether statements may take as long as they like."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if timeout is None:
            if self.pgconn.transaction_status == TransactionStatus.IDLE:
                timeout = _FIRST_ANSWER_SECONDS
            elif not self.patient:
                timeout = _ANSWER_SECONDS
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # nobody will read the answer
            raise


class PostgresAdapter:
    """See :class:`tradingbot_engine.database.adapter.Adapter`."""

    single_writer = False
    silence = Outage.GONE

    def __init__(self, address: DatabaseAddress, *, durable: bool) -> None:
        self._schema = address.schema
        self._arguments = _arguments_of(address.url)
        self._defaults = {**_DEFAULTS, "application_name": address.application}
        limits = f"SET LOCAL idle_in_transaction_session_timeout='{_IDLE_SECONDS}s'; SET LOCAL TimeZone='UTC'"
        statement_limit = f"SET LOCAL statement_timeout='{STATEMENT_SECONDS}s'"
        # Only `off` may lose a commit with the server's power; another value is the server's owner's choice and at least as safe.
        commit = (
            "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
            if durable
            else "SET LOCAL synchronous_commit=off"
        )
        self.begin_reading = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {limits}; {statement_limit}"
        self.begin_writing = f"BEGIN ISOLATION LEVEL READ COMMITTED; {limits}; {statement_limit}; {commit}"
        self.begin_patient = f"BEGIN ISOLATION LEVEL READ COMMITTED; {limits}; SET LOCAL statement_timeout=0; {commit}"

    def engine_options(self) -> dict[str, Any]:
        return {"use_native_hstore": False, "execution_options": {"schema_translate_map": {None: self._schema}}}

    def open(self, arguments: dict[str, Any], *, connections: int) -> Any:  # noqa: ARG002 - they share nothing
        # Prepared statements belong to a session, and poolers before pgbouncer 1.21 give the next transaction another one.
        # In the driver's autocommit the adapter's own BEGIN is the only one.
        return LimitedConnection.connect(**{**self._defaults, **arguments}, autocommit=True, prepare_threshold=None)

    def set_patient(self, connection: Any, *, patient: bool) -> None:
        connection.patient = patient

    def is_lost(self, error: BaseException) -> bool:
        if not isinstance(error, psycopg.Error):
            return False
        if error.sqlstate is not None:
            return error.sqlstate in _LOST or error.sqlstate.startswith(_CONNECTION_CLASS)
        if not isinstance(error, psycopg.OperationalError):
            return False
        text = str(error)
        return _REFUSED not in text or _STARTS_OR_STOPS in text

    def judge(self, error: BaseException, *, writes: bool) -> Outage | None:
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate
        if state is None:
            return Outage.GONE if isinstance(error, psycopg.OperationalError) else None
        if self.is_lost(error):
            return Outage.GONE
        if state[:2] in _OUTAGE_CLASSES or (writes and state == _READ_ONLY):
            return Outage.UNWRITABLE if writes else Outage.GONE
        return None

    def check(self, *, writes: bool) -> Verdict | None:
        try:
            with LimitedConnection.connect(**{**self._defaults, **self._arguments}, autocommit=True, prepare_threshold=None) as connection:
                read_only = connection.execute("SHOW transaction_read_only").fetchone()
                if read_only != ("off",):
                    return Verdict(Outage.UNWRITABLE, "it takes no writes: it is a standby, or was set to read-only")
                if writes:
                    connection.execute("SELECT pg_current_xact_id()")  # has to be written down when it commits
        except psycopg.Error as error:
            text = " ".join(str(error).split())
            if any(words in text for words in _FULL_HOUSE):
                return None
            return Verdict(self.judge(error, writes=writes) or Outage.GONE, text)
        return Verdict(None)


def _arguments_of(url: URL) -> dict[str, Any]:
    """Return what the driver is called with, as SQLAlchemy makes it of the address."""
    _, arguments = url.get_dialect()().create_connect_args(url)
    arguments.pop("context", None)
    return dict(arguments)
