"""What the operator is told by its environment: one frozen value, made once.

A variable with the operator's prefix that it does not know is an error: a misspelt setting must not be silently ignored.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import OPERATOR_PORT

PREFIX: Final = "TRADINGBOT_OPERATOR_"


class ObserverAccess(enum.Enum):
    """How the operator reaches a bot's observer."""

    DIRECT = "direct"
    """At the pod's address: for an operator that runs in the cluster."""
    PROXY = "proxy"
    """Through the API server (`pods/proxy`): for one that runs on a developer's machine. The chart grants no right to it."""


class OperatorSettings(Struct, frozen=True, kw_only=True):
    """Settings of one operator process."""

    engine_image: str
    """Image of engine and observer for bots that name none."""
    namespace: str = "tradingbot-system"
    """Where the operator itself runs: bots' NetworkPolicies let it in."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose bots it runs; empty: all of the cluster."""
    port: int = OPERATOR_PORT
    poll_interval_seconds: float = 5.0
    """How often a healthy bot's observer is asked."""
    observer_access: ObserverAccess = ObserverAccess.DIRECT
    max_unhealthy_percent: float = 40.0
    """When more of the judged bots than this are sick at once, and at least three, nothing is done to any of them."""
    log_level: str = "info"


_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def settings_from_env(environment: Mapping[str, str], *, own_namespace: str = "") -> OperatorSettings:
    """Return the settings that the environment gives.

    Args:
        environment: variables by name.
        own_namespace: namespace of the operator's service account, empty outside a cluster.

    Raises:
        SpecError: a variable is missing, malformed or not known; the message names it.
    """
    # The kubelet puts variables of this form into pods, one set for each Service with the operator's name.
    given = {key: value for key, value in environment.items() if key.startswith(PREFIX) and not _is_service_link(key)}

    def take(name: str, default: str = "") -> str:
        return given.pop(PREFIX + name, "").strip() or default

    image = take("ENGINE_IMAGE")
    if not image:
        raise SpecError(f"{PREFIX}ENGINE_IMAGE is not set: give the image of the bots' pods")
    settings = OperatorSettings(
        engine_image=image,
        namespace=take("NAMESPACE", own_namespace or "tradingbot-system"),
        namespaces=tuple(sorted({part.strip() for part in take("NAMESPACES").split(",") if part.strip()})),
        port=int(_number("PORT", take("PORT", str(OPERATOR_PORT)), 0, 65_535)),
        poll_interval_seconds=_number("POLL_INTERVAL_SECONDS", take("POLL_INTERVAL_SECONDS", "5"), 1, 300),
        observer_access=ObserverAccess(_choice("OBSERVER_ACCESS", take("OBSERVER_ACCESS", "direct"), ("direct", "proxy"))),
        log_level=_choice("LOG_LEVEL", take("LOG_LEVEL", "info").lower(), _LOG_LEVELS),
    )
    if given:
        raise SpecError(f"unknown settings: {', '.join(sorted(given))}")
    return settings


def _is_service_link(name: str) -> bool:
    return "_SERVICE_" in name or "_PORT_" in name or (name.endswith("_PORT") and name != f"{PREFIX}PORT")


def _number(name: str, text: str, lowest: float, highest: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SpecError(f"{PREFIX}{name} is {text!r}: give a number") from None
    if not lowest <= value <= highest:
        raise SpecError(f"{PREFIX}{name} is {text}: give a number from {lowest:g} to {highest:g}")
    return value


def _choice(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise SpecError(f"{PREFIX}{name} is {text!r}: give one of {', '.join(allowed)}")
    return text
