"""How much memory the engine may take, and how much it has taken, in the eyes of the one who kills it: the kernel.

The kernel kills when a cgroup's usage stands at its limit and nothing of it can be reclaimed. So what counts as used is the cgroup's usage
without the pages of files, which are dropped before anybody is killed: `usage - active_file - inactive_file`. That leaves what the
process allocated, files in memory (`tmpfs`), page tables, stacks and buffers of sockets. Two other figures mislead:

- *Resident set size* counts pages of files that are mapped (SQLite maps up to 256 MB of the journal) and misses what the kernel holds for
  the process.
- *Working set* (`usage - inactive_file`, what `kubectl top` shows) counts pages of files that were read twice: a price file that is read
  again brings it to the limit, where it stays, and nobody is in danger (docs/design/0006).

Everything is read again each time: an in-place change of the limit is in the next reading.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT
from tradingbot_engine.memory.cgroup import Cgroup, find_memory_cgroup

_PAGE_BYTES: Final = resource.getpagesize()
_UNLIMITED_FROM: Final = 2**60
"""cgroup v1 spells "no limit" as the largest multiple of a page below 2**63, v2 as `max`."""


class _Files(NamedTuple):
    limit: str
    usage: str
    reclaimable: tuple[str, ...]
    """Names in `memory.stat`, with what is below the cgroup."""


_FILES: Final = {
    1: _Files("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")),
    2: _Files("memory.max", "memory.current", ("active_file", "inactive_file")),
}


class MemoryReading(Struct, frozen=True):
    """One look at the container's memory. None: there is no limit, or nobody knows."""

    used_bytes: int | None
    """What the kernel can't take back without killing; of the same cgroup as the limit."""
    limit_bytes: int | None


class ContainerMemory:
    """Reads usage and limit: the smallest limit from the process's own cgroup up to the outermost that can be seen.

    What the pod was told when it started (:data:`tradingbot_contract.endpoints.ENV_MEMORY_LIMIT`) is the limit where no cgroup has one.
    """

    def __init__(self, environment: Mapping[str, str], root: Path = Path("/")) -> None:
        told = environment.get(ENV_MEMORY_LIMIT, "")
        self._told_bytes = int(told) if told.isdecimal() and int(told) > 0 else None
        self._root = root
        self._process = root / "proc" / "self"
        self._found: tuple[str, Cgroup | None] | None = None

    def read(self) -> MemoryReading:
        """Return usage and limit as they are now. Costs a few small reads of files that are no files (docs/design/0006)."""
        cgroup = self._find()
        if cgroup is None:
            return MemoryReading(self._read_resident_bytes(), self._told_bytes)
        files = _FILES[cgroup.version]
        folders = [self._root.joinpath(folder.relative_to("/")) for folder in cgroup.folders()]
        limits = [(limit, folder) for folder in folders if (limit := _read_limit(folder / files.limit)) is not None]
        if not limits:
            used = next((used for folder in folders if (used := _read_used(folder, files)) is not None), None)
            return MemoryReading(used, self._told_bytes)
        limit_bytes, holder = min(limits, key=lambda pair: pair[0])  # of equal ones the innermost
        return MemoryReading(_read_used(holder, files), limit_bytes)

    def read_limit_bytes(self) -> int | None:
        return self.read().limit_bytes

    def _find(self) -> Cgroup | None:
        try:
            membership = (self._process / "cgroup").read_text()
            if self._found is None or self._found[0] != membership:
                self._found = membership, find_memory_cgroup(membership, (self._process / "mountinfo").read_text())
        except OSError:
            return None
        return self._found[1]

    def _read_resident_bytes(self) -> int | None:
        try:
            return int((self._process / "statm").read_text().split()[1]) * _PAGE_BYTES
        except OSError:
            return None


def _read_limit(path: Path) -> int | None:
    """Return the limit; None if there is none, or no such file: the outermost cgroup has none."""
    text = _read(path).strip()
    return int(text) if text.isdecimal() and int(text) < _UNLIMITED_FROM else None


def _read_used(folder: Path, files: _Files) -> int | None:
    usage = _read(folder / files.usage).strip()
    if not usage.isdecimal():
        return None
    figures = dict(line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines())
    reclaimable = sum(int(figures.get(name, "0")) for name in files.reclaimable)
    return max(0, int(usage) - reclaimable)


def _read(path: Path) -> str:
    """Return the text; empty where there is no such file, or the cgroup has gone meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""
