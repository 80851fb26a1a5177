"""A memory cgroup of the test's own, with the processes that the test starts in it: made, limited, looked at, removed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from tradingbot_engine.memory.cgroup import find_memory_cgroup

_DEADLINE_SECONDS = 10.0


class MemoryCgroup:
    """Of version 1 or 2, whichever has the memory controller here. Needs root."""

    def __init__(self, limit_bytes: int) -> None:
        own = find_memory_cgroup(Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text())
        if own is None:
            pytest.fail("no memory cgroup is mounted here: this test lowers the limit of a real one")
        self._version = own.version
        self.folder = Path(own.mount) / f"tradingbot-test-{os.getpid()}-{time.monotonic_ns()}"
        try:
            if own.version == 2:
                Path(own.mount, "cgroup.subtree_control").write_text("+memory")
            self.folder.mkdir()
        except OSError as error:
            pytest.fail(f"{self.folder}: a cgroup can't be made ({error.strerror}): run this test as root, with cgroups mounted writable")
        self.limit(limit_bytes)
        (self.folder / ("memory.swap.max" if own.version == 2 else "memory.swappiness")).write_text("0")

    @property
    def launcher(self) -> list[str]:
        """A command that becomes the one that is given to it as its arguments, in here from its first page on."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def limit(self, limit_bytes: int) -> None:
        (self.folder / ("memory.max" if self._version == 2 else "memory.limit_in_bytes")).write_text(str(limit_bytes))

    @property
    def used_bytes(self) -> int:
        """What the kernel can't take back: without pages of files, which are here only if nobody had read the files before."""
        usage = int((self.folder / ("memory.current" if self._version == 2 else "memory.usage_in_bytes")).read_text())
        figures = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        prefix = "" if self._version == 2 else "total_"
        return usage - int(figures[f"{prefix}active_file"]) - int(figures[f"{prefix}inactive_file"])

    @property
    def kills(self) -> int:
        """How often the kernel has killed in here for want of memory."""
        text = (self.folder / ("memory.events" if self._version == 2 else "memory.oom_control")).read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])

    def remove(self) -> None:
        """Remove it; what ran in it has ended."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while self.folder.exists() and time.monotonic() < deadline:
            with contextlib.suppress(OSError):  # the last process isn't quite gone
                self.folder.rmdir()
            time.sleep(0.01)
        assert not self.folder.exists()
