"""The one loop that every cause ends in: observe, plan, act. It runs for one bot at a time, for several bots at once.

What woke a bot is not asked: each pass looks at everything. A pass that fails is tried again, ever more slowly; that is where errors of
the API server end.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tradingbot_contract.document import SpecError
from tradingbot_operator.act import Actor
from tradingbot_operator.actions import Plan, TouchPod
from tradingbot_operator.bot_metrics import BotSeries
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.errors import ConflictError, RefusedError, UnavailableError
from tradingbot_operator.fleet import Fleet
from tradingbot_operator.grants import is_observed
from tradingbot_operator.kinds import BOT, POD, ObjectKey
from tradingbot_operator.kube import Kube
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources import ReportSource
from tradingbot_operator.names import FINALIZER
from tradingbot_operator.observe import observe, read_status
from tradingbot_operator.plan import plan, plan_refused
from tradingbot_operator.queue import WorkQueue
from tradingbot_operator.resource import Metadata
from tradingbot_operator.settings import OperatorSettings

WORKERS: Final = 8

_logger = logging.getLogger(__name__)


class _Look(Struct, frozen=True):
    """When a bot is to be looked at again."""

    seconds: float
    """At the latest; infinity: only when something happens."""
    again: bool = False
    """Whether to try again before, with growing pauses: something could not be done."""


class Reconciler:
    """Brings every bot to what its resource says."""

    def __init__(
        self,
        *,
        settings: OperatorSettings,
        kube: Kube,
        cache: Cache,
        queue: WorkQueue[BotKey],
        poller: ReportSource,
        fleet: Fleet,
        series: BotSeries,
        metrics: OperatorMetrics,
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._catch_up = catch_up
        self._settings = settings
        self._kube = kube
        self._cache = cache
        self._queue = queue
        self._poller = poller
        self._fleet = fleet
        self._series = series
        self._metrics = metrics
        self._memory = Memory()
        self._actor = Actor(kube, cache, self._memory, metrics)
        self._phases: dict[BotKey, str] = {}

    async def run(self) -> None:
        """Work, until cancelled; first know all that was written before."""
        await self._catch_up()
        self._fleet.begin(self._cache.bots())
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            started = time.perf_counter()
            try:
                result = await self._pass(key)
            finally:
                self._queue.done(key)
            self._metrics.reconciles.labels(result).inc()
            self._metrics.reconcile_seconds.observe(time.perf_counter() - started)

    async def _pass(self, key: BotKey) -> str:
        fields: dict[str, Any] = {"bot": key}
        try:
            look = await self._reconcile(key)
        except ConflictError as error:
            _logger.debug("the bot is looked at again: %s", error, extra={"fields": fields})
            await self._refresh(key)
            self._queue.add_failed(key)
            return "conflict"
        except (UnavailableError, RefusedError) as error:
            fields |= {"error": error, "retry_seconds": self._queue.add_failed(key)}
            _logger.warning("a pass over the bot was cut short", extra={"fields": fields})
            return "unavailable" if isinstance(error, UnavailableError) else "refused"
        except Exception:
            # A bug shows with one bot; the others must not suffer for it. It is told of in full and counted.
            fields["retry_seconds"] = self._queue.add_failed(key)
            _logger.exception("a pass over the bot failed", extra={"fields": fields})
            return "error"
        if look.again:
            self._queue.add_failed(key)
        else:
            self._queue.forget_failures(key)
        if look.seconds < math.inf:
            self._queue.add_after(key, look.seconds)
        return "done"

    async def _reconcile(self, key: BotKey) -> _Look:
        """Make one pass; return when the next is to be."""
        body = self._cache.bot(key)
        if body is None:
            self._forget(key)
            return _Look(math.inf)
        metadata = _metadata(body)
        if metadata.deletion_timestamp is not None and FINALIZER not in metadata.finalizers:
            # The garbage collector takes the children; whatever is made now would be in its way.
            return _Look(math.inf)
        decided = self._decide(key, body, metadata, await self._absent_pods(key, body))
        self._count(key, (decided.status or read_status(body)).phase)
        self._fleet.note(key, judged=decided.tally.judged, sick=decided.tally.sick)
        if decided.figures is not None:
            self._series.note(key, decided.figures)
        again = await self._actor.act(key, body, metadata, decided)
        self._tell_source(decided, metadata.generation)
        return _Look(decided.due_seconds, again=True) if again else _Look(decided.recheck_seconds)

    def _tell_source(self, done: Plan, generation: int) -> None:
        """Let the pods be looked at closely from which a word is expected."""
        for pod_uid in done.attend:
            self._poller.attend(pod_uid)
        for action in done.actions:
            if isinstance(action, TouchPod):
                self._poller.expect(action.uid, generation)

    async def _absent_pods(self, key: BotKey, body: Mapping[str, Any]) -> frozenset[str]:
        """Return the pods that are not there, of those that may still trade a symbol which is to go to another one.

        The cache of pods may be older than that of StatefulSets, so the API server itself is asked, when a StatefulSet that lets no pod
        start with an earlier document has been seen.
        """
        leaving = {shard.name for shard in read_status(body).shards if shard.leaving} - {pod.name for pod in self._cache.pods(key)}
        if not leaving or not is_observed(self._cache.children(key).get(ObjectKey("StatefulSet", key.name))):
            return frozenset()
        found = {name: await self._kube.get(POD, key.namespace, name) for name in sorted(leaving)}
        return frozenset(name for name, pod in found.items() if pod is None)

    def _decide(self, key: BotKey, body: Mapping[str, Any], metadata: Metadata, absent_pods: frozenset[str]) -> Plan:
        now = time.time()
        try:
            world = observe(body, key, self._cache, self._poller, self._memory, fleet=self._fleet.facts(key), now=now)
            world = msgspec.structs.replace(world, absent_pods=absent_pods)
        except SpecError as error:
            deleting = metadata.deletion_timestamp is not None
            return plan_refused(read_status(body), error, generation=metadata.generation, now=now, deleting=deleting)
        return plan(world, self._settings)

    async def _refresh(self, key: BotKey) -> None:
        """Read a bot that is not as it was; what the watch brings may take a moment longer."""
        try:
            body = await self._kube.get(BOT, key.namespace, key.name)
        except (UnavailableError, RefusedError) as error:
            _logger.debug("the bot could not be read: %s", error, extra={"fields": {"bot": key}})
            return
        if body is not None:
            self._cache.put(body)

    def _forget(self, key: BotKey) -> None:
        self._queue.drop(key)
        self._actor.forget(key)
        self._fleet.forget(key)
        self._series.forget(key)
        self._count(key, None)

    def _count(self, key: BotKey, phase: Phase | None) -> None:
        if phase is None:
            self._phases.pop(key, None)
        else:
            self._phases[key] = phase.value
        self._metrics.show_phases(Counter(self._phases.values()))


def _metadata(body: Mapping[str, Any]) -> Metadata:
    metadata = body["metadata"]
    return Metadata(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        deletion_timestamp=metadata.get("deletionTimestamp"),
        finalizers=list(metadata.get("finalizers") or ()),
    )
