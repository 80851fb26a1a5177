"""Tells what the environment does to a database from what a program does wrong.

A database that is gone, full or locked comes back, and what was to be written is offered to it again. A statement that it refuses would be
refused for ever: that is a bug, or tables that somebody has changed, and it surfaces.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import sqlalchemy

from tradingbot_engine.unavailable import UnavailableError

_REMEDY_BY_SQLITE_CODE: Final = {
    sqlite3.SQLITE_FULL: "the volume is full: enlarge it (database.storage.size), or free some of it",
    sqlite3.SQLITE_IOERR: "the volume fails: look at the node and at its storage",
    sqlite3.SQLITE_READONLY: "the volume is read-only: make it writable",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened: is the volume there, full, or read-only?",
    sqlite3.SQLITE_BUSY: "another process holds the file: stop it",
    sqlite3.SQLITE_LOCKED: "another process holds the file: stop it",
    sqlite3.SQLITE_PROTOCOL: "another process holds the file: stop it",
    sqlite3.SQLITE_NOMEM: "there is no memory left: raise engine.resources.limits.memory",
}
_PRIMARY_CODE: Final = 0xFF
_REMEDY_BY_SQLSTATE: Final = {
    "53100": "its disk is full: enlarge it, or free some of it",
    "53200": "it has no memory left",
    "53300": "it has no connection left: raise max_connections there, or lower database.pool here",
    "55P03": "something else holds a lock for too long",
    "57P03": "it is starting or stopping",
    "25006": "it is read-only now: has it failed over to another server?",
    "28P01": "the password is wrong: correct the secret",
    "28000": "the user may not connect: correct the secret, or the server's pg_hba.conf",
    "3D000": "there is no such database: correct the secret, or make the database",
    "40001": "it gave another transaction the preference",
    "40P01": "it gave another transaction the preference",
}
_READ_ONLY: Final = "25006"
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_POOL: Final = "no connection is free: raise database.pool, or find what keeps the database so slow"


def environment_fault(error: BaseException) -> str | None:
    """Return what is wrong with the environment and what to do about it, as one line; None if that isn't the cause."""
    if isinstance(error, UnavailableError):
        return str(error)
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return _POOL
    if not isinstance(error, sqlalchemy.exc.DBAPIError):
        return None
    cause = error.orig
    text = " ".join(str(cause).split())
    if isinstance(cause, sqlite3.Error):
        remedy = _REMEDY_BY_SQLITE_CODE.get(_primary_code(cause))
        return None if remedy is None else f"{text}: {remedy}"
    sqlstate = getattr(cause, "sqlstate", None)
    if not (isinstance(error, sqlalchemy.exc.OperationalError) or error.connection_invalidated or sqlstate == _READ_ONLY):
        return None
    remedy = _REMEDY_BY_SQLSTATE.get(sqlstate or "", "can the server be reached from here?" if sqlstate is None else "")
    return f"{text}: {remedy}" if remedy else text


def describe_damage(error: BaseException) -> str | None:
    """Return what is said of a SQLite file that can't be read as what it should be; None if that isn't the cause."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else None
    return str(cause) if isinstance(cause, sqlite3.Error) and _primary_code(cause) in _DAMAGED else None


def _primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's result code without its details; 0 if the error isn't SQLite's but the driver's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY_CODE
