"""The kind cluster: made from kind-config.yaml, checked, deleted.

Invariant: only containers with kind's label for this cluster's name are touched, and
the kubeconfig is a file in the cache folder, never the user's own.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import commands
from cache_folder import REPOSITORY
from docker_engine import Docker
from errors import ClusterError, CommandFailedError

NAME = "tradingbot"
CONFIG = REPOSITORY / "kind-config.yaml"
NODES = 2
READY_SECONDS = 180
# A cluster whose containers run gets this long to answer before it is given up.
RECOVERY_SECONDS = 60
DEPLOYMENTS = (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner"))


@dataclass(frozen=True)
class Node:
    name: str
    running: bool
    image: str


class KindCluster:
    """The cluster of one engine; `kubectl` and `kind` are paths to the programs."""

    def __init__(self, docker: Docker, kubeconfig: Path, kubectl: str) -> None:
        self._docker = docker
        self._kubeconfig = kubeconfig
        self._kubectl = kubectl

    def nodes(self) -> list[Node]:
        """The containers of the cluster, running or not."""
        label = f"label=io.x-k8s.kind.cluster={NAME}"
        listed = commands.output(
            ["docker", "ps", "--all", "--filter", label, "--format", "{{.Names}}\t{{.State}}\t{{.Image}}"],
            env=self._docker.env,
        )
        rows = [line.split("\t") for line in listed.splitlines()]
        return sorted((Node(name, state == "running", image) for name, state, image in rows), key=lambda node: node.name)

    def is_healthy(self) -> bool:
        """Whether every node runs and is Ready; a node that is merely slow gets time to recover."""
        nodes = self.nodes()
        if len(nodes) != NODES or not all(node.running for node in nodes) or not self._kubeconfig.exists():
            return False
        deadline = time.monotonic() + RECOVERY_SECONDS
        while not self._all_ready():
            if time.monotonic() > deadline:
                return False
            time.sleep(1)
        return True

    def create(self, kind: str, image: str, log: Path) -> None:
        """Make the cluster anew, and wait until pods, names and volumes work in it."""
        self.delete(log)
        argv: list[str | Path] = [kind, "create", "cluster", "--config", CONFIG, "--image", image, "--kubeconfig", self._kubeconfig]
        commands.run(argv, log=log, env=self._docker.env)
        try:
            self._await_ready(log)
        except CommandFailedError as failure:
            raise ClusterError(
                f"the cluster was made, but is not ready: {failure}\n"
                f'Look at it with `eval "$(make -s cluster-env)"; kubectl get pods -A -o wide`, or make it anew with '
                "`make cluster-down cluster-up`."
            ) from failure

    def delete(self, log: Path) -> bool:
        """Delete the cluster's containers and their volumes; true if there were any."""
        names = [node.name for node in self.nodes()]
        if names:
            commands.run(["docker", "rm", "--force", "--volumes", *names], log=log, env=self._docker.env)
        self._kubeconfig.unlink(missing_ok=True)
        return bool(names)

    def kubectl(self, *arguments: str) -> str:
        return commands.output([self._kubectl, "--kubeconfig", self._kubeconfig, *arguments], timeout_seconds=10)

    def _all_ready(self) -> bool:
        try:
            listed = json.loads(self.kubectl("get", "nodes", "--output=json", "--request-timeout=3s"))
        except CommandFailedError:
            return False  # it may be starting still: the caller has a deadline
        ready = [
            condition["status"] == "True"
            for node in listed["items"]
            for condition in node["status"]["conditions"]
            if condition["type"] == "Ready"
        ]
        return len(ready) == NODES and all(ready)

    def _await_ready(self, log: Path) -> None:
        wait: list[str | Path] = [self._kubectl, "--kubeconfig", self._kubeconfig, "wait", f"--timeout={READY_SECONDS}s"]
        commands.run([*wait, "--for=condition=Ready", "node", "--all"], log=log)
        for namespace, deployment in DEPLOYMENTS:
            in_namespace = ["--namespace", namespace, f"deployment/{deployment}"]
            commands.run([*wait, "--for=condition=Available", *in_namespace], log=log)
        default = '{.items[?(@.metadata.annotations.storageclass\\.kubernetes\\.io/is-default-class=="true")].metadata.name}'
        if not self.kubectl("get", "storageclass", f"--output=jsonpath={default}").strip():
            raise ClusterError("the cluster has no default StorageClass; does the node image bring one?")
