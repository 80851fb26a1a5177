"""The disruption budget: evictions of the bot's pod go one after the other, and never wait for ever.

There is one pod, so anything stricter than ``maxUnavailable: 1`` would block the drain of its node, and an engine that is sick anyway
must not do that either.
"""

from __future__ import annotations

from typing import Any

from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_disruption_budget(
    bot: TradingBot,
    settings: OperatorSettings,  # noqa: ARG001 - all builders take the same
    layout: Layout,  # noqa: ARG001 - all builders take the same
) -> dict[str, Any]:
    """Return the PodDisruptionBudget."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector_labels(bot)},
        },
    }
