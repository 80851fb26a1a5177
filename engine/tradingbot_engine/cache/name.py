"""Which caches there are."""

from __future__ import annotations

import enum


class CacheName(enum.Enum):
    """The values of `cache` in the metrics."""

    VIEWS = "views"
    """Figures for people, each of the data at one time."""
    PREDICTIONS = "predictions"
    """Judged news."""
