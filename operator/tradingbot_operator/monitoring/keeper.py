"""Looks each minute whether the installation's objects are as they should be, and acts where they aren't.

Only the operator that leads does so. Nothing that goes wrong here ends the operator or holds up a bot: it is told once, counted, and tried
again ever more slowly.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from tradingbot_operator.errors import ApiError
from tradingbot_operator.kinds import DEPLOYMENT, POD_MONITOR, Kind, ObjectKey, key_of, kind_of
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.monitoring.bundle import Bundle, read_bundle
from tradingbot_operator.monitoring.judge import KINDS, Apply, Remove, Sight, State, Verdict, judge
from tradingbot_operator.monitoring.objects import Installation, build_objects, object_keys
from tradingbot_operator.settings import OperatorSettings

LOOK_SECONDS: Final = 60.0
LONGEST_PAUSE_SECONDS: Final = 960.0
_WHOLE_LOOK: Final = "all"
"""Where a kind is counted otherwise."""

Object = dict[str, Any]
_logger = logging.getLogger(__name__)


def next_pause_seconds(last_seconds: float, *, well: bool) -> float:
    """Return how long to wait after a look; the longer, the more in a row went wrong."""
    return LOOK_SECONDS if well else min(last_seconds * 2.0, LONGEST_PAUSE_SECONDS)


class ObjectApi(Protocol):
    """What is needed of the API server."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None: ...

    async def served(self, api_version: str) -> frozenset[str]: ...

    async def apply(self, manifest: Object) -> Object: ...

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> Object | None: ...


class MonitoringKeeper:
    """Keeps the objects of one installation."""

    def __init__(self, api: ObjectApi, settings: OperatorSettings, metrics: OperatorMetrics) -> None:
        self._api = api
        self._settings = settings
        self._metrics = metrics
        self._bundle: Bundle | None = None
        self._built: tuple[Installation, tuple[Object, ...]] | None = None
        self._had_owner = False
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look, again and again, until cancelled."""
        pause_seconds = LOOK_SECONDS
        while True:
            well = await self.look()
            pause_seconds = next_pause_seconds(pause_seconds, well=well)
            await asyncio.sleep(pause_seconds)

    async def look(self) -> bool:
        """Look once, and act; return whether nothing went wrong."""
        try:
            verdict = await self._judge()
            failures = await self._act(verdict)
        except ApiError as error:
            self._metrics.monitoring_failures.labels(_WHOLE_LOOK).inc()
            self._tell([f"the objects for monitoring could not be looked at: {error}"])
            return False
        except Exception:
            # A bug in this part must not end the operator. It is told of in full and counted.
            self._metrics.monitoring_failures.labels(_WHOLE_LOOK).inc()
            _logger.exception("the look at the objects for monitoring failed")
            return False
        self._show(verdict, failures)
        self._tell([*failures.values(), *_describe(verdict)])
        return not failures

    async def _judge(self) -> Verdict:
        if self._bundle is None:
            self._bundle = await asyncio.to_thread(read_bundle)
        deployment = await self._api.get(DEPLOYMENT, self._settings.namespace, self._settings.lease)
        # A Deployment that was there and is gone was removed with its release, and this process is about to go, too.
        going = (deployment is None and self._had_owner) or (deployment is not None and "deletionTimestamp" in deployment["metadata"])
        self._had_owner |= deployment is not None
        installation = _installation(self._settings, deployment)
        kinds = await self._api.served(POD_MONITOR.api_version)
        live = {key: found for key in object_keys(self._bundle, installation) if (found := await self._find(key, kinds)) is not None}
        if self._built is None or self._built[0] != installation:
            # Reading the rules takes a while, which must not be the event loop's.
            built = await asyncio.to_thread(build_objects, self._settings.monitoring, self._bundle, installation)
            self._built = (installation, built)
        verdict = judge(self._settings.monitoring, self._built[1], Sight(kinds=kinds, live=live, going=going))
        if deployment is None and any(isinstance(action, Apply) for action in verdict.actions):
            fields = {"namespace": installation.namespace, "deployment": installation.name}
            _logger.info(
                "there is no Deployment of this operator, so the objects for monitoring stay when it goes", extra={"fields": fields}
            )
        return verdict

    async def _find(self, key: ObjectKey, kinds: frozenset[str]) -> Object | None:
        kind = kind_of(key.kind)
        if kind.api_version == POD_MONITOR.api_version and kind.plural not in kinds:
            return None
        return await self._api.get(kind, self._settings.namespace, key.name)

    async def _act(self, verdict: Verdict) -> dict[ObjectKey, str]:
        """Carry a verdict out; return what failed, in words."""
        failures: dict[ObjectKey, str] = {}
        for action in verdict.actions:
            key = action.key if isinstance(action, Remove) else key_of(action.manifest)
            try:
                await self._take(action)
            except ApiError as error:
                failures[key] = f"{key} could not be {'removed' if isinstance(action, Remove) else 'applied'}: {error}"
                self._metrics.monitoring_failures.labels(key.kind).inc()
        return failures

    async def _take(self, action: Apply | Remove) -> None:
        namespace = self._settings.namespace
        if isinstance(action, Remove):
            await self._api.delete(kind_of(action.key.kind), namespace, action.key.name, uid=action.uid)
            _logger.info("removed %s", action.key, extra={"fields": {"namespace": namespace}})
            return
        await self._api.apply(action.manifest)
        _logger.info("applied %s", key_of(action.manifest), extra={"fields": {"namespace": namespace, "why": action.why}})

    def _show(self, verdict: Verdict, failures: Mapping[ObjectKey, str]) -> None:
        states = Counter((key.kind, State.FAILED if key in failures else state) for key, state in verdict.states.items())
        for kind in KINDS:
            for state in State:
                self._metrics.monitoring_objects.labels(kind.name, state.value).set(states[kind.name, state])

    def _tell(self, problems: list[str]) -> None:
        """Log each problem when it appears or becomes another one."""
        for problem in problems:
            if problem not in self._told:
                _logger.warning("%s", problem)
        self._told = set(problems)


def _installation(settings: OperatorSettings, deployment: Mapping[str, Any] | None) -> Installation:
    owner = None
    pods: dict[str, str] | None = None
    if deployment is not None:
        owner = {
            "apiVersion": DEPLOYMENT.api_version,
            "kind": DEPLOYMENT.name,
            "name": settings.lease,
            "uid": deployment["metadata"]["uid"],
        }
        pods = deployment["spec"]["selector"]["matchLabels"]
    return Installation(
        name=settings.lease, namespace=settings.namespace, bot_namespaces=settings.namespaces, owner=owner, operator_pods=pods
    )


def _describe(verdict: Verdict) -> list[str]:
    """Return what people should hear of objects that are wanted and can't be."""
    found = [
        f"{key} is not this operator's: remove it, or switch its kind off under `monitoring`"
        for key, state in verdict.states.items()
        if state is State.FOREIGN
    ]
    kinds = sorted({key.kind for key, state in verdict.states.items() if state is State.UNSUPPORTED})
    if kinds:
        found.append(
            f"`monitoring` asks for {' and '.join(kinds)} (mode On), and the cluster does not know that kind: "
            "install the CRDs of the Prometheus operator, or set the mode to Auto"
        )
    return found
