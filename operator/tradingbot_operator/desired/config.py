"""The ConfigMap that carries the engine's document into the pod."""

from __future__ import annotations

from typing import Any

from tradingbot_contract.document import render_document
from tradingbot_contract.endpoints import CONFIG_FILE
from tradingbot_operator.desired.document import build_document
from tradingbot_operator.names import child_metadata, config_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_config(bot: TradingBot, settings: OperatorSettings) -> dict[str, Any]:  # noqa: ARG001 - all builders take the same
    """Return the ConfigMap with ``config.yaml``."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(bot, config_name(bot)),
        "data": {CONFIG_FILE: render_document(build_document(bot))},
    }
