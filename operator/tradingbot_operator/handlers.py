"""What kopf calls: watches only. Every event goes into the cache and wakes one bot; nothing is decided here.

Only ``on.event`` is used. The handlers that keep state (``on.create``, timers, daemons) write annotations or finalizers into users'
objects, and see edges where the operator needs levels; indices block all handlers until everything is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import kopf

from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.kinds import BOT, CHILD_KINDS, POD, Kind
from tradingbot_operator.kube import login
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import MANAGED_SELECTOR

Note = Callable[[Kind, str], None]
"""Told of every event: its kind and namespace."""


def build_kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: it watches, and does nothing else."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.posting.loggers = False
    settings.peering.standalone = True
    # Kinds and namespaces are fixed, so nothing has to be discovered at run time, and no right to list CRDs or namespaces is needed.
    settings.scanning.disabled = True
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.inactivity_timeout = 70
    settings.watching.chunk_size = 500
    for kind in (*CHILD_KINDS, POD):
        settings.watching.label_selectors[kind.group, kind.version, kind.plural] = MANAGED_SELECTOR
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = (1, 1, 2, 3, 5, 8, 13)
    # Handlers take microseconds; what still waits when the operator ends is not worth waiting for.
    settings.queueing.exit_timeout = 0.1
    settings.queueing.idle_timeout = 1.0
    return settings


def build_registry(cache: Cache, wake: Callable[[BotKey], None], note: Note, metrics: OperatorMetrics) -> kopf.OperatorRegistry:
    """Return the handlers that feed a cache."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def take_credentials(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
        return login(settings)

    for kind in (BOT, *CHILD_KINDS, POD):
        watch = _build_handler(kind, cache, wake, note, metrics)
        kopf.on.event(kind.group, kind.version, kind.plural, id=f"watch-{kind.plural}", registry=registry)(watch)
    return registry


def _build_handler(kind: Kind, cache: Cache, wake: Callable[[BotKey], None], note: Note, metrics: OperatorMetrics) -> Callable[..., Any]:
    events, event_time = metrics.watch_events.labels(kind.name), metrics.watch_event_time.labels(kind.name)

    async def take(event: kopf.RawEvent, **_: Any) -> None:
        events.inc()
        event_time.set(time.time())
        note(kind, event["object"]["metadata"]["namespace"])
        item = {"apiVersion": kind.api_version, "kind": kind.name} | dict(event["object"])
        bot = cache.remove(item) if event["type"] == "DELETED" else cache.put(item)
        if bot is not None:
            wake(bot)

    return take
