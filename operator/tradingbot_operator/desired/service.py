"""The headless Service: a name for the bot's pod, for those who read its metrics and health."""

from __future__ import annotations

from typing import Any

from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENGINE_PORT, OBSERVER_CONTAINER, OBSERVER_PORT
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.names import child_metadata, selector_labels, workload_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_service(
    bot: TradingBot,
    settings: OperatorSettings,  # noqa: ARG001 - all builders take the same
    layout: Layout,  # noqa: ARG001 - all builders take the same
) -> dict[str, Any]:
    """Return the Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(bot, workload_name(bot)),
        "spec": {
            "clusterIP": "None",
            # Whoever asks after a sick engine must find it, too.
            "publishNotReadyAddresses": True,
            "selector": selector_labels(bot),
            "ports": [_port(ENGINE_CONTAINER, ENGINE_PORT), _port(OBSERVER_CONTAINER, OBSERVER_PORT)],
        },
    }


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "port": number, "targetPort": name, "protocol": "TCP"}
