"""The ConfigMap that carries the engines' documents into the pods: one key for each shard, named after its pod."""

from __future__ import annotations

from typing import Any

from tradingbot_contract.document import render_document
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.names import child_metadata, config_name, document_key
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_config(
    bot: TradingBot,
    settings: OperatorSettings,  # noqa: ARG001 - all builders take the same
    layout: Layout,
) -> dict[str, Any]:
    """Return the ConfigMap with the documents of all shards."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": child_metadata(bot, config_name(bot)),
        "data": {document_key(bot, shard): render_document(document) for shard, document in enumerate(layout.documents)},
    }
