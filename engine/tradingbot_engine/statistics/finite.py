"""A figure, or nothing: what overflows or can't be computed is not shown as a number."""

from __future__ import annotations

import math


def finite(value: float) -> float | None:
    """Return the value; None if it is infinite or no number."""
    return value if math.isfinite(value) else None
