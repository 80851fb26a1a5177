"""What the operator is told by its environment: one frozen value, made once.

A variable with the operator's prefix that it does not know is an error: a misspelt setting must not be silently ignored.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import OPERATOR_PORT
from tradingbot_operator.monitoring.settings import MonitoringSettings, parse_monitoring

PREFIX: Final = "TRADINGBOT_OPERATOR_"


class ObserverAccess(enum.Enum):
    """How the operator reaches a bot's observer."""

    DIRECT = "direct"
    """At the pod's address: for an operator that runs in the cluster."""
    PROXY = "proxy"
    """Through the API server (`pods/proxy`): for one that runs on a developer's machine. The chart grants no right to it."""


class MetricsSource(enum.Enum):
    """Where the operator learns how engines are."""

    DIRECT = "direct"
    """From each bot's observer."""
    PROMETHEUS = "prometheus"
    """From a Prometheus that scrapes the observers."""


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
    metrics_source: MetricsSource = MetricsSource.DIRECT
    prometheus_url: str = ""
    """Base address of the Prometheus, without `/api`; only for that source."""
    prometheus_timeout_seconds: float = 5.0
    """How long one query may take."""
    prometheus_max_age_seconds: float = 60.0
    """How old what Prometheus knows may be: two of its scrapes and some time."""
    prometheus_token_file: str = ""
    """File with a bearer token for Prometheus; it is read for every round. Empty: none is sent."""
    leader_election: bool = True
    """Whether operators elect the one that acts; off only where there is never a second one."""
    lease: str = "tradingbot-operator"
    """Name of the Lease by which they do that, in `namespace`."""
    max_unhealthy_percent: float = 40.0
    """When more of the judged bots than this are sick at once, and at least three, nothing is done to any of them."""
    monitoring: MonitoringSettings = MonitoringSettings()
    """What is made for Prometheus and Grafana, and who may scrape bots."""
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
    source = MetricsSource(_choice("METRICS_SOURCE", take("METRICS_SOURCE", "direct"), ("direct", "prometheus")))
    settings = OperatorSettings(
        engine_image=image,
        namespace=take("NAMESPACE", own_namespace or "tradingbot-system"),
        namespaces=tuple(sorted({part.strip() for part in take("NAMESPACES").split(",") if part.strip()})),
        port=int(_number("PORT", take("PORT", str(OPERATOR_PORT)), 0, 65_535)),
        poll_interval_seconds=_number("POLL_INTERVAL_SECONDS", take("POLL_INTERVAL_SECONDS", "5"), 1, 300),
        observer_access=ObserverAccess(_choice("OBSERVER_ACCESS", take("OBSERVER_ACCESS", "direct"), ("direct", "proxy"))),
        metrics_source=source,
        prometheus_url=_url("PROMETHEUS_URL", take("PROMETHEUS_URL"), is_needed=source is MetricsSource.PROMETHEUS),
        prometheus_timeout_seconds=_number("PROMETHEUS_TIMEOUT_SECONDS", take("PROMETHEUS_TIMEOUT_SECONDS", "5"), 0.1, 30),
        prometheus_max_age_seconds=_number("PROMETHEUS_MAX_AGE_SECONDS", take("PROMETHEUS_MAX_AGE_SECONDS", "60"), 5, 600),
        prometheus_token_file=take("PROMETHEUS_TOKEN_FILE"),
        leader_election=_choice("LEADER_ELECTION", take("LEADER_ELECTION", "on"), ("on", "off")) == "on",
        lease=take("LEASE", "tradingbot-operator"),
        max_unhealthy_percent=_number("MAX_UNHEALTHY_PERCENT", take("MAX_UNHEALTHY_PERCENT", "40"), 0, 100),
        monitoring=_monitoring(take("MONITORING")),
        log_level=_choice("LOG_LEVEL", take("LOG_LEVEL", "info").lower(), _LOG_LEVELS),
    )
    if given:
        raise SpecError(f"unknown settings: {', '.join(sorted(given))}")
    return settings


def _monitoring(text: str) -> MonitoringSettings:
    try:
        return parse_monitoring(text)
    except SpecError as error:
        raise SpecError(f"{PREFIX}MONITORING: {error}") from error


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


def _url(name: str, text: str, *, is_needed: bool) -> str:
    if not text and not is_needed:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SpecError(f"{PREFIX}{name} is {text!r}: give the address of Prometheus, for example http://prometheus.monitoring:9090")
    return text.rstrip("/")
