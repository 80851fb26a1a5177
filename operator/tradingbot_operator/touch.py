"""Which pods are touched, so that the kubelet brings them their changed document at once: each once for each change.

The annotation names the document's digest and the version of the ConfigMap that it replaced: a document that somebody changed and that is
put back must arrive as soon as a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tradingbot_contract.document import EngineDocument
from tradingbot_operator.actions import TouchPod
from tradingbot_operator.names import document_key
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.shard_view import ShardView


def plan_touches(
    bot: TradingBot,
    told: tuple[tuple[ShardView, EngineDocument], ...],
    texts: Mapping[str, str],
    config: Mapping[str, Any] | None,
    *,
    is_applied_now: bool,
) -> tuple[TouchPod, ...]:
    """Return the touches.

    Args:
        bot: The bot.
        told: Its shards, and what each should be told.
        texts: The documents as they should be stored, by key.
        config: The ConfigMap as it is, None if there is none.
        is_applied_now: Whether this plan brings it to what it should be.
    """
    stored: Mapping[str, str] = (config or {}).get("data") or {}
    version = config["metadata"].get("resourceVersion", "0") if config else "0"
    touches = []
    for shard, document in told:
        pod, key = shard.pod, document_key(bot, shard.number)
        if pod is None or pod.terminating:
            continue
        digest = hashlib.sha256(texts[key].encode()).hexdigest()[:16]
        is_stored = stored.get(key) == texts[key]
        if not is_stored and not is_applied_now:
            continue  # there is nothing to bring yet
        if is_stored and (pod.document_hash.partition(".")[0] == digest or not _is_late(shard, document)):
            continue
        touches.append(TouchPod(pod.name, pod.uid, f"{digest}.{version}"))
    return tuple(touches)


def _is_late(shard: ShardView, document: EngineDocument) -> bool:
    """Return whether a pod has an earlier document: an operator that ended between two calls has left it to the kubelet's next round."""
    pod = shard.pod
    if pod is not None and pod.document_hash:
        return True  # it was touched for another one
    report, engine = shard.view.report, shard.engine
    # The observer reads the same file as the engine.
    if report is not None and report.generation is not None and report.generation != document.generation:
        return True
    return engine is not None and engine.grant is not None and engine.grant < document.grant
