"""Carries out a plan: first the status, then the actions, then the Events.

A restart is never made before the decision stands in the status; if that can't be written, nothing is done. What the API server does
not take is remembered, so that the next pass can say so. What became so with the status is told even if an action fails: the next pass
finds it in the status already, and would never tell of it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

from tradingbot_contract.endpoints import ENGINE_CONTAINER
from tradingbot_operator.actions import Action, ApplyChild, DeleteChild, Notice, Plan, ResizePod, RestartPod, SetFinalizers, Tally, TouchPod
from tradingbot_operator.bot_status import TradingBotStatus, render_status
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.drift import controller_uid, differences
from tradingbot_operator.errors import ApiError, ConflictError, NamespaceGoingError, RefusedError
from tradingbot_operator.event_recorder import EventRecorder
from tradingbot_operator.kinds import BOT, POD, key_of, kind_of
from tradingbot_operator.kube import Kube
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import DESIRED_HASH, DOCUMENT_HASH, FIELD_MANAGER, FINALIZER, MANAGED_BY_LABEL, owner_reference
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import Metadata
from tradingbot_operator.world import Problem, ResizeRefusal

_JUDGED_BY_VERSION: Final = frozenset({"ConfigMap", "StatefulSet"})

_BOUNDS_NAMESPACE: Final = re.compile(r"exceeded quota|(usage|ratio) per (Container|Pod) is ")
"""In what the API server says when a ResourceQuota or a LimitRange does not allow something; it has no better sign of it."""

_logger = logging.getLogger(__name__)


class Actor:
    """Does what plans ask for."""

    def __init__(self, kube: Kube, cache: Cache, memory: Memory, metrics: OperatorMetrics) -> None:
        self._kube = kube
        self._cache = cache
        self._memory = memory
        self._metrics = metrics
        self._events = EventRecorder(kube)

    async def act(self, key: BotKey, body: Mapping[str, Any], metadata: Metadata, plan: Plan) -> bool:
        """Carry out a plan; return whether the bot should be looked at again at once.

        Raises:
            ApiError: the rest of it could not be carried out.
        """
        if plan.status is not None and not await self._write_status(key, body, plan.status):
            return False
        self._count(plan.tally)
        try:
            problem = await self._take_all(key, metadata, plan)
        except NamespaceGoingError as error:
            # Events would be refused as well.
            self._memory.note_namespace_going(key.namespace, now=time.time())
            _logger.info("the namespace is being deleted: %s", error, extra={"fields": {"bot": key}})
            return True
        except ApiError:
            await self._tell(metadata, [notice for notice in plan.notices if not notice.of_action])
            raise
        await self._tell(metadata, plan.notices)
        return self._memory.set_problem(key, problem) or problem is not None

    async def _take_all(self, key: BotKey, metadata: Metadata, plan: Plan) -> Problem | None:
        """Take the actions in their order; return the first of what was refused."""
        problem: Problem | None = None
        for action in plan.actions:
            try:
                found = await self._take(key, metadata, action)
            except NamespaceGoingError:
                raise
            except RefusedError as error:
                found = Problem(Reason.CHILD_REFUSED, f"{_describe(action)}: {error}")
            problem = problem or found
        return problem

    async def _tell(self, metadata: Metadata, notices: Iterable[Notice]) -> None:
        for notice in notices:
            await self._events.tell(owner_reference(metadata), metadata, notice)

    def _count(self, tally: Tally) -> None:
        for decision in tally.decisions:
            self._metrics.count_decision(decision.action, decision.reason)
        for decision in tally.results:
            self._metrics.count_result(decision.action, decision.result)
        for reason in tally.held:
            self._metrics.count_held(reason)

    def forget(self, key: BotKey) -> None:
        """Forget a bot that is gone."""
        self._memory.forget(key)
        self._events.forget(key)

    async def _write_status(self, key: BotKey, body: Mapping[str, Any], status: TradingBotStatus) -> bool:
        """Write the status over the one that the plan was made from; return False when the bot is gone."""
        change = {
            "metadata": {"resourceVersion": body["metadata"]["resourceVersion"]},
            "status": _merge_patch(body.get("status") or {}, render_status(status)),
        }
        written = await self._kube.patch(BOT, key.namespace, key.name, change, subresource="status")
        if written is None:
            return False
        self._cache.put(written)
        self._metrics.status_writes.inc()
        return True

    async def _take(self, key: BotKey, metadata: Metadata, action: Action) -> Problem | None:
        problem: Problem | None = None
        match action:
            case ApplyChild():
                problem = await self._apply(key, metadata, action)
            case DeleteChild():
                await self._kube.delete(kind_of(action.key.kind), key.namespace, action.key.name, uid=action.uid)
            case RestartPod():
                await self._restart(key, action)
                self._metrics.count_restart(action.reason)
            case TouchPod():
                await self._touch(key, action)
            case ResizePod():
                await self._resize(key, action)
            case SetFinalizers():
                await self._set_finalizers(key, action)
            case _:
                assert_never(action)
        if problem is None:
            self._metrics.actions.labels(type(action).__name__, action.reason.value).inc()
            level = logging.DEBUG if isinstance(action, TouchPod) else logging.INFO
            _logger.log(level, _describe(action), extra={"fields": {"reason": action.reason.value, "bot": key}})
        return problem

    async def _apply(self, key: BotKey, metadata: Metadata, action: ApplyChild) -> Problem | None:
        manifest = action.manifest
        child, kind = key_of(manifest), kind_of(manifest["kind"])
        if not action.resource_version:
            # It is not known. Before something of this name is made ours, it must not be somebody else's.
            there = await self._kube.get(kind, key.namespace, child.name)
            if there is not None and (stranger := _owned_by_somebody_else(there, metadata)):
                return Problem(Reason.CHILD_CONFLICT, f"{child} belongs to {stranger}: rename the bot, or remove it")
        operations = [
            {"op": "replace", "path": "/" + "/".join(_escape(part) for part in difference.path), "value": list(difference.wanted_list)}
            for difference in action.drift
            if difference.wanted_list is not None
        ]
        version = await self._strip(key, action, operations) if operations else action.resource_version
        applied = await self._kube.apply(_only_over(manifest, version))
        self._cache.put(applied)
        left = differences(manifest, applied)
        self._memory.note_applied(key, child, manifest["metadata"]["annotations"][DESIRED_HASH], now=time.time())
        if self._memory.note_left(key, child, left):
            fields = {"bot": key, "child": child, "fields": ", ".join(str(difference) for difference in left)}
            _logger.warning("something in the cluster insists on other values than the operator's", extra={"fields": fields})
        return None

    async def _strip(self, key: BotKey, action: ApplyChild, operations: list[dict[str, Any]]) -> str:
        """Take away list elements that somebody else added; server-side apply would leave them, or stumble over them.

        Returns:
            the version of the object without them; empty when it is gone.
        """
        kind, name = kind_of(action.manifest["kind"]), action.manifest["metadata"]["name"]
        test = {"op": "test", "path": "/metadata/resourceVersion", "value": action.resource_version}
        try:
            stripped = await self._kube.patch_json(kind, key.namespace, name, [test, *operations])
        except RefusedError as error:
            # A test that fails is refused like anything else.
            there = await self._kube.get(kind, key.namespace, name)
            if there is not None and there["metadata"]["resourceVersion"] == action.resource_version:
                raise
            raise ConflictError(f"{kind.name} {name}: {error}") from error
        return str(stripped["metadata"]["resourceVersion"]) if stripped else ""

    async def _restart(self, key: BotKey, action: RestartPod) -> None:
        try:
            going = await self._kube.delete(POD, key.namespace, action.name, uid=action.uid, grace_seconds=action.grace_seconds)
            if going is not None and "deletionTimestamp" in going["metadata"]:
                self._cache.put(going)  # or a pass before the watch tells of it would delete it again
        except ConflictError:
            _logger.info("the pod has been replaced already", extra={"fields": {"bot": key, "pod": action.name}})

    async def _touch(self, key: BotKey, action: TouchPod) -> None:
        change = {"metadata": {"uid": action.uid, "annotations": {DOCUMENT_HASH: action.document_hash}}}
        try:
            await self._kube.patch(POD, key.namespace, action.name, change)
        except (ConflictError, RefusedError) as error:
            # It only makes the file arrive sooner; and a pod that was replaced has it anyway.
            _logger.debug("the pod was not touched", extra={"fields": {"bot": key, "pod": action.name, "error": error}})

    async def _resize(self, key: BotKey, action: ResizePod) -> None:
        size = {"requests": action.requests, "limits": action.limits}
        change = {"metadata": {"uid": action.uid}, "spec": {"containers": [{"name": ENGINE_CONTAINER, "resources": size}]}}
        try:
            resized = await self._kube.resize(key.namespace, action.name, change)
            message = "" if resized else "the API server has no pods/resize"
            if resized:
                self._cache.put(resized)
        except ConflictError:
            _logger.info("the pod has been replaced or changed already", extra={"fields": {"bot": key, "pod": action.name}})
            return
        except RefusedError as error:
            message = str(error)
        if message:
            over_quota_at = time.time() if _BOUNDS_NAMESPACE.search(message) else None
            self._memory.note_refused_resize(key, action.uid, ResizeRefusal(action.requests, action.limits, message, over_quota_at))
            fields = {"bot": key, "pod": action.name, "error": message}
            _logger.warning("the pod's size can't be changed in place", extra={"fields": fields})

    async def _set_finalizers(self, key: BotKey, action: SetFinalizers) -> None:
        """Change the operator's own finalizer; the version makes sure that nobody else's change is lost."""
        body = self._cache.bot(key)
        if body is None:
            return
        others = [finalizer for finalizer in body["metadata"].get("finalizers") or () if finalizer != FINALIZER]
        finalizers = [*others, FINALIZER] if action.present else others
        change = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"], "finalizers": finalizers}}
        written = await self._kube.patch(BOT, key.namespace, key.name, change)
        if written is not None:
            self._cache.put(written)


def _only_over(manifest: dict[str, Any], version: str) -> dict[str, Any]:
    """Return what is applied: documents, and the template of the pods that read them, only over the version that was judged.

    An operator that was held up and no longer leads must not put back documents by which a symbol has two owners.
    """
    if not version or manifest["kind"] not in _JUDGED_BY_VERSION:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": version}}


def _owned_by_somebody_else(there: Mapping[str, Any], metadata: Metadata) -> str:
    """Return who else owns an object, or an empty text when the bot does or may."""
    owner = controller_uid(there)
    if owner == metadata.uid:
        return ""
    if owner is not None:
        (reference,) = [reference for reference in there["metadata"]["ownerReferences"] if reference.get("controller")]
        return f"{reference['kind']} {reference['name']}"
    # Ours and without an owner: what an orphaning deletion of the bot has left. It is taken up again.
    ours = (there["metadata"].get("labels") or {}).get(MANAGED_BY_LABEL) == FIELD_MANAGER
    return "" if ours else "somebody else"


def _merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merge patch that makes `new` of `old`: null takes a field away."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = _merge_patch(before, value)
            if inner:
                patch[name] = inner
        elif name not in old or before != value:
            patch[name] = value
    return patch


def _escape(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _describe(action: Action) -> str:
    match action:
        case ApplyChild():
            return f"apply {key_of(action.manifest)}"
        case DeleteChild():
            return f"delete {action.key}"
        case RestartPod():
            return f"recreate Pod {action.name}"
        case TouchPod():
            return f"touch Pod {action.name}"
        case ResizePod():
            return f"resize Pod {action.name}"
        case SetFinalizers():
            return "put the finalizer on" if action.present else "take the finalizer off"
