"""A server of a test's own: one process on a loopback port with a folder of its own, started, stopped, killed, paused.

Invariant: it never outlives the process that started it, and only processes that were started here are signalled.
"""

from __future__ import annotations

import contextlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from errors import ClusterError

from server_binaries import Binaries

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
_LOWEST_PORT = 20_000
_START_ATTEMPTS = 3
_SHOWN_LOG_LINES = 25
# Waits for the end of its input, which comes when the process that holds the other end is gone, however it ended.
# The start time tells the server from a later process with its number; killing the children first would let it have new ones.
_KEEPER = """
read -r _
if [ "$(cut -d ' ' -f 22 "/proc/$1/stat")" = "$2" ]; then
    children=$(cat "/proc/$1/task/$1/children")
    kill -9 "$1" $children
fi
while [ -e "/proc/$1/cwd" ]; do sleep 0.1; done
rm -rf -- "$3"
"""


class ServerError(ClusterError):
    """The server did not do what was asked of it; the end of its log is in the message."""


class ServerProcess(ABC):
    """One server. The port stays the same when it is started again, so that clients find it."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, binaries: Binaries, user: str | None = None) -> None:
        """`user` is whom the process runs as; None for the same user."""
        self.binaries = binaries
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"tradingbot-{self.name}-"))
        self.log_path = self.folder / "server.log"
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None
        if user is not None:
            shutil.chown(self.folder, user)

    @abstractmethod
    def command(self) -> list[str]:
        """The command line of the server, which stays in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether a client gets an answer now."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerError: it ended, or gives no answer.
        """
        if self.is_running:
            return
        first = self._process is None
        for attempt in range(1, _START_ATTEMPTS + 1):
            if self._launch():
                return
            if not (first and attempt < _START_ATTEMPTS and _is_taken(self.port)):
                break
            self.port = free_port()  # somebody took it between the choice and the start
        raise ServerError(f"{self.name} ended at once; its log ends with:\n{self._last_lines()}")

    def stop(self) -> None:
        """End it in order: it answers no more and has written what it has to write."""
        if not self.is_running:
            return
        self.resume()
        process = self._running()
        process.send_signal(self.stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(f"{self.name} did not stop within {STOP_SECONDS:g} s; its log ends with:\n{self._last_lines()}") from None
        finally:
            self._dismiss_keeper()

    def kill(self) -> None:
        """End it as a loss of power would, all its processes at once."""
        if self.is_running:
            server = self._running()
            for process in self._family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            server.wait()
        self._dismiss_keeper()

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop all its processes where they are: connections stay open and nothing answers."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in reversed(self._family()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def close(self) -> None:
        """End it and remove all that it has left."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _launch(self) -> bool:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.binaries.environment(),
                user=self._user,
                group=None if self._user is None else _group_of(self._user),
                extra_groups=None if self._user is None else [],
                start_new_session=True,
            )
        self._keeper = _start_keeper(self.name, self._process.pid, self.folder)
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None:
            if self.answers():
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} gave no answer within {START_SECONDS:g} s; its log ends with:\n{self._last_lines()}")
            time.sleep(_POLL_SECONDS)
        self._dismiss_keeper()
        return False

    def _dismiss_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        keeper.kill()
        keeper.wait()
        assert keeper.stdin is not None
        keeper.stdin.close()

    def _family(self) -> list[psutil.Process]:
        """The server and its children; the parent first, who could have more of them."""
        parent = psutil.Process(self._running().pid)
        return [parent, *parent.children(recursive=True)]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"{self.name} is not running; its log ends with:\n{self._last_lines()}")
        return self._process

    def _last_lines(self) -> str:
        return "\n".join(self.log().splitlines()[-_SHOWN_LOG_LINES:])


def free_port() -> int:
    """Return a loopback port that nobody listens on now, and that the kernel gives to no outgoing connection before it is taken."""
    first_of_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while _is_taken(port := _LOWEST_PORT + secrets.randbelow(first_of_kernel - _LOWEST_PORT)):
        pass
    return port


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def _start_keeper(name: str, pid: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sh", "-c", _KEEPER, f"keeper-of-{name}", str(pid), _start_ticks(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _start_ticks(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def _group_of(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
