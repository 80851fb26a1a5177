"""Finds the engine's process and reads what another user may know of it.

The observer runs under another uid in the same process namespace, so ``environ``, ``fd``, ``io`` and ``smaps`` are closed to it by
design: keys in the engine's environment stay private. Only ``stat``, ``statm``, ``status`` and ``cmdline`` are read. A process is
held by pid and start time, so a pid that the system has given to another program is not taken for the engine.
"""

from __future__ import annotations

import os
from typing import Final

import psutil

from tradingbot_observer.sampler import ProcessReading

ENGINE_MODULE: Final = "tradingbot_engine"


class EngineProcess:
    """The engine's process, looked for anew when it is gone."""

    def __init__(self, pid: int | None = None, command_text: str = "") -> None:
        """Watch the process with this pid, or else the one whose command line runs the engine and holds `command_text`."""
        self._pid = pid
        self._command_text = command_text
        self._process: psutil.Process | None = None
        self._is_pid_used_up = False

    def read(self) -> ProcessReading | None:
        """Return what the system says now; None: there is no engine process that we can see."""
        if self._process is not None:
            reading = _read(self._process)
            if reading is not None:
                return reading
        self._process = self._find()
        return _read(self._process) if self._process else None

    def _find(self) -> psutil.Process | None:
        if self._pid is None:
            return self._search()
        # Once this process is gone, whatever has its pid later is another program.
        if self._is_pid_used_up:
            return None
        self._is_pid_used_up = True
        try:
            return psutil.Process(self._pid)
        except psutil.Error:
            return None

    def _search(self) -> psutil.Process | None:
        found: list[tuple[bool, float, psutil.Process]] = []
        for pid in psutil.pids():
            if pid == os.getpid():
                continue
            try:
                process = psutil.Process(pid)
                if self._is_engine(process.cmdline()):
                    found.append((process.uids().real == os.getuid(), process.create_time(), process))
            except psutil.Error:
                continue  # it ended while we looked, or is none of our business
        # In a pod there is one. Where there are more: the one of another user, then the oldest.
        return min(found, key=lambda candidate: candidate[:2])[2] if found else None

    def _is_engine(self, command: list[str]) -> bool:
        # The arguments count, and the program must be Python: a script that mentions the engine, or a wrapper that starts it, is not it.
        return (
            bool(command)
            and "python" in os.path.basename(command[0])  # noqa: PTH119 - a name, not a file of ours
            and any(argument == ENGINE_MODULE or argument.endswith(f"/{ENGINE_MODULE}/__main__.py") for argument in command[1:])
            and any(self._command_text in argument for argument in command)
        )


def _read(process: psutil.Process) -> ProcessReading | None:
    try:
        with process.oneshot():
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return None
            times = process.cpu_times()
            memory = process.memory_info()
            return ProcessReading(
                pid=process.pid,
                started_at=process.create_time(),
                cpu_seconds=times.user + times.system,
                memory_bytes=memory.rss - memory.shared,
                threads=process.num_threads(),
            )
    except psutil.Error:
        return None
