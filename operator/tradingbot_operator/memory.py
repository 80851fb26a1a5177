"""What the operator learned when it carried out its last plans. It is lost when the operator ends, and then learned again.

Nothing that a decision needs to be safe may stand here: that is what the resource's status is for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tradingbot_operator.cache import BotKey
from tradingbot_operator.child_plan import pause_seconds
from tradingbot_operator.drift import Difference
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.world import Applied, Problem, ResizeRefusal

Differences = tuple[Difference, ...]

QUIET_SECONDS: Final = 60.0
"""How long a child must have been left alone for its next repair to count as the first."""
GOING_SECONDS: Final = 30.0
"""How long it is believed that a namespace is being deleted; then a try tells again."""


class Memory:
    """By bot."""

    def __init__(self) -> None:
        self._problems: dict[BotKey, Problem] = {}
        self._left: defaultdict[BotKey, dict[ObjectKey, Differences]] = defaultdict(dict)
        self._settled: defaultdict[BotKey, dict[ObjectKey, Differences]] = defaultdict(dict)
        self._applied: defaultdict[BotKey, dict[ObjectKey, Applied]] = defaultdict(dict)
        self._resizes: defaultdict[BotKey, dict[str, ResizeRefusal]] = defaultdict(dict)
        self._going: dict[str, float] = {}
        """When a namespace was last found to be on its way out."""
        self._deletions: dict[BotKey, tuple[str, float]] = {}
        """Which bot of that name is being deleted, by its uid, and when that was first seen."""

    def problem(self, bot: BotKey) -> Problem | None:
        return self._problems.get(bot)

    def set_problem(self, bot: BotKey, problem: Problem | None) -> bool:
        """Note how the last plan went; return whether that is news."""
        before = self._problems.pop(bot, None)
        if problem is not None:
            self._problems[bot] = problem
        return before != problem

    def settled(self, bot: BotKey) -> dict[ObjectKey, Differences]:
        """Return the differences that something in the cluster insists on."""
        return self._settled.get(bot, {})

    def applied(self, bot: BotKey) -> dict[ObjectKey, Applied]:
        """Return how the children were last applied."""
        return self._applied.get(bot, {})

    def note_applied(self, bot: BotKey, child: ObjectKey, rendering: str, *, now: float) -> None:
        """Note that a rendering (by its hash) was applied; what was quiet for a while begins anew."""
        before = self._applied[bot].get(child)
        again = before is not None and before.hash == rendering and now - before.at < pause_seconds(before.times) + QUIET_SECONDS
        self._applied[bot][child] = Applied(hash=rendering, times=before.times + 1 if before and again else 1, at=now)

    def note_left(self, bot: BotKey, child: ObjectKey, left: Differences) -> bool:
        """Note what differed right after a child was applied; return whether it is given up.

        What is left twice in a row, the same, won't go by trying again. Once may be somebody who changed it in the same moment.
        """
        given_up = bool(left) and self._left[bot].get(child) == left
        if given_up:
            self._settled[bot][child] = left
        self._left[bot][child] = left
        return given_up

    def refused_resizes(self, bot: BotKey) -> dict[str, ResizeRefusal]:
        """Return the changes of size that the API server did not take, by uid of the pod."""
        return self._resizes.get(bot, {})

    def note_refused_resize(self, bot: BotKey, pod_uid: str, refusal: ResizeRefusal) -> None:
        """Note that the API server does not take a change of a pod's size; it is not tried again."""
        self._resizes[bot][pod_uid] = refusal

    def note_namespace_going(self, namespace: str, *, now: float) -> None:
        """Note that the API server makes nothing in a namespace any more, because it is being deleted."""
        # Of one that is gone nobody asks again.
        self._going = {place: at for place, at in self._going.items() if now - at <= GOING_SECONDS} | {namespace: now}

    def namespace_is_going(self, namespace: str, *, now: float, created_at: float) -> bool:
        """Return whether the namespace of a bot is being deleted. Nobody tells the operator, which may not read namespaces: its tries do.

        A bot that was created later is in another namespace of that name: nothing is made in one that goes. (The API server writes
        whole seconds.)
        """
        noted_at = self._going.get(namespace)
        return noted_at is not None and 0.0 <= now - noted_at <= GOING_SECONDS and created_at + 1.0 <= noted_at

    def deletion_seen_at(self, bot: BotKey, uid: str, *, now: float) -> float:
        """Return when this operator first saw that a bot is being deleted; that is now for one of which it knew nothing.

        An operator that begins anew waits anew: its engines are then given more time, and never less.
        """
        seen = self._deletions.get(bot)
        if seen is None or seen[0] != uid:
            seen = self._deletions[bot] = (uid, now)
        return seen[1]

    def forget(self, bot: BotKey) -> None:
        """Forget a bot that is gone."""
        self._deletions.pop(bot, None)
        self._problems.pop(bot, None)
        self._left.pop(bot, None)
        self._settled.pop(bot, None)
        self._applied.pop(bot, None)
        self._resizes.pop(bot, None)
