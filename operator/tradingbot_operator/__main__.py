"""Starts the operator: ``python -m tradingbot_operator``. Wiring only.

kopf brings the watches. Beside it run the passes over bots, the polling of observers, the resync and the operator's own pages. When it is
told to end, these end first, and then kopf.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import kopf
from kopf._core.engines.peering import Identity

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import METRICS_PATH
from tradingbot_contract.serving import PROMETHEUS, TEXT, Answer, PageServer
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.handlers import build_kopf_settings, build_registry
from tradingbot_operator.kube import Kube
from tradingbot_operator.log import configure_operator_log
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import DirectAccess, ProxyAccess, ReportPoller
from tradingbot_operator.queue import WorkQueue
from tradingbot_operator.reconciler import Reconciler
from tradingbot_operator.resync import Resync
from tradingbot_operator.settings import ObserverAccess, OperatorSettings, settings_from_env

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_WRONG_USE: Final = 64

_logger = logging.getLogger(__name__)


async def run(settings: OperatorSettings) -> None:
    """Run the operator until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    metrics, cache, kopf_settings = OperatorMetrics(), Cache(), build_kopf_settings()
    queue: WorkQueue[BotKey] = WorkQueue()
    metrics.queue_depth.set_function(lambda: len(queue))
    async with Kube(kopf_settings, metrics) as kube:
        access = ProxyAccess(kube) if settings.observer_access is ObserverAccess.PROXY else DirectAccess()
        poller = ReportPoller(cache, access.ask, queue.add, metrics, interval_seconds=settings.poll_interval_seconds)
        reconciler = Reconciler(settings=settings, kube=kube, cache=cache, queue=queue, poller=poller, metrics=metrics)
        resync = Resync(kube, cache, queue.add, metrics, settings.namespaces)
        server = PageServer(_pages(resync, metrics))
        await server.start("0.0.0.0", settings.port)  # noqa: S104 - the kubelet and Prometheus ask from outside the pod
        _stop_at_signals(stop)
        try:
            if await _first(resync.prime(), stop):
                return
            _logger.info("everything is listed", extra={"fields": {"bots": len(cache.bots())}})
            registry = build_registry(cache, queue.add, metrics)
            work = (reconciler.run(), poller.run(), resync.run())
            await _run_beside_kopf(await _start_kopf(settings, kopf_settings, registry, stop), work, server, stop)
        finally:
            queue.close()
            await server.stop()
            await access.close()


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


def _pages(resync: Resync, metrics: OperatorMetrics) -> dict[str, Any]:
    async def alive() -> Answer:
        return Answer(HTTPStatus.OK, TEXT, b"ok\n")

    async def ready() -> Answer:
        if resync.complete:
            return Answer(HTTPStatus.OK, TEXT, b"ok\n")
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, TEXT, b"not everything is listed yet\n")

    async def measured() -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, metrics.render())

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
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
