"""Engine and observer as child processes that never outlive this one.

They are in process groups of their own, so that Ctrl-C reaches only this program, which then stops them in order. Should this
program be killed outright, the kernel kills them: the journal is made for that, and takes no harm.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tradingbot_cli.errors import RefusedError

STOP_SECONDS: Final = 2.0
_HOST: Final = "127.0.0.1"
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Children:
    """The programs of one run, by name."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, module: str, *arguments: str, log: Path) -> int:
        """Start a program of ours; return its pid. To be called before any thread runs."""
        command = [sys.executable, "-m", module, *arguments]
        with log.open("wb") as output:
            self._processes[module] = subprocess.Popen(  # noqa: S603 - our own programs, by this interpreter
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - no other thread runs yet
            )
        return self._processes[module].pid

    def exit_code(self, module: str) -> int | None:
        """Return how a program ended, None while it runs."""
        return self._processes[module].poll()

    def stop(self) -> None:
        """Stop all programs: politely, and after a while not politely."""
        running = [process for process in self._processes.values() if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()  # hung, or stopped with SIGSTOP
        for process in running:
            process.wait()


def choose_port(port: int | None) -> int:
    """Return the port, or one that is free now.

    Raises:
        RefusedError: it can't be listened on.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port or 0))
        except OSError as error:
            raise RefusedError(f"port {port}: can't be listened on ({error.strerror}): choose another") from error
        free: int = listener.getsockname()[1]
        return free


def _die_with(parent: int) -> Callable[[], None]:
    """Return what a new process must do first: ask the kernel to kill it when its parent ends."""

    def ask() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we could ask
            os._exit(1)

    return ask
