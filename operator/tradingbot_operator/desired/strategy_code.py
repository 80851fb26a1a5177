"""What a strategy needs of its pod whose code is in a ConfigMap: that one key, mounted to be read only."""

from __future__ import annotations

from typing import Any

from tradingbot_contract.endpoints import STRATEGY_DIRECTORY
from tradingbot_contract.spec import Strategy

_VOLUME = "strategy"


def build_volumes(strategy: Strategy) -> list[dict[str, Any]]:
    """Return the pod's volumes for the strategy's own code.

    Optional, so that the pod starts without it: the engine says what is missing, and takes it as soon as the kubelet brings it.
    """
    key = strategy.own_module
    if key is None:
        return []
    return [{"name": _VOLUME, "configMap": {"name": key.name, "items": [{"key": key.key, "path": key.key}], "optional": True}}]


def build_mounts(strategy: Strategy) -> list[dict[str, Any]]:
    """Return the engine's mounts of these volumes."""
    return [{"name": _VOLUME, "mountPath": STRATEGY_DIRECTORY, "readOnly": True}] if strategy.own_module is not None else []
