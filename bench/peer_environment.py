"""An environment of their own for the libraries that the benchmarks measure against, so that none of them is in the engine's."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
REQUIREMENTS: Final = ROOT / "requirements" / "bench.txt"
FOLDER: Final = ROOT / "build" / "bench-env"


def make_peer_environment(requirements: Path = REQUIREMENTS, folder: Path = FOLDER) -> Path:
    """Return the Python of an environment with what the file pins by version and hash, made anew when the file has changed."""
    python = folder / "bin" / "python"
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        uv = os.environ.get("UV") or shutil.which("uv")
        if uv is None:
            raise SystemExit("the peers need uv: run this with make (make bench-cache), or set UV")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        command = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(requirements)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python
