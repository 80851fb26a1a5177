"""The one folder outside the checkout that holds everything which is built or runs.

Invariant: deleting the folder (after `cluster.py down`) loses nothing but time.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent


class Cache:
    """Names of the files and folders in the cache, which exists after construction."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps = root / "steps"
        self.logs = root / "log"
        self.engine = root / "engine"
        self.go_build = root / "go-build"
        self.tools = root / "bin"
        self.kubeconfig = root / "kubeconfig"
        self.timings = root / "timings.json"
        for folder in (self.steps, self.logs, self.engine, self.go_build, self.tools):
            folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one run at a time changes the cache, the engine or the cluster."""
        with (self.root / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip()
                print(f"waiting for another run of cluster.py ({holder}) to finish ...", file=sys.stderr, flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(f"process {os.getpid()}")
            lock.flush()
            for unfinished in self.steps.glob("unfinished-*"):  # left by a run that was interrupted
                shutil.rmtree(unfinished)
            yield


def default_cache() -> Cache:
    """`$TRADINGBOT_CACHE`, or a folder under the user's cache folder."""
    chosen = os.environ.get("TRADINGBOT_CACHE")
    if chosen:
        return Cache(Path(chosen).expanduser().absolute())
    shared = os.environ.get("XDG_CACHE_HOME")
    return Cache((Path(shared) if shared else Path.home() / ".cache") / "tradingbot")
