"""Builds things once: a step is run again only when what goes into it has changed.

A step's key is a hash of all that decides its output: its name, its inputs (texts and
files) and the keys of the steps it needs. Its output is the folder `steps/NAME-KEY`.

Invariant: such a folder is complete. A step writes into a folder with another name,
which is renamed when the step has succeeded, so an interrupted run can be repeated.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import commands
from cache_folder import Cache
from errors import ClusterError, CommandFailedError
from progress import Progress

# Outputs of older keys that are kept beside the newest, for switching between branches.
KEPT_GENERATIONS = 1


@dataclass(frozen=True)
class Work:
    """What a step gets: where to write, where to log, what its needs have made."""

    output: Path
    log: Path
    needs: dict[str, Path]


@dataclass(frozen=True)
class Step:
    """One thing to build. Steps of a lane run one after the other, lanes side by side."""

    name: str
    lane: str
    build: Callable[[Work], None]
    texts: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    needs: tuple[Step, ...] = ()
    # Outputs that live outside the folder (an image in Docker) can vanish: ask.
    still_there: Callable[[], bool] | None = None

    @cached_property
    def key(self) -> str:
        digest = hashlib.sha256(self.name.encode())
        for text in self.texts:
            digest.update(b"\0text\0" + text.encode())
        digest.update(digest_files(self.files).encode())
        for need in self.needs:
            digest.update(b"\0need\0" + need.key.encode())
        return digest.hexdigest()[:16]

    @property
    def folder_name(self) -> str:
        return f"{self.name.replace(' ', '-')}-{self.key}"


class Runner:
    """Runs steps, and before them the steps that they need, in threads."""

    def __init__(self, cache: Cache, progress: Progress) -> None:
        self._cache = cache
        self._progress = progress
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._futures: dict[str, Future[Path]] = {}
        self._lock = threading.RLock()

    def output(self, step: Step) -> Path:
        return self._cache.steps / step.folder_name

    def is_built(self, step: Step) -> bool:
        output = self.output(step)
        return output.is_dir() and (step.still_there is None or step.still_there())

    def start(self, step: Step) -> Future[Path]:
        """Begin a step; a step that is built already needs nothing and is done at once."""
        with self._lock:
            if step.key in self._futures:
                return self._futures[step.key]
            if self.is_built(step):
                future: Future[Path] = Future()
                future.set_result(self.output(step))
                os.utime(self.output(step))  # the age decides what `_forget_old` removes
                self._progress.cached(step.name)
            else:
                # Needs enter their lanes before the step enters its own, so a lane's
                # first job only ever waits for jobs that were submitted earlier.
                needs = {need.name: self.start(need) for need in step.needs}
                lane = self._lanes.setdefault(step.lane, ThreadPoolExecutor(max_workers=1))
                future = lane.submit(self._run, step, needs)
            self._futures[step.key] = future
            return future

    def result(self, step: Step) -> Path:
        return self.start(step).result()

    def stop(self) -> None:
        """Give up: end what runs, start nothing more."""
        commands.stop_all()
        for lane in self._lanes.values():
            lane.shutdown(wait=True, cancel_futures=True)

    def _run(self, step: Step, needs: dict[str, Future[Path]]) -> Path:
        wait(needs.values(), return_when=FIRST_EXCEPTION)  # one that failed ends the waiting for the others
        for future in needs.values():
            if future.done():
                future.result()
        inputs = {name: future.result() for name, future in needs.items()}
        output = self.output(step)
        unfinished = output.with_name(f"unfinished-{step.folder_name}")
        for leftover in (unfinished, output):  # `output` is there if only its image vanished
            if leftover.exists():
                shutil.rmtree(leftover)
        unfinished.mkdir()
        log = self._cache.logs / f"{step.name.replace(' ', '-')}.log"
        log.write_bytes(b"")
        self._progress.begin(step.name, log)
        try:
            step.build(Work(unfinished, log, inputs))
            unfinished.rename(output)
        except CommandFailedError as failure:
            self._progress.end(step.name, "failed")
            raise ClusterError(
                f"the step {step.name!r} failed: {failure}\nMend that and run it again: what is built already is kept."
            ) from failure
        except BaseException:
            self._progress.end(step.name, "failed")
            raise
        self._progress.end(step.name, "built")
        self._forget_old(step, output)
        return output

    def _forget_old(self, step: Step, output: Path) -> None:
        name_length = len(output.name) - len(step.key)
        older = [
            folder
            for folder in self._cache.steps.glob(f"{output.name[:name_length]}*")
            if folder != output and len(folder.name) == len(output.name)
        ]
        older.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in older[KEPT_GENERATIONS:]:
            shutil.rmtree(folder)


def digest_files(paths: Iterable[Path]) -> str:
    """One hash of the names and contents of files, and of all files in folders."""
    digest = hashlib.sha256()
    for relative, path in _all_files(paths):
        content = path.read_bytes()
        digest.update(f"{relative}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _all_files(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Every file below the paths, named relative to the path's own folder, in a fixed order."""
    found: list[tuple[str, Path]] = []
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
            found += [(str(file.relative_to(path.parent)), file) for file in inside]
        else:
            found.append((path.name, path))
    return sorted(found)
