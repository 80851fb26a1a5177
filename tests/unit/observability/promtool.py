"""Prometheus' own checker, from the package that brings the server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from server_binaries import PROMETHEUS, find_binaries


def promtool(*arguments: str | Path) -> None:
    """Run it; what it complains of is a failure."""
    binaries = find_binaries(PROMETHEUS)
    ended = subprocess.run(
        [binaries.folder / "promtool", *arguments], env=binaries.environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
