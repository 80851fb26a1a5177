"""One shard of a bot as a pass sees it: its pod, what its observer says, and what it was according to the status."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_operator.bot_status import Shard
from tradingbot_operator.health import Verdict, assess
from tradingbot_operator.names import pod_name, shard_of
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import PodFacts, ReportView, World

STALL_SECONDS: Final = 120.0
"""How long a pod may take to get ready before it is said that it does not."""

_DEAD: Final = frozenset({Reason.ENGINE_SILENT, Reason.ENGINE_GONE, Reason.CRASH_LOOPING})
_IDLE: Final = frozenset({EngineState.FENCED, EngineState.REFUSED})
_UP: Final = frozenset({EngineState.RUNNING, EngineState.FINISHED, EngineState.FENCED})


class ShardView(Struct, frozen=True, kw_only=True):
    """What is known of one shard."""

    number: int
    name: str
    before: Shard
    """As the status has it."""
    pod: PodFacts | None
    view: ReportView
    verdict: Verdict
    engine: EngineStatus | None
    """The engine's own account of now: one that is silent or gone has left its last one in the report, which doesn't count."""

    @property
    def has_pod(self) -> bool:
        """Whether there is a pod that is not on its way out."""
        return self.pod is not None and not self.pod.terminating

    @property
    def is_dead(self) -> bool:
        """Whether its engine is known not to run, or not to answer."""
        return self.verdict.reason in _DEAD

    @property
    def is_idle(self) -> bool:
        """Whether its engine is up and has nothing to lose: it is fenced, or refuses its document."""
        return self.engine is not None and self.engine.state in _IDLE

    @property
    def refuses_for_good(self) -> bool:
        """Whether its engine can't run its document, and not for want of something that may come by itself: it settles nothing."""
        return self.engine is not None and self.engine.state is EngineState.REFUSED and bool(self.engine.document_refusal)

    @property
    def came_up(self) -> bool:
        """Whether its engine has ever been ready in the pod that there is."""
        pod, before = self.pod, self.before
        return pod is not None and (pod.ready or (before.came_up and before.pod_uid == pod.uid))

    @property
    def is_stuck(self) -> bool:
        """Whether it has a pod whose engine is not up: it trades nothing, and its end interrupts nothing."""
        pod = self.pod
        if pod is None or pod.terminating or pod.ready:
            return False
        if pod.failed or pod.unschedulable or pod.engine.running_since is None:
            return True
        return self.engine.state not in _UP if self.engine is not None else not self.came_up

    def never_came_up(self, now: float) -> bool:
        """Whether it has a pod that should have got ready by now and never was."""
        created_at = self.pod.created_at if self.pod else None
        return self.is_stuck and not self.came_up and created_at is not None and now - created_at >= STALL_SECONDS


def look_at_shards(world: World, count: int) -> tuple[ShardView, ...]:
    """Return the shards of a bot: so many, and those of which the status or a pod tells."""
    bot = world.bot
    numbers = [shard_of(bot, name) for name in (*(shard.name for shard in world.status.shards), *(pod.name for pod in world.pods))]
    known = max((number + 1 for number in numbers if number is not None), default=0)
    return tuple(_look(world, number) for number in range(max(count, known)))


def _look(world: World, number: int) -> ShardView:
    name = pod_name(world.bot, number)
    pod = next((pod for pod in world.pods if pod.name == name), None)
    view = world.reports.get(pod.uid, ReportView()) if pod else ReportView()
    verdict = assess(pod, view, world.bot.spec.health)
    return ShardView(
        number=number,
        name=name,
        before=next((shard for shard in world.status.shards if shard.name == name), Shard(name=name)),
        pod=pod,
        view=view,
        verdict=verdict,
        engine=view.report.engine if view.report and verdict.reason not in _DEAD else None,
    )
