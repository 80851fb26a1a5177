"""The heap of the C library, which keeps what Python frees until it is told to hand it back."""

from __future__ import annotations

import functools
from collections.abc import Callable


def trim_heap() -> bool:
    """Hand free pages of the heap back to the kernel; return whether there were any. With another C library than glibc nothing happens.

    Any thread may call it; it holds no lock of Python's, but allocations of the same arena wait for it (docs/design/0006).
    """
    trim = _find_trim()
    return trim is not None and bool(trim(0))


@functools.cache
def _find_trim() -> Callable[[int], int] | None:
    import ctypes  # noqa: PLC0415 - 0.7 MiB that only a bot whose memory is short pays for

    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is None:
        return None
    found.argtypes, found.restype = (ctypes.c_size_t,), ctypes.c_int
    trim: Callable[[int], int] = found
    return trim
