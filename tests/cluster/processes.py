"""Daemons that outlive this program: started once, found again later, stopped by pid.

Invariant: a process is signalled only if its start time is the recorded one and its
command line is ours, so that a stale record (after a reboot, say) never hits a process
of somebody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from errors import ClusterError

STOP_SECONDS = 30


@dataclass(frozen=True)
class Daemon:
    name: str
    argv: tuple[str, ...]
    folder: Path  # where its log and its record are

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def record(self) -> Path:
        return self.folder / f"{self.name}.process.json"

    def pid(self) -> int | None:
        """The pid if the process that was started is still running."""
        try:
            recorded = json.loads(self.record.read_text())
        except FileNotFoundError:
            return None
        pid = int(recorded["pid"])
        return pid if _identity(pid) == (recorded["start_ticks"], " ".join(self.argv)) else None

    def start(self, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Start it and wait until it answers; it goes on when this program ends."""
        with self.log.open("ab") as log:
            child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
        identity = _identity(child.pid)
        if identity is not None:
            self.record.write_text(json.dumps({"pid": child.pid, "start_ticks": identity[0]}))
        deadline = time.monotonic() + timeout_seconds
        while not is_ready():
            if child.poll() is not None:
                raise ClusterError(f"{self.name} ended with code {child.returncode} at once:\n{self._last_lines()}")
            if time.monotonic() > deadline:
                self.stop()
                raise ClusterError(f"{self.name} gave no answer in {timeout_seconds:g} s:\n{self._last_lines()}")
            time.sleep(0.1)

    def stop(self) -> bool:
        """Ask it to end and wait; true if it was running."""
        pid = self.pid()
        if pid is None:
            self.record.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.pid() is not None:
            _reap(pid)
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name} (process {pid}) did not end in {STOP_SECONDS} s; see {self.log}")
            time.sleep(0.05)
        self.record.unlink(missing_ok=True)
        return True

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-20:]
        return "\n".join(f"    {line}" for line in lines) + f"\n(all of it is in {self.log})"


def _identity(pid: int) -> tuple[int, str] | None:
    """Start time (clock ticks since boot) and command line of a living process."""
    process = Path("/proc") / str(pid)
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        command_line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, start_ticks = fields[0], int(fields[19])
    return None if state == "Z" else (start_ticks, command_line)


def _reap(pid: int) -> None:
    """Collect the exit status if it is our own child, else it would stay a zombie."""
    # No child if an earlier run of this program started it: then init collects it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
