"""A fold (a sum, mostly) of the last n items, without ever taking an item out of it.

A running sum that subtracts what leaves the window keeps the rounding of all that ever passed, and one large value spoils it for good.
Here the window is two parts. The newer is folded as items come. Of the older all the folds that will be needed are there already: of
its last item, its last two, and so on. The fold of the window is that of the two; when the newer part is as long as the window, it
becomes the older. So an item that has left has left no trace, an error is that of adding n numbers once, and each item costs two
combinations, amortised.

The idea is known as the two-stack queue: Tangwongsan, Hirzel, Schneider, "Low-Latency Sliding-Window Aggregation in Worst-Case Constant
Time" (DEBS 2017), section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class Sliding(Generic[Item]):
    """See the module. Items are what JSON can hold; a tuple may come back from it as a list."""

    __slots__ = ("_combine", "_newer", "_newer_fold", "_older_folds", "_period")

    def __init__(self, period: int, combine: Callable[[Item, Item], Item]) -> None:
        """`combine` is associative; its first argument is the newer."""
        self._period = period
        self._combine = combine
        self._newer: list[Item] = []
        self._newer_fold: Item | None = None
        self._older_folds: list[Item] = []
        """Of the last item of the older part, of the last two, …: the one that is needed next but one stands at the end."""

    def add(self, item: Item) -> Item | None:
        """Take the next item; return the fold of the last `period` items, None until there were as many."""
        newer, combine = self._newer, self._combine
        newer.append(item)
        fold = self._newer_fold
        fold = self._newer_fold = item if fold is None else combine(item, fold)
        if len(newer) == self._period:
            self._older_folds = list(accumulate(reversed(newer), combine))
            self._newer, self._newer_fold = [], None
            return fold
        older_folds = self._older_folds
        if not older_folds:
            return None
        older_folds.pop()
        return combine(fold, older_folds[-1])

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {"newer": list(self._newer), "newerFold": self._newer_fold, "olderFolds": list(self._older_folds)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same period."""
        self._newer = list(state["newer"])
        self._newer_fold = state["newerFold"]
        self._older_folds = list(state["olderFolds"])
