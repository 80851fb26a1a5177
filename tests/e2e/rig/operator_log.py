"""The operator's log, over its restarts, so that a test can end by looking for what should not be in it.

A pod's log goes with the pod: who takes the operator away (a scale to zero) keeps its log first.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rig.kube import Kube, KubectlError
from rig.release import DEPLOYMENT, NAMESPACE, SELECTOR
from rig.waiting import eventually

_BAD: Final = re.compile(r"Traceback|\b(ERROR|CRITICAL)\b|^\w*(Error|Exception): ")


class OperatorLog:
    """What the operator has said since a moment."""

    def __init__(self, kube: Kube, since: datetime) -> None:
        self._kube = kube
        self._since = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._kept: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Take lines with this pattern for no errors, in this test: they tell of what the test itself has done."""
        self._allowed.append(re.compile(pattern))

    def lines(self) -> list[str]:
        return self._kept + self._now()

    def bad_lines(self) -> list[str]:
        """Return lines that tell of an error, without the allowed ones."""
        return [line for line in self.lines() if _BAD.search(line) and not any(allowed.search(line) for allowed in self._allowed)]

    def keep(self) -> None:
        """Keep what has been said so far: the pods that said it are about to go."""
        self._kept += self._now()

    @contextlib.contextmanager
    def taken_away(self) -> Iterator[None]:
        """Take every operator away for the length of the block, and keep its log."""
        deployment = self._kube.get("deployments", DEPLOYMENT, NAMESPACE)
        assert deployment is not None
        self.keep()
        self._scale(0)
        try:
            yield
        finally:
            self._scale(deployment["spec"]["replicas"])

    def _scale(self, replicas: int) -> None:
        self._kube.kubectl("-n", NAMESPACE, "scale", "deployment", DEPLOYMENT, "--replicas", str(replicas))

        def look() -> bool:
            pods = self._kube.items("pods", NAMESPACE, labelSelector=SELECTOR)
            told = [condition for pod in pods for condition in pod["status"].get("conditions", []) if condition["type"] == "Ready"]
            # A pod that was only just made has no conditions yet.
            return len(pods) == replicas and [condition["status"] for condition in told] == ["True"] * replicas

        eventually(f"there are {replicas} operators", look)

    def _now(self) -> list[str]:
        found: list[str] = []
        for pod in self._kube.items("pods", NAMESPACE, labelSelector=SELECTOR):
            name = pod["metadata"]["name"]
            if any(status["restartCount"] for status in pod["status"].get("containerStatuses", [])):
                found += self._read(name, "--previous")
            found += self._read(name)
        return found

    def _read(self, pod: str, *more: str) -> list[str]:
        try:
            return self._kube.kubectl("-n", NAMESPACE, "logs", pod, f"--since-time={self._since}", "--tail=-1", *more).splitlines()
        except KubectlError as error:
            if "NotFound" not in str(error):
                raise
            return []  # a pod of the release before, which went since it was listed, and its log with it
