"""What the installation wants to be made for its monitoring: the chart's values under `monitoring`, handed on as they are.

They come as one JSON, so that the tree in the chart and the tree here are the same. A field that is not known is an error.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from tradingbot_contract.document import SpecError

RUNBOOK_BASE_URL: Final = "https://tradingbot.dev/docs/runbooks"
"""Where the rules and dashboards that come with the operator look for runbooks; an installation may have its own."""

_NAME: Final = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)"
Key = Annotated[str, Meta(pattern=rf"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?{_NAME}$", max_length=317)]
LabelValue = Annotated[str, Meta(pattern=rf"^{_NAME}?$", max_length=63)]
Interval = Annotated[str, Meta(pattern=r"^[1-9][0-9]*(ms|s|m|h)$", max_length=16)]
Namespace = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Address = Annotated[str, Meta(pattern=r"^https?://[^\s/]+(/[^\s]*)?$", max_length=2048)]


class Mode(enum.Enum):
    """Whether objects of a kind are made."""

    AUTO = "Auto"
    """Where the cluster can use them."""
    ON = "On"
    """Always; that the cluster can't use them is said."""
    OFF = "Off"
    """Never; those that are there are removed."""


class _Part(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of all sections."""


class PodMonitorSettings(_Part, frozen=True):
    """The PodMonitors by which a Prometheus of the Prometheus operator scrapes bots and operators."""

    mode: Mode = Mode.AUTO
    labels: dict[Key, LabelValue] = {}
    interval: Interval = "15s"


class PrometheusRuleSettings(_Part, frozen=True):
    """The PrometheusRule with recording rules and alerts."""

    mode: Mode = Mode.AUTO
    labels: dict[Key, LabelValue] = {}


class DashboardSettings(_Part, frozen=True):
    """The ConfigMaps from which Grafana's sidecar takes dashboards."""

    mode: Mode = Mode.AUTO
    labels: dict[Key, LabelValue] = field(default_factory=lambda: {"grafana_dashboard": "1"})
    annotations: dict[Key, str] = {}


class MonitoringSettings(_Part, frozen=True):
    """All of it."""

    pod_monitor: PodMonitorSettings = PodMonitorSettings()
    prometheus_rule: PrometheusRuleSettings = PrometheusRuleSettings()
    dashboards: DashboardSettings = DashboardSettings()
    runbook_base_url: Address = field(default=RUNBOOK_BASE_URL, name="runbookBaseURL")
    """Each alert links to `BASE/ALERT.md`."""
    scrape_namespaces: tuple[Namespace, ...] = ()
    """Namespaces whose pods the bots' NetworkPolicies let in to the metrics."""


def parse_monitoring(text: str) -> MonitoringSettings:
    """Return the settings that a JSON text gives; an empty one gives the defaults.

    Raises:
        SpecError: it is no JSON, or a field is not known or not as it should be; the message names the field.
    """
    try:
        settings = msgspec.json.decode(text or "{}", type=MonitoringSettings)
    except (msgspec.DecodeError, RecursionError) as error:
        # The library names the values that an enum may have only in its schema.
        allowed = f": give one of {', '.join(mode.value for mode in Mode)}" if "enum value" in str(error) else ""
        raise SpecError(f"{error}{allowed}") from error
    base = settings.runbook_base_url.rstrip("/")
    return msgspec.structs.replace(settings, runbook_base_url=base, scrape_namespaces=tuple(sorted(set(settings.scrape_namespaces))))
