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
from tradingbot_operator.desired.layout import Layout, plain_layout
from tradingbot_operator.desired.network_policy import build_network_policy
from tradingbot_operator.desired.service import build_service
from tradingbot_operator.desired.workload import build_workload
from tradingbot_operator.names import DESIRED_HASH
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings

Manifest = dict[str, Any]
Builder = Callable[[TradingBot, OperatorSettings, Layout], Manifest]

BUILDERS: Final[tuple[Builder, ...]] = (
    build_network_policy,
    build_disruption_budget,
    build_service,
    build_config,
    build_claim,
    build_workload,
)


def builders_for(bot: TradingBot) -> tuple[Builder, ...]:
    """Return the builders of what this bot needs: a journal that is elsewhere needs no volume."""
    external = bot.spec.database.url_secret_ref is not None
    return tuple(build for build in BUILDERS if not (external and build is build_claim))


def build_children(bot: TradingBot, settings: OperatorSettings, layout: Layout | None = None) -> tuple[Manifest, ...]:
    """Return the manifests of all children, each with the hash of its own rendering; without a layout, those of a new bot."""
    spread = layout or plain_layout(bot)
    return tuple(build_child(build, bot, settings, spread) for build in builders_for(bot))


def build_child(build: Builder, bot: TradingBot, settings: OperatorSettings, layout: Layout) -> Manifest:
    """Return the manifest of one child, with the hash of its own rendering."""
    manifest = build(bot, settings, layout)
    sealed = copy.deepcopy(manifest)
    sealed["metadata"]["annotations"] = {DESIRED_HASH: manifest_hash(manifest)}
    return sealed


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """Return 16 hex digits over a whole rendering."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
