"""The cluster and the operator on it, as ``make`` brings them up: the same steps for tests, measurements and demonstration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from rig.kube import Kube, KubectlError
from rig.waiting import eventually

ROOT: Final = Path(__file__).resolve().parents[3]
CHART: Final = ROOT / "charts" / "tradingbot-operator"
TOOL: Final = ROOT / "tests" / "cluster" / "cluster.py"
NAMESPACE: Final = "tradingbot-system"
RELEASE: Final = "tradingbot-operator"
DEPLOYMENT: Final = RELEASE
SELECTOR: Final = "app.kubernetes.io/name=tradingbot-operator"
"""Of the operator's pods."""


def cluster(command: str) -> str:
    """Run one step of the cluster tool; its progress goes to the terminal, what it prints as its result is returned.

    Raises:
        subprocess.CalledProcessError: the step failed; it has said why.
    """
    return subprocess.run([sys.executable, str(TOOL), command], check=True, stdout=subprocess.PIPE, text=True).stdout


def cluster_environment() -> dict[str, str]:
    """Return this process's environment with the cluster's tools and address in it."""
    exports = cluster("env")
    shell = subprocess.run(["bash", "-c", f"{exports}\nenv -0"], check=True, capture_output=True, text=True, env=dict(os.environ))
    return dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if "=" in entry)


def install(kube: Kube, images: dict[str, str], *settings: str, chart: Path = CHART, flags: tuple[str, ...] = ()) -> str:
    """Install the operator, or bring it to a chart and this checkout's images, and wait until it is ready; return Helm's notes.

    Args:
        kube: the cluster.
        images: references of the images, by ``operator`` and ``engine``.
        settings: more values, as ``--set`` takes them.
        chart: the chart's folder.
        flags: more of Helm's own.

    Raises:
        KubectlError: it does not get ready; the message ends with its log.
    """
    kube.make_namespace(NAMESPACE)
    values = [*settings]
    for key, name in (("image", "operator"), ("engineImage", "engine")):
        repository, _, tag = images[name].rpartition(":")
        values += [f"{key}.repository={repository}", f"{key}.tag={tag}"]
    arguments = [word for value in values for word in ("--set-string" if ".tag=" in value else "--set", value)]
    command = ["helm", "upgrade", "--install", RELEASE, str(chart), "--namespace", NAMESPACE, "--wait", "--timeout", "120s"]
    try:
        return kube.run(*command, *flags, *arguments)
    except KubectlError as error:
        pods = kube.kubectl("-n", NAMESPACE, "get", "pods")
        log = kube.kubectl("-n", NAMESPACE, "logs", f"deployment/{DEPLOYMENT}", "--tail=40", "--ignore-errors")
        raise KubectlError(f"{error}\n{pods}\n{log}", error.output) from error


def uninstall(kube: Kube) -> str:
    """Take the release away and wait until its pods are gone; return what Helm says. CRD, bots and engines stay."""
    said = kube.run("helm", "uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--timeout", "120s", "--ignore-not-found")
    eventually("the operators are gone", lambda: not kube.items("pods", NAMESPACE, labelSelector=SELECTOR))
    return said


def wipe(kube: Kube) -> None:
    """Take away everything that an installation is, whoever made it, with the CRD and so with every bot of the cluster."""
    uninstall(kube)
    kube.kubectl("delete", "crd", "tradingbots.tradingbot.dev", "--ignore-not-found", "--timeout=120s")
    for kind in ("clusterrolebinding", "clusterrole"):
        kube.kubectl("delete", kind, RELEASE, "--ignore-not-found")
    kube.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
