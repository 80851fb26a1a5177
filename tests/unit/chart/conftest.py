"""Renders and judges the chart with the real programs, which the cluster's tool builds or finds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cache_folder import default_cache
from go_builds import GoBuilds
from progress import Progress
from steps import Runner

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "tradingbot-operator"
TOOL = ROOT / "tests" / "cluster" / "cluster.py"

Manifest = dict[str, Any]
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Return this process's environment with the cluster's tools in it, built if they have to be."""
    subprocess.run([sys.executable, str(TOOL), "tools"], check=True)
    exports = subprocess.run([sys.executable, str(TOOL), "env"], check=True, stdout=subprocess.PIPE, text=True).stdout
    shell = subprocess.run(["bash", "-c", f"{exports}\nenv -0"], check=True, capture_output=True, text=True, env=dict(os.environ))
    return dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if "=" in entry)


@pytest.fixture(scope="session")
def program(environment: dict[str, str]) -> Program:
    """Return a function that runs a program with arguments and never raises for its exit code."""

    def run(*command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, check=False, input=stdin, env=environment)

    return run


@pytest.fixture(scope="session")
def helm(program: Program) -> Program:
    """Return a function that runs helm with arguments and never raises for its exit code."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return program("helm", *arguments)

    return run


@pytest.fixture(scope="session")
def kubernetes_schemas(environment: dict[str, str]) -> Path:  # noqa: ARG001 - that has built them
    """Return the folder with the JSON schemas of the pinned Kubernetes' kinds."""
    cache = default_cache()
    return Runner(cache, Progress()).output(GoBuilds(cache).kubernetes_schemas)


@pytest.fixture(scope="session")
def chart() -> Path:
    return CHART


@pytest.fixture(scope="session")
def render(helm: Program) -> Callable[..., list[Manifest]]:
    """Return a function that renders the chart with ``--set`` arguments into manifests; the test's pod is left out."""

    def run(*settings: str) -> list[Manifest]:
        arguments = [word for setting in settings for word in ("--set", setting)]
        done = helm("template", "operator", str(CHART), "--namespace", "tradingbot-system", "--skip-tests", *arguments)
        assert done.returncode == 0, done.stderr
        return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]

    return run
