"""What the tests of this folder share lies beside them, in modules of their own."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE / "rules")]
