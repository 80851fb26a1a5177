"""Runs other programs, with their output in a log file, and never leaves one behind.

Invariant: every child runs in a process group of its own and is ended with it when
this program is interrupted or when a step elsewhere fails; daemons, which are meant
to outlive us, are not started here (see processes.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from errors import ClusterError, CommandFailedError

_running: set[subprocess.Popen[bytes]] = set()
_running_lock = threading.Lock()
_stopping = threading.Event()


def run(
    argv: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | None = None,
) -> None:
    """Run a command to its end; its output goes to the end of `log`."""
    words = [str(word) for word in argv]
    with log.open("ab") as sink:
        sink.write(f"\n$ {' '.join(words)}\n".encode())
        sink.flush()
        start = sink.tell()
        code = _wait(_spawn(words, env, stdout=sink, stderr=sink, stdin=stdin, cwd=cwd))
    if code != 0:
        with log.open("rb") as source:
            source.seek(start)
            output = source.read().decode(errors="replace")
        raise CommandFailedError(words, f"ended with code {code}", output + f"\n(all of it is in {log})")


def output(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout_seconds: float | None = None) -> str:
    """What a command prints to standard output; an error if it fails."""
    words = [str(word) for word in argv]
    child = _spawn(words, env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        _end(child)
        raise CommandFailedError(words, f"gave no answer in {timeout_seconds:g} s", "") from None
    finally:
        _forget(child)
    if child.returncode != 0:
        raise CommandFailedError(words, f"ended with code {child.returncode}", (out + err).decode(errors="replace"))
    return out.decode(errors="replace")


def succeeds(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout_seconds: float = 30) -> bool:
    """Whether a command that only asks a question answers yes."""
    try:
        output(argv, env=env, timeout_seconds=timeout_seconds)
    except (CommandFailedError, FileNotFoundError):
        return False
    return True


def pipe(source: Sequence[str | Path], sink: Sequence[str | Path], *, log: Path, env: Mapping[str, str]) -> None:
    """`source | sink`, where a failure of either is an error."""
    words = [str(word) for word in source]
    with log.open("ab") as errors:
        producer = _spawn(words, env, stdout=subprocess.PIPE, stderr=errors)
        assert producer.stdout is not None
        with producer.stdout as stream:
            try:
                run(sink, log=log, env=env, stdin=stream)
            except BaseException:
                _end(producer)
                raise
        code = _wait(producer)
    if code != 0:
        raise CommandFailedError(words, f"ended with code {code}", log.read_text(errors="replace"))


def stop_all() -> None:
    """End every running command and start no more: something failed elsewhere."""
    _stopping.set()
    with _running_lock:
        children = list(_running)
    for child in children:
        _end(child)


def _spawn(
    words: list[str],
    env: Mapping[str, str] | None,
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    stdin: IO[bytes] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    if _stopping.is_set():
        raise ClusterError(f"`{words[0]}` was not started, because another step failed")
    child = subprocess.Popen(
        words,
        env=None if env is None else {**os.environ, **env},
        cwd=cwd,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    with _running_lock:
        _running.add(child)
    return child


def _wait(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait()
    except BaseException:
        _end(child)
        raise
    finally:
        _forget(child)


def _forget(child: subprocess.Popen[bytes]) -> None:
    with _running_lock:
        _running.discard(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGTERM)
    except ProcessLookupError:
        return  # it ended by itself in the meantime
