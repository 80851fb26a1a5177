"""The claim on the bot's own volume, which holds its journal.

It is an object of the bot's, not a template of the StatefulSet: so it goes with the bot, its size can grow, and what somebody
changes on it is put back. A StatefulSet's templates can't be changed, and its claims outlive it.
"""

from __future__ import annotations

from typing import Any

from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.names import child_metadata, claim_name
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.settings import OperatorSettings


def build_claim(
    bot: TradingBot,
    settings: OperatorSettings,  # noqa: ARG001 - all builders take the same
    layout: Layout,  # noqa: ARG001 - all builders take the same
) -> dict[str, Any]:
    """Return the PersistentVolumeClaim."""
    storage = bot.spec.database.storage
    spec: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.size}}}
    if storage.class_name is not None:
        spec["storageClassName"] = storage.class_name
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": child_metadata(bot, claim_name(bot)), "spec": spec}
