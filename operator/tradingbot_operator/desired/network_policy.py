"""The network policy: nothing goes in or out of the bot's pod but what is named here.

In: reports and metrics, for the operator and for the bot's own namespace. Out: DNS. A bot on a replay needs no more.
"""

from __future__ import annotations

from typing import Any

from tradingbot_contract.endpoints import ENGINE_PORT, OBSERVER_PORT
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_network_policy(bot: TradingBot, settings: OperatorSettings) -> dict[str, Any]:
    """Return the NetworkPolicy."""
    operator = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": settings.namespace}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "podSelector": {"matchLabels": selector_labels(bot)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [operator, {"podSelector": {}}],
                    "ports": [{"protocol": "TCP", "port": ENGINE_PORT}, {"protocol": "TCP", "port": OBSERVER_PORT}],
                }
            ],
            # To anywhere, because a cluster's DNS may answer at an address of the node.
            "egress": [{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}],
        },
    }
