"""An environment of their own for the peers that bench/ measures against, so that none of their packages is ever the engine's."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
REQUIREMENTS: Final = ROOT / "requirements" / "bench.txt"
PEER_ENVIRONMENT: Final = ROOT / "build" / "bench-env"


def make_peer_environment() -> Path:
    """Return the Python of an environment with the peers, made anew when their pins have changed."""
    python = PEER_ENVIRONMENT / "bin" / "python"
    stamp = PEER_ENVIRONMENT / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        uv = os.environ.get("UV") or shutil.which("uv")
        if uv is None:
            raise SystemExit("the peers need uv: run this as `make bench-NAME`, or set UV")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEER_ENVIRONMENT)], check=True)
        command = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python
