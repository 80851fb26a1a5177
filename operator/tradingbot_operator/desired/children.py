"""All children of a bot, in the order in which they are made: what the pod needs comes before the pod."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from tradingbot_operator.desired.claim import build_claim
from tradingbot_operator.desired.config import build_config
from tradingbot_operator.desired.disruption_budget import build_disruption_budget
from tradingbot_operator.desired.network_policy import build_network_policy
from tradingbot_operator.desired.service import build_service
from tradingbot_operator.desired.workload import build_workload
from tradingbot_operator.names import DESIRED_HASH
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
Builder = Callable[[TradingBot, OperatorSettings], Manifest]

BUILDERS: Final[tuple[Builder, ...]] = (
    build_network_policy,
    build_disruption_budget,
    build_service,
    build_config,
    build_claim,
    build_workload,
)


def build_children(bot: TradingBot, settings: OperatorSettings) -> tuple[Manifest, ...]:
    """Return the manifests of all children, each with the hash of its own rendering."""
    return tuple(_sealed(build(bot, settings)) for build in BUILDERS)


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """Return 16 hex digits over a whole rendering."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _sealed(manifest: Manifest) -> Manifest:
    sealed = copy.deepcopy(manifest)
    sealed["metadata"]["annotations"] = {DESIRED_HASH: manifest_hash(manifest)}
    return sealed
