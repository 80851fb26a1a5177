"""What the user sees while it works: a line per step, a heartbeat, a table at the end.

Several steps run at once, so every line names its step. All of it goes to standard
error; standard output is for results that another program reads.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEARTBEAT_SECONDS = 30


@dataclass(frozen=True)
class Timing:
    step: str
    outcome: str  # "built", "cached", "done" or "failed"
    seconds: float


class Progress:
    """Prints lines and remembers how long each step took; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._running: dict[str, tuple[float, Path]] = {}
        self._timings: list[Timing] = []
        self._stop = threading.Event()
        threading.Thread(target=self._beat, daemon=True, name="heartbeat").start()

    def say(self, line: str) -> None:
        with self._lock:
            _print(f"[{time.monotonic() - self._started:5.0f} s] {line}")

    def begin(self, step: str, log: Path) -> None:
        with self._lock:
            self._running[step] = (time.monotonic(), log)
        self.say(f"{step} ...")

    def end(self, step: str, outcome: str) -> None:
        with self._lock:
            began, log = self._running.pop(step)
            seconds = time.monotonic() - began
            self._timings.append(Timing(step, outcome, round(seconds, 1)))
        note = f" (log: {log})" if outcome == "failed" else ""
        self.say(f"{step}: {outcome} in {seconds:.1f} s{note}")

    @contextlib.contextmanager
    def step(self, name: str, log: Path) -> Iterator[None]:
        """Something that is done each time, so it has no cached outcome."""
        self.begin(name, log)
        try:
            yield
        except BaseException:
            self.end(name, "failed")
            raise
        self.end(name, "done")

    def cached(self, step: str) -> None:
        with self._lock:
            self._timings.append(Timing(step, "cached", 0.0))

    def finish(self, timings_file: Path, command: str) -> None:
        """Print the table of steps, and keep it for whoever wants to compare runs."""
        self._stop.set()
        total = round(time.monotonic() - self._started, 1)
        worked = [timing for timing in self._timings if timing.outcome != "cached"]
        if worked:
            width = max(len(timing.step) for timing in self._timings)
            _print()
            for timing in self._timings:
                _print(f"  {timing.step:<{width}}  {timing.outcome:<7} {timing.seconds:8.1f} s")
            _print(f"  {'in all (steps run side by side)':<{width}}  {'':<7} {total:8.1f} s")
            self._keep(timings_file, command, total)

    def _keep(self, timings_file: Path, command: str, total: float) -> None:
        """Remember the last run of each command that had something to do."""
        runs = json.loads(timings_file.read_text()) if timings_file.exists() else {}
        runs[command] = {"seconds": total, "steps": [vars(timing) for timing in self._timings]}
        unfinished = timings_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(runs, indent=2) + "\n")
        unfinished.rename(timings_file)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            with self._lock:
                now = time.monotonic()
                long_ones = [
                    f"{step} ({now - began:.0f} s)" for step, (began, _) in self._running.items() if now - began >= HEARTBEAT_SECONDS - 1
                ]
            if long_ones:
                self.say("still at work: " + ", ".join(long_ones))


def _print(line: str = "") -> None:
    print(line, file=sys.stderr, flush=True)
