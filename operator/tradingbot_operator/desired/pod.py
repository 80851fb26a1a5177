"""The bot's pod: an engine that trades, and an observer that watches it from outside.

The two run under different users in one process namespace: the observer sees what the engine needs of the machine, and neither its
environment nor its files. The pod keeps the restricted Pod Security standard and has no token for the API server.

Where the journal is in a database elsewhere, what else the engine writes (its lock, what may be lost, models from a hub) goes with the
pod. Every shard's pod is made of the same template; it finds its own document by its name.
"""

from __future__ import annotations

from typing import Any, Final

from tradingbot_contract.endpoints import (
    CONFIG_DIRECTORY,
    DATA_DIRECTORY,
    ENGINE_CONTAINER,
    ENGINE_PORT,
    ENGINE_UID,
    ENV_CONFIG,
    ENV_DATA,
    ENV_DATABASE_URL,
    ENV_GRANT_FLOOR,
    ENV_MEMORY_LIMIT,
    ENV_POD_NAME,
    ENV_POD_UID,
    ENV_REDIS_URL,
    ENV_RUNBOOKS,
    LIVENESS_PATH,
    METRICS_PATH,
    OBSERVER_CONTAINER,
    OBSERVER_PORT,
    OBSERVER_UID,
    POD_GID,
    READINESS_PATH,
    TEMPORARY_DIRECTORY,
)
from tradingbot_operator.compute import Engine
from tradingbot_operator.desired import models, strategy_code
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.desired.placement_fields import build_placement, build_pod_metadata
from tradingbot_operator.desired.revision import pod_revision
from tradingbot_operator.monitoring.settings import RUNBOOK_BASE_URL
from tradingbot_operator.names import RESTART_HASH, RESTART_REQUEST, claim_name, config_name, labels, selector_labels
from tradingbot_operator.resource import TradingBot, TradingBotSpec
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.stores import SecretKey

STOP_SECONDS: Final = 10
"""How long an engine may take to write its journal and leave."""
KILL_SECONDS: Final = 1
"""How long one may take that has failed its liveness probe: a stopped process answers no signal anyway."""
START_SECONDS: Final = 60
"""How long an engine may take until its port listens; one that hangs before that is killed after at most twice this."""

_DOCUMENT: Final = f"{CONFIG_DIRECTORY}/$({ENV_POD_NAME}).yaml"
"""The kubelet puts in the pod's name, which has to be declared before it."""

_SCRAPE: Final = {"prometheus.io/scrape": "true", "prometheus.io/path": METRICS_PATH}
"""For a Prometheus that goes by annotations. Without a port it scrapes every port that the containers name: engine and observer."""


def build_pod_template(bot: TradingBot, settings: OperatorSettings, layout: Layout) -> dict[str, Any]:
    """Return the template of the StatefulSet's pod."""
    engine = bot.spec.engine
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": POD_GID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [_observer(engine, settings)],
        "containers": [_engine(bot.spec, settings, layout)],
        "volumes": [
            {"name": "config", "configMap": {"name": config_name(bot)}},
            {"name": "data"} | _data_volume(bot),
            # One each: what the observer writes is not the engine's to read, and the other way round.
            {"name": "engine-tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": "observer-tmp", "emptyDir": {"sizeLimit": "16Mi"}},
            *models.build_volumes(bot.spec.prediction),
            *strategy_code.build_volumes(bot.spec.strategy),
        ],
    }
    spec |= build_placement(engine, selector=selector_labels(bot), avoid_nodes=layout.avoid_nodes)
    requested = bot.metadata.annotations.get(RESTART_REQUEST, "")
    annotations = {RESTART_HASH: pod_revision(bot)} | ({RESTART_REQUEST: requested} if requested else {})
    return {"metadata": build_pod_metadata(engine, labels(bot), annotations, offered=_SCRAPE), "spec": spec}


def _data_volume(bot: TradingBot) -> dict[str, Any]:
    database = bot.spec.database
    if database.url_secret_ref is None:
        return {"persistentVolumeClaim": {"claimName": claim_name(bot)}}
    return {"emptyDir": {"sizeLimit": database.storage.size}}


def _engine(spec: TradingBotSpec, settings: OperatorSettings, layout: Layout) -> dict[str, Any]:
    engine, resources = spec.engine, spec.engine.resources
    limits = {"memory": layout.memory_limit or resources.limits.memory} | ({"cpu": resources.limits.cpu} if resources.limits.cpu else {})
    return {
        "name": ENGINE_CONTAINER,
        **_program(engine, settings, "tradingbot_engine", ENGINE_UID),
        "env": [
            *_identity(),
            {"name": ENV_CONFIG, "value": _DOCUMENT},
            {"name": ENV_DATA, "value": DATA_DIRECTORY},
            {"name": ENV_GRANT_FLOOR, "value": str(layout.floor)},
            *_addresses(spec),
            *models.build_environment(spec.prediction),
            # glibc keeps freed memory in many arenas and gives little back; both settings bound that.
            {"name": "MALLOC_ARENA_MAX", "value": "2"},
            {"name": "MALLOC_TRIM_THRESHOLD_", "value": "131072"},
        ],
        "ports": [{"name": ENGINE_CONTAINER, "containerPort": ENGINE_PORT, "protocol": "TCP"}],
        "resources": {"requests": {"memory": resources.requests.memory, "cpu": resources.requests.cpu}, "limits": limits},
        "startupProbe": {"httpGet": _get(LIVENESS_PATH), "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": START_SECONDS},
        "livenessProbe": {
            "httpGet": _get(LIVENESS_PATH),
            "periodSeconds": 2,
            "timeoutSeconds": 2,
            "failureThreshold": 3,
            "terminationGracePeriodSeconds": KILL_SECONDS,
        },
        "readinessProbe": {"httpGet": _get(READINESS_PATH), "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 2},
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_DIRECTORY, "readOnly": True},
            {"name": "data", "mountPath": DATA_DIRECTORY},
            {"name": "engine-tmp", "mountPath": TEMPORARY_DIRECTORY},
            *models.build_mounts(spec.prediction),
            *strategy_code.build_mounts(spec.strategy),
        ],
    }


def _observer(engine: Engine, settings: OperatorSettings) -> dict[str, Any]:
    # It has no probes: the engine's start must not wait for it, and a sick observer must not make the engine unready.
    return {
        "name": OBSERVER_CONTAINER,
        # This makes it a sidecar: it starts before the engine and ends after it.
        "restartPolicy": "Always",
        **_program(engine, settings, "tradingbot_observer", OBSERVER_UID),
        "env": [
            *_identity(),
            {"name": ENV_CONFIG, "value": _DOCUMENT},
            *_runbooks(settings),
            {"name": "MALLOC_ARENA_MAX", "value": "2"},
            {"name": "MALLOC_TRIM_THRESHOLD_", "value": "131072"},
        ],
        "ports": [{"name": OBSERVER_CONTAINER, "containerPort": OBSERVER_PORT, "protocol": "TCP"}],
        "resources": {"requests": {"memory": "64Mi", "cpu": "10m"}, "limits": {"memory": "128Mi"}},
        "volumeMounts": [
            {"name": "config", "mountPath": CONFIG_DIRECTORY, "readOnly": True},
            {"name": "observer-tmp", "mountPath": TEMPORARY_DIRECTORY},
        ],
    }


def _runbooks(settings: OperatorSettings) -> list[dict[str, Any]]:
    """Return where the observer's page finds runbooks, if not with the project. As with another image, a pod has it from its start on."""
    base = settings.monitoring.runbook_base_url
    return [{"name": ENV_RUNBOOKS, "value": base}] if base != RUNBOOK_BASE_URL else []


def _program(engine: Engine, settings: OperatorSettings, module: str, uid: int) -> dict[str, Any]:
    return {
        "image": engine.image or settings.engine_image,
        "imagePullPolicy": engine.image_pull_policy.value,
        "command": ["python3", "-m", module],
        "securityContext": {
            "runAsUser": uid,
            "runAsGroup": uid,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _addresses(spec: TradingBotSpec) -> list[dict[str, Any]]:
    """Return the addresses that hold passwords: the kubelet takes them from Secrets, which neither operator nor document ever sees."""
    named = ((ENV_DATABASE_URL, spec.database.url_secret_ref), (ENV_REDIS_URL, spec.redis.url_secret_ref if spec.redis else None))
    return [_secret(name, key) for name, key in named if key is not None]


def _secret(name: str, key: SecretKey) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": key.name, "key": key.key}}}


def _identity() -> list[dict[str, Any]]:
    return [
        {"name": ENV_POD_NAME, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": ENV_POD_UID, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
        {
            "name": ENV_MEMORY_LIMIT,
            "valueFrom": {"resourceFieldRef": {"containerName": ENGINE_CONTAINER, "resource": "limits.memory", "divisor": "1"}},
        },
    ]


def _get(path: str) -> dict[str, Any]:
    return {"path": path, "port": ENGINE_CONTAINER}
