"""The operator's own pods: which of them leads, what they count, and the harm that a test does to them."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from typing import Final

from rig.kube import Kube, Object
from rig.metric_page import read_total
from rig.nodes import signal_pod
from rig.release import NAMESPACE, SELECTOR
from rig.waiting import eventually

PORT: Final = 8080
MODULE: Final = "tradingbot_operator"


@dataclass(frozen=True)
class Operators:
    """All operators of the release. Nothing is remembered: every method looks anew."""

    kube: Kube

    def pods(self) -> list[Object]:
        """Return the pods that are not on their way out."""
        pods = self.kube.items("pods", NAMESPACE, labelSelector=SELECTOR)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def holder(self) -> str:
        """Return the name that stands in the lease: of a process, not only of its pod; empty when it was given back."""
        (lease,) = self.kube.items("leases", NAMESPACE)
        return str(lease["spec"].get("holderIdentity") or "")

    def leader(self) -> Object:
        """Return the pod whose process leads."""

        def look() -> Object | None:
            holder = self.holder()
            return next((pod for pod in self.pods() if holder.startswith(f"{pod['metadata']['name']}_")), None)

        return eventually("an operator leads", look, explain=lambda: f"the lease is {self.holder()!r}'s")

    def kill_leader(self) -> str:
        """End the leader's process as a crash would, so that it gives nothing back; return the name that it leaves in the lease."""
        leader, holder = self.leader(), self.holder()
        signal_pod(self.kube, leader, MODULE, signal.SIGKILL)
        return holder

    def delete_leader(self) -> str:
        """Delete the leader's pod, as a drain does; return the name that it had in the lease."""
        leader, holder = self.leader(), self.holder()
        self.kube.kubectl("-n", NAMESPACE, "delete", "pod", leader["metadata"]["name"], "--wait=false")
        return holder

    def wait_ready(self) -> None:
        """Wait until the Deployment has all its pods, ready."""

        def look() -> bool:
            (deployment,) = self.kube.items("deployments", NAMESPACE)
            wanted, status = deployment["spec"]["replicas"], deployment["status"]
            return bool(status.get("readyReplicas") == wanted == status.get("replicas") == status.get("updatedReplicas"))

        eventually("all operators are ready", look, within_seconds=120.0)

    def count(self, name: str, **labels: str) -> float:
        """Return the sum of a counter over all operators, the series with these labels."""
        total = 0.0
        for pod in self.pods():
            with contextlib.suppress(ConnectionError):
                page = self.kube.page(NAMESPACE, pod["metadata"]["name"], PORT, "/metrics")
                total += (read_total(page.decode(), name, **labels) or 0.0) if page else 0.0
        return total
