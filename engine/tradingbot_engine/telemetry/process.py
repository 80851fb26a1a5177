"""What the kernel knows of this process: memory and CPU time."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = resource.getpagesize()


def read_memory_bytes() -> int:
    """Return the resident set size."""
    with Path("/proc/self/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES


def read_cpu_seconds() -> tuple[float, float]:
    """Return the CPU time in user and in system mode."""
    times = os.times()
    return times.user, times.system
