"""The StatefulSet: one pod for each shard, never two of one shard, because two engines would trade the same symbols.

A change of it replaces no pod (`OnDelete`): which pod is replaced when, and why, is for the plan to say.
"""

from __future__ import annotations

from typing import Any

from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.desired.pod import build_pod_template
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_workload(bot: TradingBot, settings: OperatorSettings, layout: Layout) -> dict[str, Any]:
    """Return the StatefulSet."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "replicas": layout.replicas,
            "serviceName": workload_name(bot),
            # With OrderedReady, a pod that never gets ready (a refused document) would block the roll-out of its own mending.
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "OnDelete"},
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector_labels(bot)},
            "template": build_pod_template(bot, settings, layout),
        },
    }
