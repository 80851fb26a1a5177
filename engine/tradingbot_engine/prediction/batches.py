"""Which texts a model judges together. Pure.

In a batch every text is padded to the longest, and padding costs as much as words do: texts of like length go together.
"""

from __future__ import annotations

from collections.abc import Sequence


def plan_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Return the indexes of the texts by batch, the longest first; so the largest need of memory comes first, too."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
