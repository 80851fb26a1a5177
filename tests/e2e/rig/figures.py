"""What a measurement prints: a table for people, and on the last line one JSON object for programs."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rig.kube import Kube


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and extremes of the rounds, in seconds."""
    return {
        "median_seconds": round(statistics.median(seconds), 2),
        "min_seconds": round(min(seconds), 2),
        "max_seconds": round(max(seconds), 2),
        "rounds": len(seconds),
    }


def describe_place(kube: Kube) -> dict[str, Any]:
    """Return the machine and the versions that a measurement is of."""
    node = kube.items("nodes", None)[0]["status"]["nodeInfo"]
    return {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
        "versions": {
            "python": platform.python_version(),
            "kubernetes": node["kubeletVersion"],
            "container_runtime": node["containerRuntimeVersion"],
        },
    }


def tell(name: str, kube: Kube, rounds: Mapping[str, Sequence[float]], aims: Mapping[str, float]) -> None:
    """Print the figures of a measurement.

    Args:
        name: of the measurement.
        kube: the cluster that it ran on.
        rounds: seconds of every round, by what was measured.
        aims: seconds that the median should not pass, for those that have an aim.
    """
    print(f"{'':44}{'median':>8}{'min':>8}{'max':>8}{'aim':>8}")
    figures = {}
    for what, seconds in rounds.items():
        figures[what] = summary(seconds)
        aim = f"{aims[what]:.1f}" if what in aims else ""
        print(f"{what:44}{statistics.median(seconds):>8.2f}{min(seconds):>8.2f}{max(seconds):>8.2f}{aim:>8}")
    print(json.dumps({"name": name, "figures": figures, "aims_seconds": dict(aims), **describe_place(kube)}))
