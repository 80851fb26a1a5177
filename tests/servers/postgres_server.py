"""A Postgres of a test's own."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
from pathlib import Path

import commands
import psycopg

from server_binaries import POSTGRES, Binaries, find_binaries
from server_process import HOST, ServerProcess

USER = "tradingbot"
DATABASE = "postgres"
_READY_SECONDS = 2
_CONNECT_SECONDS = 60
# Postgres refuses to run as root.
_UNPRIVILEGED_USER = "nobody"


class PostgresServer(ServerProcess):
    """Started by entering it, or by `start`; `url` names it for SQLAlchemy."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": clients are cut off, transactions rolled back

    def __init__(self, *, max_connections: int = 100, fsync: bool = False, binaries: Binaries | None = None) -> None:
        """Make a cluster of databases, not yet running.

        `fsync=False` is as fast as it gets and survives the end of the process, but not of the machine.
        """
        super().__init__(binaries or find_binaries(POSTGRES), _UNPRIVILEGED_USER if os.geteuid() == 0 else None)
        self.password = secrets.token_hex(8)
        self._max_connections = max_connections
        self._fsync = fsync
        self._databases = 0
        self._data = self.folder / "data"
        try:
            self._initialise()
        except BaseException:
            self.close()
            raise

    def url(self, database: str = DATABASE, *, port: int | None = None) -> str:
        """The address for SQLAlchemy; `port` is that of a link to it."""
        return f"postgresql+psycopg://{USER}:{self.password}@{HOST}:{port or self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database and return its name."""
        self._databases += 1
        name = f"test_{self._databases}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return name

    def connect(self, database: str = DATABASE, *, patience_seconds: int = _CONNECT_SECONDS) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection beside those of the program under test; each statement is its own transaction."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            connect_timeout=patience_seconds,
            autocommit=True,
        )

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": self._max_connections,
            "fsync": "on" if self._fsync else "off",
            "full_page_writes": "on" if self._fsync else "off",
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",  # a killed server leaves nothing outside its folder
            "jit": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries.folder / "postgres"), "-D", str(self._data), *options]

    def answers(self) -> bool:
        try:
            self.connect(patience_seconds=_READY_SECONDS).close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        if self._user is not None and not _may_enter(self.binaries.folder):
            self.binaries = self.binaries.copied_to(self.folder / "programs")
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        password_file.chmod(0o600)
        argv = [
            str(self.binaries.folder / "initdb"), "--pgdata", str(self._data), "--username", USER, "--pwfile", str(password_file),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        ]  # fmt: skip
        if self._user is not None:
            shutil.chown(password_file, self._user)
            account = pwd.getpwnam(self._user)
            argv = ["setpriv", "--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups", "--", *argv]
        commands.run(argv, log=self.log_path, env=self.binaries.environment(), cwd=self.folder)
        password_file.unlink()


def _may_enter(folder: Path) -> bool:
    """Whether every user may reach what is in a folder."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))
