"""Starts the operator: ``python -m tradingbot_operator``. Wiring only.

kopf brings the watches. Beside it run the resync and the operator's own pages, and in the one operator that leads the passes over bots and
the gathering of reports. One that waits has everything listed and watched, so it goes on where the other one stopped. When it is told
to end, its work ends first, then the lead is given back, and then kopf ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import kopf
from kopf._core.engines.peering import Identity

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import METRICS_PATH
from tradingbot_contract.serving import PROMETHEUS, TEXT, Answer, Page, PageServer
from tradingbot_operator.bot_metrics import BotSeries
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.fleet import Fleet
from tradingbot_operator.handlers import build_kopf_settings, build_registry
from tradingbot_operator.kube import Kube
from tradingbot_operator.leader import Elector, LeadershipLostError, new_identity
from tradingbot_operator.lease import LEASE_SECONDS, RENEW_SECONDS
from tradingbot_operator.liveness import Vitals, judge, render_checks
from tradingbot_operator.log import configure_operator_log
from tradingbot_operator.loop_lag import LoopLag
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources import ReportSource
from tradingbot_operator.metrics_sources.direct import DirectAccess, ProxyAccess, ReportPoller
from tradingbot_operator.metrics_sources.prometheus import PrometheusSource
from tradingbot_operator.monitoring.keeper import MonitoringKeeper
from tradingbot_operator.queue import WorkQueue
from tradingbot_operator.reconciler import Reconciler
from tradingbot_operator.resync import Resync
from tradingbot_operator.settings import MetricsSource, ObserverAccess, OperatorSettings, settings_from_env
from tradingbot_operator.term import Term, endless_term

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_WRONG_USE: Final = 64
_LEAD_LOST: Final = 75
_END_SECONDS: Final = LEASE_SECONDS - RENEW_SECONDS - 1.0
"""How long a process that has lost the lead may take to end in order; then it ends at once, and before anybody else leads."""

_logger = logging.getLogger(__name__)


async def run(settings: OperatorSettings) -> None:
    """Run the operator until SIGTERM or SIGINT.

    Raises:
        LeadershipLostError: it led, and can't be sure of that any more.
    """
    stop = asyncio.Event()
    metrics, kopf_settings = OperatorMetrics(), build_kopf_settings()
    queue: WorkQueue[BotKey] = WorkQueue(on_take=metrics.queue_seconds.observe, on_retry=metrics.queue_retries.inc)
    metrics.queue_depth.set_function(lambda: len(queue))
    cache, lag = Cache(queue.add), LoopLag(metrics)
    term = Term() if settings.leader_election else endless_term()
    async with contextlib.AsyncExitStack() as stack:
        kube = await stack.enter_async_context(Kube(kopf_settings, metrics, term))
        source = _build_source(settings, kube, cache=cache, queue=queue, metrics=metrics, stack=stack)
        lead = _Lead(settings, kube, term, metrics)
        series = BotSeries(lambda: term.is_leading)
        metrics.registry.register(series)
        resync = Resync(kube, cache, queue.add, metrics, settings.namespaces)
        reconciler = Reconciler(
            settings=settings,
            kube=kube,
            cache=cache,
            queue=queue,
            poller=source,
            fleet=Fleet(metrics),
            series=series,
            metrics=metrics,
            catch_up=resync.catch_up,
        )
        keeper = MonitoringKeeper(kube, settings, metrics)
        server = PageServer(_pages(_Process(resync, queue, source, lag, lead), metrics))
        await server.start("0.0.0.0", settings.port)  # noqa: S104 - the kubelet and Prometheus ask from outside the pod
        stack.push_async_callback(server.stop)
        stack.callback(queue.close)
        _stop_at_signals(stop)
        if await _first(resync.prime(), stop):
            return
        _logger.info("everything is listed", extra={"fields": {"bots": len(cache.bots())}})
        registry = build_registry(cache, queue.add, resync.note_event, metrics)
        work = (resync.run(), lag.run(), lead.work(reconciler.run, source.run, keeper.run))
        await _run_beside_kopf(await _start_kopf(settings, kopf_settings, registry, stop), work, server, stop)


def _build_source(
    settings: OperatorSettings,
    kube: Kube,
    *,
    cache: Cache,
    queue: WorkQueue[BotKey],
    metrics: OperatorMetrics,
    stack: contextlib.AsyncExitStack,
) -> ReportSource:
    """Return what the settings name; what it opens is closed with the stack."""
    if settings.metrics_source is MetricsSource.PROMETHEUS:
        source = PrometheusSource(settings, cache, queue.add, metrics)
        stack.push_async_callback(source.close)
        return source
    access = ProxyAccess(kube) if settings.observer_access is ObserverAccess.PROXY else DirectAccess()
    stack.push_async_callback(access.close)
    return ReportPoller(cache, access.ask, queue.add, metrics, interval_seconds=settings.poll_interval_seconds)


class _Lead:
    """The part of the operator that only one of several does at a time."""

    def __init__(self, settings: OperatorSettings, kube: Kube, term: Term, metrics: OperatorMetrics) -> None:
        self._term = term
        self._metrics = metrics
        self._elector: Elector | None = None
        if settings.leader_election:
            identity = new_identity(socket.gethostname())
            self._elector = Elector(kube, term, metrics, namespace=settings.namespace, name=settings.lease, identity=identity)

    @property
    def is_leading(self) -> bool:
        return self._term.is_leading

    def describe(self) -> str:
        if self.is_leading:
            return "this operator leads"
        leader = self._elector.leader if self._elector else ""
        return f"this operator waits; {leader or 'nobody'} leads"

    async def work(self, *jobs: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the lead, then do what only a leader does, until cancelled; then give the lead back.

        Raises:
            LeadershipLostError: it can't be held.
        """
        if self._elector is None:
            self._metrics.leader.set(1)
            await _until_one_ends(*(job() for job in jobs))
            return
        try:
            await self._elector.acquire()
            await _until_one_ends(self._elector.hold(), *(job() for job in jobs))
        except LeadershipLostError:
            # Whatever keeps the process from ending in order must not keep it until another one acts.
            asyncio.get_running_loop().call_later(_END_SECONDS, os._exit, _LEAD_LOST)
            raise
        finally:
            await self._elector.release()


async def _until_one_ends(*jobs: Coroutine[Any, Any, None]) -> None:
    """Do jobs side by side until one ends or fails; the others are then over, too, and the failure goes on to the caller."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


class _Watches(NamedTuple):
    task: asyncio.Task[None]
    stop: asyncio.Event


async def _start_kopf(
    settings: OperatorSettings, kopf_settings: kopf.OperatorSettings, registry: kopf.OperatorRegistry, stop: asyncio.Event
) -> _Watches:
    kopf_stop = asyncio.Event()
    ours = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=registry,
        settings=kopf_settings,
        standalone=True,
        # Only peering needs it; else kopf would look up a user's name, which a pod's user need not have.
        identity=Identity("tradingbot-operator"),
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        stop_flag=kopf_stop,
    )
    _stop_at_signals(stop)  # kopf has just taken the signals for itself
    return _Watches(asyncio.create_task(kopf.run_tasks(tasks, ignored=ours), name="kopf"), kopf_stop)


async def _run_beside_kopf(watches: _Watches, work: tuple[Coroutine[Any, Any, None], ...], server: PageServer, stop: asyncio.Event) -> None:
    """Run kopf and our own work until one of them ends or fails, or until the stop is asked for."""
    tasks = [asyncio.create_task(job) for job in work]
    waiter = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([watches.task, waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (waiter, *tasks):
            task.cancel()
        await asyncio.gather(waiter, *tasks, return_exceptions=True)
        # kopf waits for every task that is younger than itself, so open connections have to go before it is told to end.
        await server.stop()
        watches.stop.set()
        await asyncio.gather(watches.task, return_exceptions=True)
    for task in (watches.task, *tasks):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error  # it ends the operator, loudly


async def _first(job: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Do a job unless the stop is asked for before it is done; return whether it was."""
    task, waiter = asyncio.create_task(job), asyncio.create_task(stop.wait())
    await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if not task.done():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return stop.is_set()


def _stop_at_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


class _Process(NamedTuple):
    """What the pages about this process are made from."""

    resync: Resync
    queue: WorkQueue[BotKey]
    source: ReportSource
    lag: LoopLag
    lead: _Lead

    def vitals(self) -> Vitals:
        longest = self.queue.longest_pass()
        return Vitals(
            watches=self.resync.watches,
            longest_pass=(str(longest[0]), longest[1]) if longest else None,
            reports_turned_at=self.source.turned_at,
            listed_at=self.resync.listed_at,
            loop_lag_seconds=self.lag.seconds,
            is_leading=self.lead.is_leading,
            now=time.monotonic(),
        )


def _pages(process: _Process, metrics: OperatorMetrics) -> dict[str, Page]:
    async def alive() -> Answer:
        checks = judge(process.vitals())
        passed = all(check.passed for check in checks)
        return Answer(HTTPStatus.OK if passed else HTTPStatus.SERVICE_UNAVAILABLE, TEXT, render_checks(checks).encode())

    async def ready() -> Answer:
        # Also one that waits is ready: it can take over at any moment.
        if process.resync.complete:
            return Answer(HTTPStatus.OK, TEXT, f"ok: {process.lead.describe()}\n".encode())
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, b"not everything is listed yet\n")

    async def measured() -> Answer:
        # By the loop's clock, which no other thread has.
        longest = process.queue.longest_pass()
        metrics.longest_pass.set(longest[1] if longest else 0.0)
        # Thousands of bots take a while to render; meanwhile the loop goes on.
        return Answer(HTTPStatus.OK, PROMETHEUS, await asyncio.to_thread(metrics.render))

    return {"/healthz": alive, "/readyz": ready, METRICS_PATH: measured}


def main() -> int:
    """Run the operator; return the exit code."""
    own_namespace = _NAMESPACE_FILE.read_text().strip() if _NAMESPACE_FILE.is_file() else ""
    try:
        settings = settings_from_env(os.environ, own_namespace=own_namespace)
    except SpecError as error:
        sys.stderr.write(f"{error}\n")
        return _WRONG_USE
    configure_operator_log(settings.log_level)
    try:
        asyncio.run(run(settings))
    except LeadershipLostError as error:
        _logger.critical("this operator ends, because it no longer leads: %s", error)
        return _LEAD_LOST
    return 0


if __name__ == "__main__":
    sys.exit(main())
