"""Where the programs of a bot's pod find each other: ports, paths, files and names that two of them must spell alike."""

from __future__ import annotations

from typing import Final

ENGINE_CONTAINER: Final = "engine"
OBSERVER_CONTAINER: Final = "observer"

ENGINE_UID: Final = 10001
OBSERVER_UID: Final = 10002
"""Another uid than the engine's: the observer sees its RSS and CPU, and neither its environment nor its files."""
POD_GID: Final = 10000
"""Group of the bot's volume (``fsGroup``)."""

ENGINE_PORT: Final = 8080
OBSERVER_PORT: Final = 8081
OPERATOR_PORT: Final = 8080

METRICS_PATH: Final = "/metrics"
LIVENESS_PATH: Final = "/livez"
READINESS_PATH: Final = "/readyz"
STATUS_PATH: Final = "/status"
"""Engine: :class:`tradingbot_contract.report.EngineStatus` as JSON."""
REPORT_PATH: Final = "/health"
"""Observer: :class:`tradingbot_contract.report.ObserverReport` as JSON."""
HISTORY_PATH: Final = "/history"
"""Observer: average, peak and lowest of its samples, of the last ``?hours=N``, as JSON."""
SAMPLES_PATH: Final = "/history/samples"
"""Observer: its samples of the last ``?hours=N``, thinned to at most ``&points=N``, as JSON."""
PAGE_PATH: Final = "/"
"""Observer: all that it knows of the bot as a page for people."""
PAGE_STATE_PATH: Final = "/page"
"""Observer: what changes of that page, as JSON, for the page itself."""
PERFORMANCE_PATH: Final = "/views/performance"
"""Engine: return, drawdown, trades and fees since its first start, as JSON."""

NEWS_PATH: Final = "/views/news"
"""Engine: news that the strategy was told in the last day, with how it was judged, as JSON."""
ORDERS_PATH: Final = "/orders"
"""Engine: :class:`tradingbot_contract.books.OrdersPage` as JSON, the newest first."""
FILLS_PATH: Final = "/fills"
"""Engine: :class:`tradingbot_contract.books.FillsPage` as JSON, the newest first."""
EQUITY_PATH: Final = "/equity"
"""Engine: :class:`tradingbot_contract.books.EquityPage` as JSON, the oldest first."""

CONFIG_DIRECTORY: Final = "/etc/tradingbot"
CONFIG_FILE: Final = "config.yaml"
DATA_DIRECTORY: Final = "/var/lib/tradingbot"
TEMPORARY_DIRECTORY: Final = "/tmp"  # noqa: S108 - an emptyDir of the pod, nothing else is mounted writable
JOURNAL_FILE: Final = "journal.sqlite"
HISTORY_FILE: Final = "history.sqlite"
"""What may be lost with the power and is made anew: judgements of news."""
STRATEGY_DIRECTORY: Final = "/etc/tradingbot-strategy"
"""Where the strategy's own code is mounted, if it isn't in the image."""
MODELS_DIRECTORY: Final = "/models"
"""Where a volume of models is mounted."""

ENV_CONFIG: Final = "TRADINGBOT_CONFIG"
"""Path of the engine's document."""
ENV_DATA: Final = "TRADINGBOT_DATA"
"""Folder of the bot's own volume."""
ENV_STRATEGY: Final = "TRADINGBOT_STRATEGY"
"""Folder of the strategy's own code, where it is another than :data:`STRATEGY_DIRECTORY`."""
ENV_POD_NAME: Final = "TRADINGBOT_POD_NAME"
ENV_POD_UID: Final = "TRADINGBOT_POD_UID"
ENV_MEMORY_LIMIT: Final = "TRADINGBOT_ENGINE_MEMORY_LIMIT_BYTES"
"""The engine container's memory limit when the pod started (downward API); the cgroup's own figure wins where it can be read."""
ENV_RUNBOOKS: Final = "TRADINGBOT_RUNBOOK_BASE_URL"
"""Where the observer's page finds runbooks, if not with the project."""
ENV_DATABASE_URL: Final = "TRADINGBOT_DATABASE_URL"
"""Address of the database with its password, for example ``postgresql://user:password@host:5432/name``."""
ENV_REDIS_URL: Final = "TRADINGBOT_REDIS_URL"
"""Address of Redis with its password, for example ``redis://:password@host:6379/0``."""
ENV_MEMORY_MODE: Final = "TRADINGBOT_MEMORY_MODE"
"""Memory mode that is used instead of the spec's."""
ENV_GRANT_FLOOR: Final = "TRADINGBOT_GRANT_FLOOR"
"""Lowest number (:attr:`tradingbot_contract.document.EngineDocument.grant`) of a document that an engine of this pod may start with: an
earlier one, from a ConfigMap that the node has had for a while, may name symbols that another shard has by now. Not set: any."""
