"""Which texts a model judges together. Pure.

In a batch every text is padded to the longest, and padding costs as much as words do: texts of like length go together, the longest first,
so that the largest need of memory comes first, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BATCH_TOKENS: Final = 1024
"""With padding; a model's working memory grows with them, so they are bounded whatever the spec's batchSize and maxTokens are."""


def plan_batches(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Return the indexes of the texts by batch: at most `batch_size` texts, and BATCH_TOKENS unless a single text has more."""
    batches: list[list[int]] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not batches or len(batches[-1]) >= min(batch_size, BATCH_TOKENS // max(1, width)):
            batches.append([])
            width = lengths[index]
        batches[-1].append(index)
    return batches
