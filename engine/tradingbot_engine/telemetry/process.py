"""What the kernel knows of this process: memory, CPU time, and the limit of its container."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = resource.getpagesize()
_UNLIMITED_FROM: Final = 2**60
"""cgroup v1 spells "no limit" as a number near 2**63."""
_CGROUP_ROOT: Final = Path("/sys/fs/cgroup")
_LIMIT_FILES: Final = ("memory.max", "memory/memory.limit_in_bytes")
"""Of cgroup v2 and v1, as a container sees its own."""


def read_memory_bytes() -> int:
    """Return the resident set size."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES


def read_cpu_seconds() -> tuple[float, float]:
    """Return the CPU time in user and in system mode."""
    times = os.times()
    return times.user, times.system


def read_memory_limit_bytes(root: Path = _CGROUP_ROOT, fallback: str | None = None) -> int | None:
    """Return the container's memory limit, None if there is none.

    The cgroup's own figure follows a resize in place; `fallback` (an environment variable's text) is the one of the start.
    """
    for name in _LIMIT_FILES:
        try:
            text = (root / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text != "max" and int(text) < _UNLIMITED_FROM:
            return int(text)
        break
    return int(fallback) if fallback and fallback.isdecimal() and int(fallback) > 0 else None
