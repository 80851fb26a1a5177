"""Every name, label and annotation that the operator gives, in one place.

Labels that select are kept apart from those that only tell: the former can never change. Names stay valid because the CRD allows no
bot name beyond 40 characters; a StatefulSet adds an ordinal and a revision's hash to it, and labels end at 63.
"""

from __future__ import annotations

from typing import Any, Final

from tradingbot_contract.document import VERSION
from tradingbot_operator.operations import MOST_SHARDS
from tradingbot_operator.resource import KIND, Metadata, TradingBot

FIELD_MANAGER: Final = "tradingbot-operator"

NAME_LABEL: Final = "app.kubernetes.io/name"
INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_SELECTOR: Final = f"{MANAGED_BY_LABEL}={FIELD_MANAGER}"
"""Selects everything that the operator looks after."""

DESIRED_HASH: Final = "tradingbot.dev/desired-hash"
"""On every child: hash of the operator's own rendering of it."""
RESTART_HASH: Final = "tradingbot.dev/restart-hash"
"""On the pod: digest of what of the spec all pods of the bot read only when they start."""
DOCUMENT_HASH: Final = "tradingbot.dev/document-hash"
"""Put on a running pod when its document changes, because the kubelet then brings it the file at once."""

RESTART_REQUEST: Final = "tradingbot.dev/restart"
"""On the bot: another value asks for one restart of each engine. On the pod: the value that it was made for."""
PAUSED: Final = "tradingbot.dev/paused"
"""On the bot, "true": the operator changes nothing of it, and only says how it is."""
SKIP_REMEDIATION: Final = "tradingbot.dev/skip-remediation"
"""On the bot, "true": everything goes on but nothing is done about a sick engine."""
FINALIZER: Final = "tradingbot.dev/on-delete"
"""On a bot whose `lifecycle.onDelete` is not Keep: it goes when its orders or positions have been seen to."""


def selector_labels(bot: TradingBot) -> dict[str, str]:
    """Return the labels by which a bot's pods are found."""
    return {NAME_LABEL: "tradingbot", INSTANCE_LABEL: bot.metadata.name, COMPONENT_LABEL: "engine"}


def labels(bot: TradingBot) -> dict[str, str]:
    """Return the labels of a bot's children and pods."""
    return selector_labels(bot) | {MANAGED_BY_LABEL: FIELD_MANAGER, "app.kubernetes.io/part-of": "tradingbot"}


def owner_reference(bot: Metadata) -> dict[str, Any]:
    """Return the reference by which a child goes when its bot goes."""
    return {
        "apiVersion": VERSION,
        "kind": KIND,
        "name": bot.name,
        "uid": bot.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def child_metadata(bot: TradingBot, name: str) -> dict[str, Any]:
    """Return the metadata of a child; the hash of its rendering is added last."""
    return {
        "name": name,
        "namespace": bot.metadata.namespace,
        "labels": labels(bot),
        "ownerReferences": [owner_reference(bot.metadata)],
    }


def workload_name(bot: TradingBot) -> str:
    """Return the name of the StatefulSet, and of the Service, budget and policy that go with it."""
    return bot.metadata.name


def config_name(bot: TradingBot) -> str:
    return f"{bot.metadata.name}-config"


def claim_name(bot: TradingBot) -> str:
    return f"{bot.metadata.name}-data"


def pod_name(bot: TradingBot, shard: int = 0) -> str:
    return f"{workload_name(bot)}-{shard}"


def shard_of(bot: TradingBot, pod: str) -> int | None:
    """Return which shard of a bot a pod of this name is; None: none that it could be.

    Whoever may make pods may give one any number: the number of shards that are looked at must not be theirs to choose.
    """
    prefix, _, ordinal = pod.rpartition("-")
    if prefix != workload_name(bot) or not ordinal.isdecimal():
        return None
    number = int(ordinal)
    return number if number < MOST_SHARDS and pod == pod_name(bot, number) else None


def document_key(bot: TradingBot, shard: int) -> str:
    """Return the key of a shard's document in the ConfigMap, which is also its file in the pod."""
    return f"{pod_name(bot, shard)}.yaml"
