"""Standard streams as they may be: closed, of an encoding without our signs, full, or with nobody at the other end.

None of it is a bug of the command, so none of it may end in a traceback.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def prepare_streams() -> None:
    """Make standard streams that take whatever is printed: a closed one takes nothing, a sign that an encoding lacks becomes ``?``."""
    # A stream that was closed when the program was started is None, whatever its type says.
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def drop_output() -> None:
    """Forget what is not written yet: nobody reads it, or it can't be written, and the interpreter would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else sys.stdout.fileno())


def is_full(error: OSError) -> bool:
    """Return whether what was written to has no room, or does not work."""
    return error.errno in _FULL


def _nowhere(mode: str) -> io.TextIOWrapper:
    stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - it is there until the program ends
    assert isinstance(stream, io.TextIOWrapper), "a text file is one"
    return stream
