"""The StatefulSet: exactly one pod, never two at a time, because two engines would trade the same account."""

from __future__ import annotations

from typing import Any

from tradingbot_operator.desired.pod import build_pod_template
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_workload(bot: TradingBot, settings: OperatorSettings) -> dict[str, Any]:
    """Return the StatefulSet."""
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "replicas": 1,
            "serviceName": workload_name(bot),
            # With OrderedReady, a pod that never gets ready (a refused document) would block the roll-out of its own mending.
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": selector_labels(bot)},
            "template": build_pod_template(bot, settings),
        },
    }
