"""Whose metrics these are: the attributes of OpenTelemetry's resource, which a collector has instead of a scrape's labels.

They are taken once, when the process starts, from what no later document changes: which bot, which shard, which pod.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError, parse_document
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENV_POD_NAME, ENV_POD_UID

SERVICE_NAME: Final = "tradingbot-engine"


def read_resource(config: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes by OpenTelemetry's conventions; what is not known is not among them.

    Args:
        config: the engine's document.
        environment: variables by name.
    """
    pod_uid = environment.get(ENV_POD_UID, "")
    attributes = {"service.name": SERVICE_NAME, "service.instance.id": pod_uid or str(uuid.uuid4())}
    try:
        bot = parse_document(config.read_bytes()).bot
    except (SpecError, OSError):
        return attributes  # the engine reads it again, and tells what is wrong with it
    attributes |= {"tradingbot.bot": bot.name, "tradingbot.shard": str(bot.shard)}
    if pod_uid:
        attributes |= {
            "k8s.namespace.name": bot.namespace,
            "k8s.statefulset.name": bot.name,
            "k8s.pod.name": environment.get(ENV_POD_NAME) or f"{bot.name}-{bot.shard}",
            "k8s.pod.uid": pod_uid,
            "k8s.container.name": ENGINE_CONTAINER,
        }
    return attributes
