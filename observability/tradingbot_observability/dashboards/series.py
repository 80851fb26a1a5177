"""Which series a query is about: names from the tables of those who export them, never words of this package's own.

A metric that is renamed breaks an import or an attribute here. Every selector has the job, so that a series of somebody else that
has the same name is never plotted.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from prometheus_client.metrics import MetricWrapperBase

from tradingbot_contract.metrics import (
    CPU_TIME,
    HTTP_DURATION,
    JOB_RUNS,
    OPERATION_DURATION,
    POOL_CONNECTIONS,
    Instrument,
    prometheus_label,
    prometheus_name,
)
from tradingbot_operator.metrics import Described, OperatorMetrics

Named = Instrument | Described | MetricWrapperBase | str
"""What has a name: an instrument of a bot's pod, a series about a bot, the operator's own, or the process's (a plain name)."""

OPERATOR: Final = OperatorMetrics()
"""The operator's instruments, for their names."""
RESIDENT_MEMORY: Final = "process_resident_memory_bytes"
"""What the Prometheus client says of the operator's process; a test finds these on the operator's own page."""
PROCESS_CPU: Final = "process_cpu_seconds_total"
PROCESS_START: Final = "process_start_time_seconds"
OPEN_FILES: Final = "process_open_fds"
ALERTS: Final = "ALERTS"
"""Prometheus' own series: its alerts that are pending or fire."""

POOL: Final = prometheus_label(POOL_CONNECTIONS.attributes[0])
POOL_STATE: Final = prometheus_label(POOL_CONNECTIONS.attributes[1])
CPU_MODE: Final = prometheus_label(CPU_TIME.attributes[0])
DB_SYSTEM: Final = prometheus_label(OPERATION_DURATION.attributes[0])
HTTP_CODE: Final = prometheus_label(HTTP_DURATION.attributes[1])
TASK: Final = prometheus_label(JOB_RUNS.attributes[0])


def series_name(metric: Named) -> str:
    """Return the name of a series, for a histogram without its suffix."""
    match metric:
        case str():
            return metric
        case Instrument():
            return prometheus_name(metric)
        case Described():
            return metric.name
        case _:
            (described,) = metric.describe()
            return f"{described.name}_total" if described.type == "counter" else str(described.name)


class Scope(Struct, frozen=True):
    """The part of a fleet that a dashboard looks at."""

    matchers: tuple[str, ...]

    def of(self, metric: Named, *matchers: str, **labels: str) -> str:
        """Return a selector; `labels` must have these values."""
        equal = (f'{label}="{value}"' for label, value in labels.items())
        return f"{series_name(metric)}{{{', '.join((*self.matchers, *matchers, *equal))}}}"

    def rate(self, metric: Named, *matchers: str, **labels: str) -> str:
        """Return how much a counter grows in a second."""
        return f"rate({self.of(metric, *matchers, **labels)}[$__rate_interval])"

    def growth(self, metric: Named, *matchers: str, **labels: str) -> str:
        """Return how much a counter has grown since the point before."""
        return f"increase({self.of(metric, *matchers, **labels)}[$__rate_interval])"

    def growth_shown(self, metric: Named, *matchers: str, **labels: str) -> str:
        """Return how much a counter has grown in all the time that is shown."""
        return f"increase({self.of(metric, *matchers, **labels)}[$__range])"

    def buckets(self, histogram: Named, *by: str) -> str:
        """Return the rates of a histogram's buckets."""
        return f"sum by ({', '.join(('le', *by))}) ({self.rate(f'{series_name(histogram)}_bucket')})"

    def quantile(self, share: float, histogram: Named, *by: str) -> str:
        """Return a quantile of what a histogram counts."""
        return f"histogram_quantile({share:g}, {self.buckets(histogram, *by)})"


FLEET: Final = Scope(('job="tradingbot"', 'namespace=~"$namespace"'))
"""Pods of all bots of the chosen namespaces."""
FLEET_BOTS: Final = Scope(('job="tradingbot-operator"', 'bot_namespace=~"$namespace"'))
"""The same bots in the words of the operator that leads, also those without a pod."""
BOT: Final = Scope(('job="tradingbot"', 'namespace="$namespace"', 'bot="$bot"'))
"""Pods of one bot."""
ONE_BOT: Final = Scope(('job="tradingbot-operator"', 'bot_namespace="$namespace"', 'bot="$bot"'))
"""The same bot in the words of the operator."""
OPERATORS: Final = Scope(('job="tradingbot-operator"',))
"""All operators that this Prometheus knows."""
INSTALLATION: Final = Scope(('job="tradingbot-operator"', 'namespace=~"$namespace"'))
"""The operators of the chosen installations."""


WORST: Final = 5
"""So many bots are shown where only the worst are."""


def worst(expression: str) -> str:
    """Return the bots that have most of it."""
    return f"topk({WORST}, max by (namespace, bot) ({expression}))"


def by_bot(expression: str) -> str:
    """Return a series about bots in the labels of their pods, so that both can stand in one table."""
    return f'label_replace({expression}, "namespace", "$1", "bot_namespace", "(.+)")'
