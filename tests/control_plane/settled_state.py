"""What has become of a bot, without what chance and the clock decide: two runs that ended alike give equal states."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from api_client import CHILDREN, Object
from bot_rig import BotView
from tradingbot_contract.endpoints import ENV_GRANT_FLOOR

_HASH: Final = re.compile(r"\b[0-9a-f]{16}\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")
"""Hashes of the operator's, which the uid of the bot is in, and uids."""
_OF_THE_MOMENT: Final = frozenset(
    {
        "asOf", "at", "bars", "containerId", "finishedAt", "grant", "level", "lastTransitionTime", "memory", "message", "node", "podUid",
        "remaining", "result", "since", "startSeconds", "time", "inputs", "generation", "creationTimestamp", "managedFields",
        "resourceVersion", "uid", "findings", "score", "budget", "trading", "health",
    }
)  # fmt: skip
_OF_THE_SERVER: Final = frozenset({"status", "clusterIP", "clusterIPs", "volumeName"})


def read_state(bot: BotView) -> Object:
    """Return what there is of a bot: its status, its children, its pods, and what its engines have done."""
    api, kubelet = bot.rig.api, bot.rig.kubelet
    there = api.get("tradingbots", bot.name, bot.namespace)
    status = (there or {}).get("status") or {}
    history = (status.get("remediation") or {}).get("history", [])
    state = {
        "bot": _without(status, _OF_THE_MOMENT) | {"remediation": sorted({f"{each['action']} {each['reason']}" for each in history})},
        "generation": there["metadata"]["generation"] if there else None,
        "finalizers": there["metadata"].get("finalizers", []) if there else None,
        "children": {
            f"{kind}/{item['metadata']['name']}": _without(item, _OF_THE_MOMENT | _OF_THE_SERVER)
            for kind in CHILDREN
            for item in api.items(kind, bot.namespace, labelSelector="app.kubernetes.io/managed-by=tradingbot-operator")
        },
        "pods": {
            pod["metadata"]["name"]: {
                "terminating": "deletionTimestamp" in pod["metadata"],
                "ready": [each["status"] for each in pod["status"].get("conditions", []) if each["type"] == "Ready"],
                "resources": pod["spec"]["containers"][0]["resources"],
            }
            for pod in bot.pods()
        },
        **kubelet.do(
            lambda: {
                "made": {name: times for (namespace, name), times in sorted(kubelet.made.items()) if namespace == bot.namespace},
                "trading": {
                    symbol: engine.partition("/")[0] for symbol, engine in sorted(kubelet.ledger.owners_in(bot.namespace, bot.name).items())
                },
                "journals": kubelet.ledger.journals_in(bot.namespace, bot.name),
            }
        ),
    }
    text = _HASH.sub("#", json.dumps(state, sort_keys=True)).replace(bot.namespace, "NAMESPACE")
    found: Object = json.loads(text)
    return found


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Return where two states differ, for people."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = sorted({*wanted, *found})
        return [line for name in names for line in differences(wanted.get(name), found.get(name), f"{path}.{name}")]
    return [] if wanted == found else [f"{path}: {found!r} instead of {wanted!r}"]


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        if value.get("name") == ENV_GRANT_FLOOR:
            return ENV_GRANT_FLOOR  # grants are numbered, and a crash may leave one out
        return {
            name: _without(_read(name, item), names) for name, item in value.items() if name not in names and not name.endswith("-hash")
        }
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value


def _read(name: str, value: Any) -> Any:
    """Return a document as what it says, any other value as it is."""
    return yaml.safe_load(value) if name.endswith(".yaml") and isinstance(value, str) else value
