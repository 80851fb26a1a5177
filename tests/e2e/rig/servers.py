"""A Postgres and a Redis in a namespace, as a user's own would be: behind Services, with passwords, the Postgres with a volume.

They keep the restricted Pod Security standard, because that is what the namespace asks of every pod.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rig.kube import Kube, Object
from rig.server_image import UID
from rig.waiting import eventually

POSTGRES: Final = "postgres"
REDIS: Final = "redis"
PASSWORD: Final = "only-for-this-test"  # noqa: S105 - of a server that lives as long as a test

_LABEL: Final = "tradingbot-test-server"
_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": UID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_RUN_POSTGRES: Final = """
set -eu
if [ ! -f /data/cluster/PG_VERSION ]; then
    initdb --pgdata /data/cluster --username trading --pwfile /password/password --auth scram-sha-256 --encoding UTF8 --locale C --no-sync
    echo 'host all all all scram-sha-256' >> /data/cluster/pg_hba.conf
fi
exec postgres -D /data/cluster -c listen_addresses='*' -c unix_socket_directories= -c jit=off -c dynamic_shared_memory_type=mmap
"""
# A machine with much to do takes more than a second to start a program in a container: that makes no server unready.
_PROBE: Final = {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 2}


@dataclass(frozen=True)
class Servers:
    """The two servers of a namespace; each can be taken away and brought back."""

    kube: Kube
    namespace: str
    image: str

    def start(self) -> None:
        """Make both, with the Secrets that bots name, and wait until they are ready."""
        self.kube.apply(*self._manifests(), namespace=self.namespace)
        for name in (POSTGRES, REDIS):
            self._wait(name, 1)

    def stop(self, name: str) -> None:
        """Take one away, at once and without a word to its clients' requests, and wait until it is gone."""
        self._scale(name, 0)
        # The StatefulSet would let it end in peace.
        self.kube.kubectl("-n", self.namespace, "delete", "pod", f"{name}-0", "--ignore-not-found", "--grace-period=1", "--wait=false")
        self._wait(name, 0)

    def bring_back(self, name: str) -> None:
        """Bring one back, with what it had on its volume, and wait until it is ready."""
        self._scale(name, 1)
        self._wait(name, 1)

    def _scale(self, name: str, replicas: int) -> None:
        self.kube.kubectl("-n", self.namespace, "scale", "statefulset", name, f"--replicas={replicas}")

    def _wait(self, name: str, count: int) -> None:
        def look() -> bool:
            pods = self.kube.items("pods", self.namespace, labelSelector=f"{_LABEL}={name}")
            ready = [
                condition["status"] for pod in pods for condition in pod["status"].get("conditions", []) if condition["type"] == "Ready"
            ]
            return len(pods) == count and ready.count("True") == count

        eventually(f"there are {count} pods of {name}", look, within_seconds=120.0, explain=lambda: self._explain(name))

    def _explain(self, name: str) -> str:
        described = self.kube.kubectl("-n", self.namespace, "describe", "pods", "-l", f"{_LABEL}={name}")
        return described + self.kube.kubectl("-n", self.namespace, "logs", f"{name}-0", "--tail=40", "--ignore-errors")

    def _manifests(self) -> list[Object]:
        postgres: Object = {
            "command": ["sh", "-c", _RUN_POSTGRES],
            "ports": [{"containerPort": 5432}],
            "readinessProbe": {"exec": {"command": ["pg_isready", "--host=127.0.0.1", "--username=trading"]}} | _PROBE,
            "volumeMounts": [{"name": "data", "mountPath": "/data"}, {"name": "password", "mountPath": "/password"}],
        }
        redis: Object = {
            "command": ["redis-server", "--bind", "*", "--save", "", "--appendonly", "no", "--dir", "/tmp", "--requirepass", PASSWORD],  # noqa: S108 - in its container
            "ports": [{"containerPort": 6379}],
            "readinessProbe": {"tcpSocket": {"port": 6379}} | _PROBE,
        }
        claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
        return [
            _secret("postgres-password", password=PASSWORD),
            _secret(POSTGRES, url=f"postgresql://trading:{PASSWORD}@{POSTGRES}:5432/postgres"),
            _secret(REDIS, url=f"redis://:{PASSWORD}@{REDIS}:6379/0"),
            _service(POSTGRES, 5432),
            _service(REDIS, 6379),
            self._server(POSTGRES, postgres, [{"name": "password", "secret": {"secretName": "postgres-password"}}], [claim]),
            self._server(REDIS, redis, [], []),
        ]

    def _server(self, name: str, container: Object, volumes: list[Any], claims: list[Any]) -> Object:
        labels = {_LABEL: name}
        pod = {
            "terminationGracePeriodSeconds": 5,
            "securityContext": {"fsGroup": UID},
            "containers": [{"name": name, "image": self.image, "imagePullPolicy": "Never", "securityContext": _SECURITY} | container],
            "volumes": volumes,
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name},
            "spec": {
                "replicas": 1,
                "serviceName": name,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
                "volumeClaimTemplates": claims,
            },
        }


def _secret(name: str, **values: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def _service(name: str, port: int) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {_LABEL: name}, "ports": [{"port": port}]},
    }
